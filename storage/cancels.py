"""A client's wish to cancel: one command in the outbox, after an ownership check in SQL."""

from sim.messages import CommandKind
from sim.refusals import Refusal, Refused
from storage.accept_sql import NOTIFY, command_payload
from storage.database import AsyncPool, now_us
from storage.unit_of_work import unit_of_work

INSERT_CANCEL = """
INSERT INTO commands (market_id, account_id, order_id, payload, created_at_us)
SELECT market_id, account_id, id, %s, %s FROM orders
WHERE id = %s AND account_id = %s AND status <= 3 RETURNING id"""
OWNED = "SELECT 1 FROM orders WHERE id = %s AND account_id = %s"
INSERT_CANCEL_ALL = """
INSERT INTO commands (market_id, account_id, order_id, payload, created_at_us)
SELECT market_id, %(account)s, 0, %(payload)s, %(now)s FROM orders
WHERE account_id = %(account)s AND status <= 3
  AND (%(market)s::text IS NULL OR market_id = %(market)s)
GROUP BY market_id"""
COUNT_OPEN = """
SELECT count(*) FROM orders WHERE account_id = %(account)s AND status <= 3
  AND (%(market)s::text IS NULL OR market_id = %(market)s)"""


async def request_cancel(pool: AsyncPool, account_id: int, order_id: int) -> None:
    """Ask the market to cancel an order.

    Raises Refused, DatabaseUnavailable (nothing happened) or OutcomeUnknown.
    """
    payload = command_payload(CommandKind.CANCEL, account_id, order_id)
    async with unit_of_work(pool) as connection:
        cursor = await connection.execute(INSERT_CANCEL, (payload, now_us(), order_id, account_id))
        if await cursor.fetchone() is not None:
            await connection.execute(NOTIFY)
            return
        owned = await (await connection.execute(OWNED, (order_id, account_id))).fetchone()
    if owned is None:
        raise Refused(Refusal.ORDER_NOT_FOUND, "No such order")
    raise Refused(Refusal.ORDER_NOT_OPEN, "The order is not open any more")


async def request_cancel_all(pool: AsyncPool, account_id: int, market_id: str | None) -> int:
    """Ask every market with open orders of the account to cancel them; how many are open now."""
    wish = {
        "account": account_id,
        "market": market_id,
        "payload": command_payload(CommandKind.CANCEL_ALL, account_id),
        "now": now_us(),
    }
    async with unit_of_work(pool) as connection:
        count = await (await connection.execute(COUNT_OPEN, wish)).fetchone()
        await connection.execute(INSERT_CANCEL_ALL, wish)
        await connection.execute(NOTIFY)
    return int(str(count[0])) if count else 0
