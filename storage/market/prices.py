"""Index and mark prices as they are stored, and the book views they are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from sim.money.mark import Quotes
from storage.errors import wrapped

Connection = psycopg.Connection[Any]

SELECT_PRICES = """
SELECT market_id, index_ticks, mark_ticks, ema_state, price_state, updated_at_us
FROM market_prices"""
SELECT_QUOTES = """
SELECT market_id, best_bid_ticks, best_ask_ticks, last_price_ticks FROM market_views"""
UPSERT_PRICES = """
INSERT INTO market_prices
    (market_id, index_ticks, mark_ticks, ema_state, price_state, updated_at_us)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (market_id) DO UPDATE SET
    index_ticks = excluded.index_ticks, mark_ticks = excluded.mark_ticks,
    ema_state = excluded.ema_state, price_state = excluded.price_state,
    updated_at_us = excluded.updated_at_us"""


@dataclass(frozen=True)
class StoredPrice:
    """One row of market_prices.

    ema_state     sim.money.mark's basis_ema_q20
    price_state   ReferencePrice.state(); None where the price came from elsewhere
    """

    market_id: str
    index_ticks: int
    mark_ticks: int
    ema_state: int
    price_state: bytes | None
    updated_at_us: int


def read_prices(connection: Connection) -> dict[str, StoredPrice]:
    """The stored prices by market id. Raises DatabaseUnavailable."""
    with wrapped():
        rows = connection.execute(SELECT_PRICES).fetchall()
    return {row[0]: StoredPrice(*row) for row in rows}


def write_prices(connection: Connection, rows: Sequence[StoredPrice]) -> None:
    """Writes the prices of all given markets in one transaction. Raises DatabaseUnavailable."""
    values = [
        (
            row.market_id,
            row.index_ticks,
            row.mark_ticks,
            row.ema_state,
            row.price_state,
            row.updated_at_us,
        )
        for row in rows
    ]
    with wrapped(), connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(UPSERT_PRICES, values)


def read_quotes(connection: Connection) -> dict[str, Quotes]:
    """Touch and last price of every book by market id. Raises DatabaseUnavailable."""
    with wrapped():
        rows = connection.execute(SELECT_QUOTES).fetchall()
    return {row[0]: Quotes(*row[1:]) for row in rows}
