"""How a session that somebody asked to stop comes to its end, step by step.

Every step is found by what stands in the tables, so whoever takes over goes on where it stood.
"""

from dataclasses import dataclass
from decimal import Decimal

from sim.market import COLLATERAL, MarketSpec
from sim.orders import AcceptedOrder
from sim.refusals import Refusal, Refused
from sim.rows.messages import OrderType, Reason, Side
from sim.units import format_steps
from storage.agents.outcomes import measure, tell_outcomes
from storage.agents.presence import Presence, seen
from storage.agents.session_orders import market_order, owner_of, placed, plain_words
from storage.agents.sessions import Session
from storage.intake.accept_state import OpenOrdersMax
from storage.intake.cancels import request_cancel_all
from storage.intake.session_accounts import OwnName, SessionStatus
from storage.market.markets import SPEC_COLUMNS_OF_M, spec_from_row
from storage.order_states import ENDED, OPEN
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, fetch_all, fetch_one, unit_of_work

CLOSING_TRIES_MAX = 3
"""That fill nothing."""

CLOSING_ORDERS_MAX = 100
"""In all: each is for as much as an order may be for, or as the book has."""

TRIES_APART_US = 1_000_000

OPEN_ORDERS = f"SELECT count(*) FROM orders WHERE account_id = %s AND {OPEN}"
HELD = f"""
SELECT p.quantity_lots, {SPEC_COLUMNS_OF_M} FROM positions p JOIN markets m USING (market_id)
WHERE p.account_id = %s AND p.quantity_lots <> 0 ORDER BY m.ordinal"""
TRIES = f"""
SELECT count(*), count(*) FILTER (WHERE filled_lots = 0), coalesce(max(updated_at_us), 0),
    coalesce((array_agg(reason ORDER BY id DESC) FILTER (WHERE filled_lots = 0))[1], 0)
FROM orders WHERE account_id = %s AND market_id = %s AND {ENDED} AND reduce_only
    AND order_type = {OrderType.MARKET:d} AND starts_with(client_order_id, %s)"""
MONEY = "SELECT total_atoms FROM balances WHERE account_id = %s AND asset = %s"
LOCK = "SELECT 1 FROM trading_sessions WHERE id = %s AND stopped_at_us IS NULL FOR UPDATE"
STOP = f"""
UPDATE trading_sessions SET status = '{SessionStatus.STOPPED}', final_atoms = %(final)s,
    stopped_at_us = greatest(updated_at_us, %(at)s),
    updated_at_us = greatest(updated_at_us, %(at)s), note = %(note)s WHERE id = %(session)s"""


@dataclass
class Refusals:
    """How often a session's end was refused something, and why the last time: such tries leave no
    order, so they are counted by whoever makes them."""

    count: int = 0
    why: str = ""

    def add(self, why: str) -> None:
        self.count, self.why = self.count + 1, why

    @property
    def are_enough(self) -> bool:
        return self.count >= CLOSING_TRIES_MAX


async def leave(
    pool: AsyncPool,
    presence: Presence,
    session: Session,
    refusals: Refusals,
    open_orders_max: OpenOrdersMax,
) -> bool:
    """The next step; whether it was the last. Called once a second.

    Raises Superseded, DatabaseUnavailable or OutcomeUnknown.
    """
    row = await fetch_one(pool, OPEN_ORDERS, (session.account_id,))
    if row is not None and row[0] and not refusals.are_enough:
        cancelled = await request_cancel_all(pool, session.account_id, None)
        if cancelled.halted:
            refusals.add(f"{', '.join(cancelled.halted)} is halted and cancels no orders")
        return False
    notes = []
    for lots, *columns in await fetch_all(pool, HELD, (session.account_id,)):
        spec = spec_from_row(columns)
        why = await _tried(pool, presence, session, (spec, lots), refusals, open_orders_max)
        if why is None:
            return False
        quantity = format_steps(abs(lots), spec.lot_size)
        left = f"{quantity} {spec.base_asset} in {spec.market_id}"
        notes.append(sentence(f"{left} could not be closed: {why}"))
    if row is not None and row[0]:
        notes.append(sentence(f"{row[0]} orders could not be cancelled: {refusals.why}"))
    await _stopped(pool, presence, session, " ".join(notes) or None)
    return True


