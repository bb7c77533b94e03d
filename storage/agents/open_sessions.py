"""Sessions that have not stopped, and what a session's account has when something is proposed."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sim.market import MarketKind, MarketSpec
from sim.money.affordable import affordable_lots
from sim.money.margin import Exposure
from sim.rows.messages import OrderType, Side
from sim.signals.risk import Account, History
from sim.signals.sights import BookSight
from storage.agents.sessions import COLUMNS, Session, found_in
from storage.order_states import OPEN
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import fetch_all
from storage.reading.standing import Standing, standings

DAY_US = 86_400_000_000

SELECT_OPEN = f"SELECT {COLUMNS} FROM trading_sessions WHERE stopped_at_us IS NULL ORDER BY id"
UNSETTLED = """
SELECT s.id FROM trading_sessions s WHERE s.stopped_at_us IS NULL AND (
    EXISTS (SELECT FROM positions p WHERE p.account_id = s.account_id AND p.quantity_lots <> 0)
    OR EXISTS (SELECT FROM decisions d WHERE d.session_id = s.id AND d.outcome = 'PENDING'))"""
BUSY = f"""
SELECT s.id FROM trading_sessions s WHERE s.id = ANY(%s) AND (
    EXISTS (SELECT FROM orders o WHERE o.account_id = s.account_id AND o.{OPEN}
        AND (o.order_type <= {OrderType.MARKET:d} OR o.triggered_at_us > 0))
    OR EXISTS (SELECT FROM decisions d WHERE d.session_id = s.id AND d.order_state = 'WISHED'))"""
"""An order that waits for its trigger keeps nobody busy."""

PASTS = """
SELECT s.id, coalesce((SELECT equity_atoms FROM session_equity
        WHERE session_id = s.id AND minute_us >= %(day)s ORDER BY minute_us LIMIT 1),
    (SELECT equity_atoms FROM session_equity
        WHERE session_id = s.id ORDER BY minute_us DESC LIMIT 1), s.initial_atoms),
    greatest((SELECT max(equity_atoms) FROM session_equity WHERE session_id = s.id),
        s.initial_atoms),
    h.*
FROM trading_sessions s CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE net > 0), count(*) FILTER (WHERE net <= 0),
        coalesce(sum(net) FILTER (WHERE net > 0), 0),
        coalesce(-sum(net) FILTER (WHERE net <= 0), 0)
    FROM (SELECT realized_pnl_atoms - fees_atoms AS net FROM round_trips
        WHERE account_id = s.account_id AND closed_at_us IS NOT NULL) closed) h
WHERE s.id = ANY(%(sessions)s)"""


@dataclass(frozen=True)
class Held:
    """How a session's account stands: its money, and its position in the session's market."""

    session: Session
    stands: Standing
    position_lots: int


@dataclass(frozen=True)
class Past:
    """What a session's account was worth when its day began and at its best, and its trades."""

    day_start_equity_atoms: int
    peak_equity_atoms: int
    history: History


async def open_sessions(pool: AsyncPool) -> list[Session]:
    """All that have not stopped."""
    return [found_in(row, row[0]) for row in await fetch_all(pool, SELECT_OPEN)]


async def unsettled(pool: AsyncPool) -> set[UUID]:
    """Those of them that have a position, or decisions of which nobody knows what became."""
    return {row[0] for row in await fetch_all(pool, UNSETTLED)}


async def held_by(pool: AsyncPool, sessions: Sequence[Session]) -> list[Held]:
    """Of each but those that have an order under way: nobody knows yet what they have.

    Whether one is under way is read first: what had ended then is in what is read after it.
    """
    rows = await fetch_all(pool, BUSY, ([one.session_id for one in sessions],))
    busy = {row[0] for row in rows}
    idle = [one for one in sessions if one.session_id not in busy]
    found = await standings(pool, [one.account_id for one in idle]) if idle else {}
    return [as_held(one, found[one.account_id]) for one in idle]


def as_held(session: Session, stands: Standing) -> Held:
    """With the position that it has in its market."""
    here = here_in(stands, session.market_id)
    return Held(session, stands, 0 if here is None else here.position.quantity_lots)


def here_in(stands: Standing, market_id: str) -> Exposure | None:
    """What an account has in a market."""
    return next((one for one in stands.exposures if one.spec.market_id == market_id), None)


async def pasts_of(pool: AsyncPool, sessions: Sequence[Session]) -> dict[UUID, Past]:
    """By session."""
    if not sessions:
        return {}
    ids = [one.session_id for one in sessions]
    rows = await fetch_all(pool, PASTS, {"sessions": ids, "day": now_us() // DAY_US * DAY_US})
    return {
        session_id: Past(int(day_start), int(peak), History(*map(int, history)))
        for session_id, day_start, peak, *history in rows
    }


def account_of(held: Held, past: Past, side: Side, sight: BookSight) -> Account:
    """A session's account as the risk agent judges it, before an order of a side."""
    stands = held.stands
    perpetual = [one for one in stands.held if one.spec.kind is MarketKind.PERPETUAL]
    return Account(
        equity_atoms=stands.equity_atoms,
        available_atoms=stands.available_atoms,
        day_start_equity_atoms=past.day_start_equity_atoms,
        peak_equity_atoms=past.peak_equity_atoms,
        open_positions=sum(one.position.quantity_lots != 0 for one in perpetual),
        position_lots=held.position_lots,
        affordable_lots=affordable(stands, sight, side),
        history=past.history,
    )


def affordable(stands: Standing, sight: BookSight, side: Side) -> int:
    """The most lots that the account may open there now."""
    spec: MarketSpec = sight.spec
    here = here_in(stands, spec.market_id) or Exposure(spec, sight.mark_ticks)
    money = stands.collateral.total_atoms, stands.collateral.locked_atoms
    opposite = sight.levels[1 if side == Side.BUY else 0]
    return affordable_lots(money, stands.held, here, side, opposite)
