"""What became of decisions that led to a position, and of the sessions that traded on them.

An approval is PENDING from when its order is sent. Its position tells the rest: once that is
closed, the verdict, its consensus and the signals that won the vote get their share in one
transaction, which the verdict's own change lets happen once. A consensus that several sessions
traded on has the sum of theirs.
"""

import json
from dataclasses import dataclass
from uuid import UUID

from sim.signals.metrics import metrics_of
from storage.agents.presence import Presence, seen
from storage.agents.round_trips import advance
from storage.agents.sessions import Session
from storage.order_states import ENDED
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, unit_of_work

PENDING = f"""
SELECT d.id, d.cause_id, o.{ENDED}, o.filled_lots, t.closed_at_us IS NOT NULL,
    coalesce(t.realized_pnl_atoms - t.fees_atoms, 0)
FROM decisions d JOIN orders o ON o.id = d.order_id
LEFT JOIN LATERAL (
    SELECT closed_at_us, realized_pnl_atoms, fees_atoms FROM round_trips
    WHERE account_id = o.account_id AND market_id = o.market_id AND opened_fill_id >= (
        SELECT min(f.id) FROM fills f WHERE f.order_id = o.id AND f.order_id > 0)
    ORDER BY opened_fill_id LIMIT 1) t ON true
WHERE d.session_id = %s AND d.outcome = 'PENDING' AND d.kind = 'risk_approval'"""
"""Approvals are of what opens a position: the first that was opened from its first fill on. Who has
added to one by hand meanwhile has it told when the next is closed."""

CAUSE = "SELECT context FROM decisions WHERE id = %s"
LED_TO_NOTHING = "UPDATE decisions SET outcome = NULL WHERE id = %s AND outcome = 'PENDING'"
IS_PENDING = "UPDATE decisions SET outcome = 'PENDING' WHERE id = ANY(%s) AND outcome IS NULL"
TOLD = """
UPDATE decisions SET outcome = CASE WHEN %(pnl)s > 0 THEN 'SUCCESS' ELSE 'FAILURE' END,
    pnl_atoms = %(pnl)s
WHERE id = %(id)s AND outcome = 'PENDING'"""
ADDED = """
UPDATE decisions SET pnl_atoms = coalesce(pnl_atoms, 0) + %(pnl)s,
    outcome = CASE WHEN coalesce(pnl_atoms, 0) + %(pnl)s > 0 THEN 'SUCCESS' ELSE 'FAILURE' END
WHERE id = ANY(%(ids)s)"""
CLOSED = """
SELECT realized_pnl_atoms - fees_atoms FROM round_trips
WHERE account_id = %s AND closed_at_us IS NOT NULL ORDER BY opened_fill_id"""
EQUITY = """
SELECT initial_atoms, ARRAY(SELECT equity_atoms FROM session_equity
    WHERE session_id = s.id ORDER BY minute_us), final_atoms
FROM trading_sessions s WHERE id = %s"""
SAMPLE = """
INSERT INTO session_equity (session_id, minute_us, equity_atoms) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING"""
MEASURED = """
UPDATE trading_sessions SET trades = %s, winning_trades = %s, losing_trades = %s,
    max_drawdown = %s, sharpe_ratio = %s WHERE id = %s"""


@dataclass(frozen=True)
class Pending:
    """An approval whose order was sent, and what its position came to so far."""

    decision_id: UUID
    cause_id: UUID
    has_ended: bool
    filled_lots: int
    is_closed: bool
    pnl_atoms: int


async def follow(pool: AsyncPool, presence: Presence, session: Session) -> None:
    """Round trips up to the last fill, and what they tell. Raises Superseded or StorageError."""
    async with unit_of_work(pool) as connection:
        await seen(connection, presence)
        await tell_outcomes(connection, session)


async def tell_outcomes(connection: Connection, session: Session) -> None:
    """The same within the caller's transaction."""
    while not await advance(connection, session.account_id):
        pass
    rows = await (await connection.execute(PENDING, (session.session_id,))).fetchall()
    for row in rows:
        decision_id, cause_id, has_ended, filled_lots, is_closed, pnl = row
        pending = Pending(decision_id, cause_id, has_ended, filled_lots, is_closed, int(pnl))
        if pending.is_closed:
            await _closed(connection, session, pending)
        elif pending.filled_lots:
            await connection.execute(IS_PENDING, (await causes_of(connection, pending),))
        elif pending.has_ended:
            await connection.execute(LED_TO_NOTHING, (pending.decision_id,))


async def _closed(connection: Connection, session: Session, pending: Pending) -> None:
    values = {"pnl": pending.pnl_atoms, "id": pending.decision_id}
    if (await connection.execute(TOLD, values)).rowcount != 1:
        return
    causes = await causes_of(connection, pending)
    await connection.execute(ADDED, {"pnl": pending.pnl_atoms, "ids": causes})
    await measure(connection, session)


async def causes_of(connection: Connection, pending: Pending) -> list[UUID]:
    """The consensus, and the signals that won the vote."""
    row = await (await connection.execute(CAUSE, (pending.cause_id,))).fetchone()
    if row is None:  # pruned meanwhile
        return []
    winners = json.loads(row[0])["winners"]
    return [pending.cause_id, *map(UUID, winners)]


async def sample(
    pool: AsyncPool, presence: Presence, session: Session, minute_us: int, equity_atoms: int
) -> None:
    """What a session's account is worth at a minute, and its metrics with that."""
    async with unit_of_work(pool) as connection:
        await seen(connection, presence)
        await connection.execute(SAMPLE, (session.session_id, minute_us, equity_atoms))
        await tell_outcomes(connection, session)
        await measure(connection, session)


async def measure(connection: Connection, session: Session) -> None:
    """Of all round trips that are closed, and of what the session began with, its samples, and what
    it ended with once it has."""
    closed = await (await connection.execute(CLOSED, (session.account_id,))).fetchall()
    row = await (await connection.execute(EQUITY, (session.session_id,))).fetchone()
    assert row is not None
    initial, samples, final = row
    equity = [initial, *samples, *([] if final is None else [final])]
    found = metrics_of([int(one) for (one,) in closed], [int(one) for one in equity])
    counts = found.total_trades, found.winning_trades, found.losing_trades
    values = (*counts, found.max_drawdown, found.sharpe_ratio or 0.0, session.session_id)
    await connection.execute(MEASURED, values)