async def _tried(
    pool: AsyncPool,
    presence: Presence,
    session: Session,
    position: tuple[MarketSpec, int],
    refusals: Refusals,
    open_orders_max: OpenOrdersMax,
) -> str | None:
    """Try once more to close a position; or why that is no use any more."""
    spec, lots = position
    prefix = f"{OwnName.CLOSE}:{session.session_id.hex}:{spec.market_id}:"
    tried = await fetch_one(pool, TRIES, (session.account_id, spec.market_id, prefix))
    assert tried is not None
    count, in_vain, last_us, reason = tried
    if in_vain >= CLOSING_TRIES_MAX:
        return told(in_vain, Reason(reason))
    if count >= CLOSING_ORDERS_MAX:
        return f"{count} orders have filled a part of it, and no more are sent"
    if refusals.are_enough:
        return refusals.why
    if now_us() - last_us < TRIES_APART_US:
        return None
    async with unit_of_work(pool) as connection:
        await seen(connection, presence)
        wished = lots, f"{prefix}{count}"
        answer = await _closing(connection, session, spec, wished, open_orders_max)
    if isinstance(answer, Refused):
        refusals.add(plain_words(answer))
    return None


async def _closing(
    connection: Connection,
    session: Session,
    spec: MarketSpec,
    wished: tuple[int, str],
    open_orders_max: OpenOrdersMax,
) -> AcceptedOrder | Refused:
    """What the book completes of it, where it does not complete the whole."""
    lots, name = wished
    side, owner = Side.SELL if lots > 0 else Side.BUY, owner_of(session)
    lots = min(abs(lots), spec.max_quantity_lots)
    order = market_order(session.account_id, spec, side, lots, name, True)
    (answer,) = await placed(connection, owner, [order], open_orders_max)
    if not isinstance(answer, Refused) or answer.refusal is not Refusal.INSUFFICIENT_LIQUIDITY:
        return answer
    nearest = (answer.details or {}).get("nearest")
    if nearest is None:
        return answer
    there_is = steps_of(str(nearest), spec)
    order = market_order(session.account_id, spec, side, there_is, name, True)
    (answer,) = await placed(connection, owner, [order], open_orders_max)
    return answer


def steps_of(quantity: str, spec: MarketSpec) -> int:
    """Lots of a quantity that is told as text."""
    return int(Decimal(quantity) / spec.lot_size)


def told(in_vain: int, reason: Reason) -> str:
    """Why orders that filled nothing did not."""
    if reason in (Reason.MARKET_LIQUIDITY_EXHAUSTED, Reason.IOC_UNFILLED):
        return f"{in_vain} orders found nobody in the book to trade with"
    return f"the market ended {in_vain} orders unfilled, the last as {reason.name}"


def sentence(text: str) -> str:
    """With one full stop, be it there already or not."""
    return f"{text.rstrip('.')}."


async def _stopped(pool: AsyncPool, presence: Presence, session: Session, note: str | None) -> None:
    """What the account has is what the session ends with; nobody trades for it any more."""
    async with unit_of_work(pool) as connection:
        await seen(connection, presence)
        if (await connection.execute(LOCK, (session.session_id,))).rowcount != 1:
            return
        await tell_outcomes(connection, session)
        money = await connection.execute(MONEY, (session.account_id, COLLATERAL))
        row = await money.fetchone()
        assert row is not None
        ended = {"final": row[0], "at": now_us(), "note": note, "session": session.session_id}
        await connection.execute(STOP, ended)
        await measure(connection, session)
