"""What a deployment's signal agents call its markets, as its world says."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from storage.errors import wrapped

FORGET = "DELETE FROM symbols WHERE symbol <> ALL(%s)"
NAME = """
INSERT INTO symbols (symbol, market_id) VALUES (%s, %s)
ON CONFLICT (symbol) DO UPDATE SET market_id = excluded.market_id"""

UNQUOTED = """
SELECT 1 FROM market_views
WHERE market_id = ANY(%s) AND (best_bid_ticks = 0 OR best_ask_ticks = 0) LIMIT 1"""


def name_markets(connection: psycopg.Connection[Any], symbols: Mapping[str, str]) -> None:
    """These symbols and no others, in one transaction. Sessions keep the market that they have."""
    with wrapped(), connection.transaction():
        connection.execute(FORGET, (list(symbols),))
        for symbol, market_id in symbols.items():
            connection.execute(NAME, (symbol, market_id))


def are_quoted(connection: psycopg.Connection[Any], market_ids: Sequence[str]) -> bool:
    """Whether each of these markets has a book with two sides."""
    with wrapped():
        row = connection.execute(UNQUOTED, (list(market_ids),)).fetchone()
    return row is None
