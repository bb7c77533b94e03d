"""What became of decisions that led to a position, and of the sessions that traded on them.

An approval is PENDING from when its order is sent, its consensus and the signals that won the vote
from its first fill on. Its position tells the rest: once that is closed, the verdict has what it
came to. What everybody sees has the sum over all sessions that traded on it once the last of their
positions is closed, and is PENDING until then. A position in which a person has traded says nothing
of any decision.
"""

import json
from dataclasses import dataclass
from uuid import UUID

from sim.signals.metrics import metrics_of
from storage.agents.presence import Presence, seen
from storage.agents.round_trips import advance
from storage.agents.sessions import Session
from storage.intake.session_accounts import OWN_NAMES
from storage.order_states import ENDED
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, unit_of_work

IS_OWN = f"""(h.client_order_id IS NOT NULL AND ({
    " OR ".join(f"starts_with(h.client_order_id, '{name}')" for name in OWN_NAMES)
}))"""
PENDING = f"""
SELECT d.id, d.cause_id, o.{ENDED}, o.filled_lots, t.closed_at_us IS NOT NULL,
    coalesce(t.realized_pnl_atoms - t.fees_atoms, 0),
    t.closed_at_us IS NOT NULL AND EXISTS (
        SELECT FROM fills f JOIN orders h ON h.id = f.order_id
        WHERE f.account_id = o.account_id AND f.market_id = o.market_id AND f.order_id > 0
            AND f.id BETWEEN t.opened_fill_id AND t.last_fill_id AND NOT {IS_OWN})
FROM decisions d JOIN orders o ON o.id = d.order_id
LEFT JOIN LATERAL (
    SELECT min(f.id) AS fill_id FROM fills f
    WHERE f.order_id = o.id AND f.order_id > 0) first ON true
LEFT JOIN LATERAL (
    SELECT * FROM round_trips
    WHERE account_id = o.account_id AND market_id = o.market_id
        AND opened_fill_id <= first.fill_id AND last_fill_id >= first.fill_id
    ORDER BY opened_fill_id DESC LIMIT 1) t ON true
WHERE d.session_id = %s AND d.outcome = 'PENDING' AND d.kind = 'risk_approval'"""
"""The position of an approval is the one that has the first fill of its order. A person has traded
in it where one of its fills is of an order that the session has not placed itself; what liquidation
closes is of no order that stands in the table."""

BY_HAND = "A person has traded in its position, so what that came to says nothing of this decision."

CAUSE = "SELECT context FROM decisions WHERE id = %s"
NO_OUTCOME = """
UPDATE decisions SET outcome = NULL, note = %s WHERE id = %s AND outcome = 'PENDING'"""
IS_PENDING = """
UPDATE decisions SET outcome = 'PENDING', pnl_atoms = NULL
WHERE id = ANY(%s) AND outcome IS DISTINCT FROM 'PENDING'"""
TOLD = """
UPDATE decisions SET outcome = CASE WHEN %(pnl)s > 0 THEN 'SUCCESS' ELSE 'FAILURE' END,
    pnl_atoms = %(pnl)s
WHERE id = %(id)s AND outcome = 'PENDING'"""
SUMMED = """
UPDATE decisions d SET pnl_atoms = CASE WHEN NOT found.is_open THEN found.pnl END,
    outcome = CASE WHEN found.is_open THEN 'PENDING' WHEN found.pnl > 0 THEN 'SUCCESS'
        WHEN found.pnl <= 0 THEN 'FAILURE' END
FROM (SELECT own.id, sum(v.pnl_atoms) AS pnl,
        coalesce(bool_or(v.outcome = 'PENDING' OR v.order_state = 'WISHED'), false) AS is_open
    FROM decisions own
    JOIN decisions v ON v.symbol = own.symbol AND v.seq > own.seq AND v.kind = 'risk_approval'
        AND v.order_state IS NOT NULL AND NOT v.reduce_only
    JOIN decisions c ON c.id = v.cause_id
        AND (c.id = own.id OR c.context::jsonb -> 'winners' ? own.id::text)
    WHERE own.id = ANY(%s) GROUP BY own.id) found
WHERE d.id = found.id"""
"""Over all verdicts that opened something on a consensus, or on one that a signal won; each is of
the same symbol and written after both."""

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
    is_by_hand: bool


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
        decision_id, cause_id, has_ended, filled_lots, is_closed, pnl, is_by_hand = row
        pending = Pending(
            decision_id, cause_id, has_ended, filled_lots, is_closed, int(pnl), is_by_hand
        )
        if pending.is_closed:
            await _closed(connection, session, pending)
        elif pending.filled_lots:
            await connection.execute(IS_PENDING, (await causes_of(connection, cause_id),))
        elif pending.has_ended:
            await connection.execute(NO_OUTCOME, (None, decision_id))
            await sum_up(connection, cause_id)


async def _closed(connection: Connection, session: Session, pending: Pending) -> None:
    if pending.is_by_hand:
        await connection.execute(NO_OUTCOME, (BY_HAND, pending.decision_id))
    else:
        values = {"pnl": pending.pnl_atoms, "id": pending.decision_id}
        await connection.execute(TOLD, values)
    await sum_up(connection, pending.cause_id)
    await measure(connection, session)


async def sum_up(connection: Connection, cause_id: UUID) -> None:
    """What a consensus and the signals that won it came to, now that more is known of a verdict."""
    await connection.execute(SUMMED, (await causes_of(connection, cause_id),))


async def causes_of(connection: Connection, cause_id: UUID) -> list[UUID]:
    """The consensus, and the signals that won the vote."""
    row = await (await connection.execute(CAUSE, (cause_id,))).fetchone()
    if row is None:  # pruned meanwhile
        return []
    winners = json.loads(row[0])["winners"]
    return [cause_id, *map(UUID, winners)]


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
