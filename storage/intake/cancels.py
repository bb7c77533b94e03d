"""A client's wish to cancel: one command in the outbox, after an ownership check in SQL.

Where the market is halted and its actor does not do cancels, the wish is refused: nobody is told
PENDING_CANCEL of what will not happen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sim.money.acceptance import market_halted
from sim.refusals import Refusal, Refused
from sim.rows.messages import CommandKind, MarketStatus
from storage.intake.accept_sql import NOTIFY, command_payload
from storage.order_states import OPEN
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, unit_of_work

CLOSED = f"m.status = {MarketStatus.HALTED:d} AND NOT m.takes_cancels"
"""Of a row of markets: cancels are not done there."""

INSERT_CANCEL = f"""
INSERT INTO commands (market_id, account_id, order_id, payload, created_at_us)
SELECT o.market_id, o.account_id, o.id, %s, %s FROM orders o JOIN markets m USING (market_id)
WHERE o.id = %s AND o.account_id = %s AND o.{OPEN} AND NOT ({CLOSED})
RETURNING id"""
OWNED = f"""
SELECT o.{OPEN}, o.market_id, CASE WHEN {CLOSED} THEN m.halt_reason END
FROM orders o JOIN markets m USING (market_id) WHERE o.id = %s AND o.account_id = %s"""
INSERT_CANCEL_ALL = f"""
INSERT INTO commands (market_id, account_id, order_id, payload, created_at_us)
SELECT o.market_id, %(account)s, 0, %(payload)s, %(now)s
FROM orders o JOIN markets m USING (market_id)
WHERE o.account_id = %(account)s AND o.{OPEN} AND NOT ({CLOSED})
  AND (%(market)s::text IS NULL OR o.market_id = %(market)s)
GROUP BY o.market_id"""
INSERT_CANCELS = f"""
WITH asked AS (
    SELECT * FROM unnest(%(ids)b::bigint[], %(names)b::text[])
        WITH ORDINALITY AS x(order_id, name, n)),
named AS (
    SELECT n, id, market_id, ended_status FROM asked JOIN orders ON id = order_id
    WHERE account_id = %(account)s
    UNION ALL
    SELECT n, id, market_id, ended_status FROM asked JOIN orders ON client_order_id = name
    WHERE account_id = %(account)s AND client_order_id IS NOT NULL),
found AS (
    SELECT o.*, CASE WHEN {CLOSED} THEN coalesce(m.halt_reason, '') END AS halt_reason
    FROM named o JOIN markets m USING (market_id)),
commanded AS (
    INSERT INTO commands (market_id, account_id, order_id, payload, created_at_us)
    SELECT market_id, %(account)s, id, %(payload)b, %(now)s FROM found
    WHERE {OPEN} AND halt_reason IS NULL ORDER BY n)
SELECT n, id, {OPEN}, market_id, halt_reason FROM found"""
COUNT_OPEN = f"""
SELECT o.market_id, count(*), bool_or({CLOSED}), max(m.halt_reason)
FROM orders o JOIN markets m USING (market_id)
WHERE o.account_id = %(account)s AND o.{OPEN}
  AND (%(market)s::text IS NULL OR o.market_id = %(market)s)
GROUP BY o.market_id ORDER BY o.market_id"""


@dataclass(frozen=True)
class CancelAll:
    """How many open orders are asked to be cancelled, and the markets where none of them can."""

    requested: int
    halted: tuple[str, ...]


async def request_cancel(pool: AsyncPool, account_id: int, order_id: int) -> None:
    """Ask the market to cancel an order.

    Raises Refused, DatabaseUnavailable (nothing happened) or OutcomeUnknown.
    """
    async with unit_of_work(pool) as connection:
        await ask_to_cancel(connection, account_id, order_id)


async def ask_to_cancel(connection: Connection, account_id: int, order_id: int) -> None:
    """The same; the caller's transaction commits. Raises Refused."""
    payload = command_payload(CommandKind.CANCEL, account_id, order_id)
    cursor = await connection.execute(INSERT_CANCEL, (payload, now_us(), order_id, account_id))
    if await cursor.fetchone() is not None:
        await connection.execute(NOTIFY)
        return
    owned = await (await connection.execute(OWNED, (order_id, account_id))).fetchone()
    if owned is None:
        raise Refused(Refusal.ORDER_NOT_FOUND, "No such order")
    is_open, market_id, halt_reason = owned
    if is_open and halt_reason is not None:
        raise market_halted(market_id, halt_reason)
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
    found = {row[0]: tuple(row[1:]) for row in rows}
    return [cancelled(found.get(number)) for number in range(1, len(orders) + 1)]


def cancelled(found: tuple[Any, ...] | None) -> int | Refused:
    """The order's id where it is open, else why it cannot be cancelled."""
    if found is None:
        return Refused(Refusal.ORDER_NOT_FOUND, "No such order")
    order_id, is_open, market_id, halt_reason = found
    if is_open and halt_reason is not None:
        return market_halted(market_id, halt_reason)
    if not is_open:
        return Refused(
            Refusal.ORDER_NOT_OPEN, "The order is not open any more", {"order_id": order_id}
        )
    return int(order_id)


async def request_cancel_all(pool: AsyncPool, account_id: int, market_id: str | None) -> CancelAll:
    """Ask every market with open orders of the account to cancel them.

    Raises Refused where the one market that was named is halted and cancels nothing.
    """
    wish = {
        "account": account_id,
        "market": market_id,
        "payload": command_payload(CommandKind.CANCEL_ALL, account_id),
        "now": now_us(),
    }
    async with unit_of_work(pool) as connection:
        counts = await (await connection.execute(COUNT_OPEN, wish)).fetchall()
        await connection.execute(INSERT_CANCEL_ALL, wish)
        await connection.execute(NOTIFY)
    halted = [(name, reason) for name, _, is_closed, reason in counts if is_closed]
    if market_id is not None and halted:
        raise market_halted(*halted[0])
    requested = sum(count for _, count, is_closed, _ in counts if not is_closed)
    return CancelAll(requested, tuple(name for name, _ in halted))
