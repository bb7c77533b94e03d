"""How many trailing stops each account has in a market: none may take all that the market has."""

from collections.abc import Sequence
from typing import Any

import psycopg

from sim.orders import LAST_OPEN_STATUS, PlaceOrder
from sim.rows.messages import OrderType

WAITING = f"""
SELECT account_id, market_id, count(*) FROM orders
WHERE account_id = ANY(%b) AND status <= {LAST_OPEN_STATUS:d}
    AND order_type = {OrderType.TRAILING:d} AND triggered_at_us = 0
GROUP BY account_id, market_id"""


async def load_trailing_stops(
    connection: psycopg.AsyncConnection[Any], orders: Sequence[PlaceOrder]
) -> dict[tuple[int, str], int]:
    """How many wait, by account and market, of the accounts that send one more."""
    ids = {order.account_id for order in orders if order.order_type == OrderType.TRAILING}
    if not ids:
        return {}
    waiting = await connection.execute(WAITING, (sorted(ids),))
    return {(row[0], row[1]): row[2] for row in await waiting.fetchall()}
