"""What one ether costs on the exchange, by its book."""

from fractions import Fraction
from typing import Any

import psycopg

from storage.errors import wrapped

OF_ETHER = "WHERE m.kind = 'SPOT' AND m.base_asset = 'ETH' ORDER BY m.market_id LIMIT 1"
MARKET = f"SELECT m.market_id FROM markets m {OF_ETHER}"
MIDDLE = f"""
SELECT m.tick_size, v.best_bid_ticks, v.best_ask_ticks FROM markets m
JOIN market_views v USING (market_id) {OF_ETHER}"""


def ether_market(connection: psycopg.Connection[Any]) -> str | None:
    """The spot market that pools are kept together with; None where there is none."""
    with wrapped():
        row = connection.execute(MARKET).fetchone()
    return None if row is None else str(row[0])


def ether_price(connection: psycopg.Connection[Any]) -> Fraction | None:
    """Half way between bid and ask of the spot market; None where it has not both."""
    with wrapped():
        row = connection.execute(MIDDLE).fetchone()
    if row is None or not row[1] or not row[2]:
        return None
    tick_size, bid_ticks, ask_ticks = row
    return Fraction(tick_size) * Fraction(bid_ticks + ask_ticks, 2)
