"""How many trailing stops each user has in a market: none may take all that the market has."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import psycopg

from sim.rows.messages import OrderType
from storage.intake.accept_request import OrderRequest
from storage.order_states import OPEN

WAITING = f"""
SELECT a.owner_id, o.market_id, count(*)
FROM accounts a CROSS JOIN LATERAL (
    SELECT market_id FROM orders
    WHERE account_id = a.id AND {OPEN}
        AND order_type = {OrderType.TRAILING:d} AND triggered_at_us = 0 OFFSET 0) o
WHERE a.owner_id = ANY(%b) GROUP BY a.owner_id, o.market_id"""
"""Orders are found by account whatever the planner believes: it cannot see through OFFSET 0."""


async def load_trailing_stops(
    connection: psycopg.AsyncConnection[Any], requests: Sequence[OrderRequest]
) -> Counter[tuple[int, str]]:
    """How many wait, by user and market, in all accounts of the users who ask for one more."""
    ids = {
        request.asked.user_id
        for request in requests
        if any(order.order_type == OrderType.TRAILING for order in request.orders)
    }
    if not ids:
        return Counter()
    waiting = await connection.execute(WAITING, (sorted(ids),))
    return Counter({(row[0], row[1]): row[2] for row in await waiting.fetchall()})
