"""Stop loss and take profit of a session's open position: reduce-only orders that lie in the market
and wait for mark. When the position is gone the market ends them, for nothing is left to reduce."""

from collections.abc import Iterator, Mapping

from sim.market import MarketSpec
from sim.money.round_trips import RoundTrip
from sim.orders import PlaceOrder
from sim.refusals import Refused
from sim.rows.messages import OrderType, Side
from sim.signals.steps import lacking_exits
from sim.signals.terms import RiskTerms
from storage.agents.presence import Presence, seen
from storage.agents.round_trips import OPEN_TRIP
from storage.agents.session_orders import leaving_order, owner_of, placed
from storage.agents.sessions import Session
from storage.intake.accept_state import OpenOrdersMax
from storage.intake.session_accounts import OwnName, SessionStatus
from storage.market.markets import SPEC_COLUMNS, spec_from_row
from storage.order_states import ENDED, OPEN
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, unit_of_work

LOCK = "SELECT status FROM trading_sessions WHERE id = %s FOR UPDATE"
SPEC = f"SELECT {SPEC_COLUMNS} FROM markets WHERE market_id = %s"
NAMES = {OrderType.STOP: OwnName.STOP, OrderType.TAKE_PROFIT: OwnName.TAKE}
KINDS = ", ".join(f"{kind:d}" for kind in NAMES)
LEFT = f"""
SELECT order_type, coalesce(sum(quantity_lots - filled_lots) FILTER (WHERE {OPEN}), 0),
    count(*) FILTER (WHERE {ENDED})
FROM orders
WHERE account_id = %s AND market_id = %s AND id > %s AND reduce_only AND order_type IN ({KINDS})
GROUP BY order_type"""
"""Of what protects a position: lots that are left, and how many have ended; since it was opened."""


async def protect(
    pool: AsyncPool,
    presence: Presence,
    session: Session,
    terms: RiskTerms,
    open_orders_max: OpenOrdersMax,
) -> list[str]:
    """Place what an open position lacks; why that was refused, if it was.

    Raises Superseded, DatabaseUnavailable or OutcomeUnknown.
    """
    async with unit_of_work(pool) as connection:
        await seen(connection, presence)
        status = await (await connection.execute(LOCK, (session.session_id,))).fetchone()
        if status is None or not SessionStatus(status[0]).trades:
            return []
        place = (session.account_id, session.market_id)
        row = await (await connection.execute(OPEN_TRIP, place)).fetchone()
        if row is None:
            return []
        orders = await _lacking(connection, session, RoundTrip(*row), terms)
        answers = await placed(connection, owner_of(session), orders, open_orders_max)
    return [answer.message for answer in answers if isinstance(answer, Refused)]


async def _lacking(
    connection: Connection, session: Session, trip: RoundTrip, terms: RiskTerms
) -> list[PlaceOrder]:
    row = await (await connection.execute(SPEC, (session.market_id,))).fetchone()
    assert row is not None
    spec = spec_from_row(row)
    values = (session.account_id, session.market_id, trip.first_order_id)
    rows = await (await connection.execute(LEFT, values)).fetchall()
    left = {OrderType(kind): (int(lots), int(ended)) for kind, lots, ended in rows}
    return list(lacking_orders(session.account_id, spec, trip, left, terms))


def lacking_orders(
    account_id: int,
    spec: MarketSpec,
    trip: RoundTrip,
    left: Mapping[OrderType, tuple[int, int]],
    terms: RiskTerms,
) -> Iterator[PlaceOrder]:
    """Whatever ended without closing the position is placed anew, under another name."""
    side = Side.SELL if trip.direction > 0 else Side.BUY
    held = (trip.held_lots, trip.direction, trip.entry_tick_lots // trip.entry_lots)
    left_lots = {kind: lots for kind, (lots, _) in left.items()}
    for kind, ticks, missing in lacking_exits(held, left_lots, spec, terms):
        ended = left[kind][1] if kind in left else 0
        name = f"{NAMES[kind]}:{trip.opened_fill_id}:{ended}:{trip.last_fill_id}"
        yield leaving_order(account_id, spec, side, missing, name, (kind, ticks))
