"""A client's wish to cancel: one command in the outbox, after an ownership check in SQL."""

from collections.abc import Sequence

from sim.messages import CommandKind
from sim.refusals import Refusal, Refused
from storage.accept_sql import NOTIFY, command_payload
from storage.database import AsyncPool, now_us
from storage.unit_of_work import Connection, unit_of_work

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
INSERT_CANCELS = """
WITH asked AS (
    SELECT * FROM unnest(%(ids)b::bigint[], %(names)b::text[])
        WITH ORDINALITY AS x(order_id, name, n)),
found AS (
    SELECT n, id, market_id, status FROM asked JOIN orders ON id = order_id
    WHERE account_id = %(account)s
    UNION ALL
    SELECT n, id, market_id, status FROM asked JOIN orders ON client_order_id = name
    WHERE account_id = %(account)s AND client_order_id IS NOT NULL),
commanded AS (
    INSERT INTO commands (market_id, account_id, order_id, payload, created_at_us)
    SELECT market_id, %(account)s, id, %(payload)b, %(now)s FROM found WHERE status <= 3 ORDER BY n)
SELECT n, id, status <= 3 FROM found"""
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


async def request_cancels(
    connection: Connection, account_id: int, orders: Sequence[int | str]
) -> list[int | Refused]:
    """Ask for each of these orders, named by its id or by the client's; the ids of those that are
    open, else why not. The caller's transaction commits."""
    values = {
        "ids": [order if isinstance(order, int) else None for order in orders],
        "names": [order if isinstance(order, str) else None for order in orders],
        "account": account_id,
        "payload": command_payload(CommandKind.CANCEL, account_id),
        "now": now_us(),
    }
    rows = await (await connection.execute(INSERT_CANCELS, values)).fetchall()
    await connection.execute(NOTIFY)
    found = {row[0]: (row[1], row[2]) for row in rows}
    return [cancelled(found.get(number)) for number in range(1, len(orders) + 1)]


def cancelled(found: tuple[int, bool] | None) -> int | Refused:
    """The order's id where it is open, else why it cannot be cancelled."""
    if found is None:
        return Refused(Refusal.ORDER_NOT_FOUND, "No such order")
    order_id, is_open = found
    if not is_open:
        return Refused(
            Refusal.ORDER_NOT_OPEN, "The order is not open any more", {"orderId": order_id}
        )
    return order_id


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
