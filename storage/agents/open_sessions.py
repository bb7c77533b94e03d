"""Sessions that have not stopped, and what a session's account has when something is proposed."""

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
from storage.postgres.unit_of_work import fetch_all, fetch_one
from storage.reading.standing import Standing, standing

DAY_US = 86_400_000_000

SELECT_OPEN = f"SELECT {COLUMNS} FROM trading_sessions WHERE stopped_at_us IS NULL ORDER BY id"
UNSETTLED = """
SELECT s.id FROM trading_sessions s WHERE s.stopped_at_us IS NULL AND (
    EXISTS (SELECT FROM positions p WHERE p.account_id = s.account_id AND p.quantity_lots <> 0)
    OR EXISTS (SELECT FROM decisions d WHERE d.session_id = s.id AND d.outcome = 'PENDING'))"""
IS_BUSY = f"""
SELECT EXISTS (SELECT FROM orders WHERE account_id = %(account)s AND {OPEN}
        AND (order_type <= {OrderType.MARKET:d} OR triggered_at_us > 0))
    OR EXISTS (SELECT FROM decisions WHERE session_id = %(session)s AND order_state = 'WISHED')"""
"""An order that waits for its trigger keeps nobody busy."""

PAST = """
SELECT coalesce((SELECT equity_atoms FROM session_equity
        WHERE session_id = %(session)s AND minute_us >= %(day)s ORDER BY minute_us LIMIT 1),
    (SELECT equity_atoms FROM session_equity
        WHERE session_id = %(session)s ORDER BY minute_us DESC LIMIT 1), %(initial)s),
    greatest((SELECT max(equity_atoms) FROM session_equity WHERE session_id = %(session)s),
        %(initial)s)"""
HISTORY = """
SELECT count(*) FILTER (WHERE net > 0), count(*) FILTER (WHERE net <= 0),
    coalesce(sum(net) FILTER (WHERE net > 0), 0), coalesce(-sum(net) FILTER (WHERE net <= 0), 0)
FROM (SELECT realized_pnl_atoms - fees_atoms AS net FROM round_trips
    WHERE account_id = %s AND closed_at_us IS NOT NULL) closed"""


@dataclass(frozen=True)
class Held:
    """How a session's account stands: its money, and its position in the session's market."""

    session: Session
    stands: Standing
    position_lots: int


async def open_sessions(pool: AsyncPool) -> list[Session]:
    """All that have not stopped."""
    return [found_in(row, row[0]) for row in await fetch_all(pool, SELECT_OPEN)]


async def unsettled(pool: AsyncPool) -> set[UUID]:
    """Those of them that have a position, or decisions of which nobody knows what became."""
    return {row[0] for row in await fetch_all(pool, UNSETTLED)}


async def held_by(pool: AsyncPool, session: Session) -> Held | None:
    """None while an order of the session is under way: nobody knows yet what it has.

    Whether one is under way is read first: what had ended then is in what is read after it.
    """
    values = {"account": session.account_id, "session": session.session_id}
    row = await fetch_one(pool, IS_BUSY, values)
    if row is not None and row[0]:
        return None
    stands = await standing(pool, session.account_id)
    here = here_in(stands, session.market_id)
    return Held(session, stands, 0 if here is None else here.position.quantity_lots)


def here_in(stands: Standing, market_id: str) -> Exposure | None:
    """What an account has in a market."""
    return next((one for one in stands.exposures if one.spec.market_id == market_id), None)


async def account_of(pool: AsyncPool, held: Held, side: Side, sight: BookSight) -> Account:
    """A session's account as the risk agent judges it, before an order of a side."""
    session, stands = held.session, held.stands
    past = {
        "session": session.session_id,
        "initial": session.initial_atoms,
        "day": now_us() // DAY_US * DAY_US,
    }
    equity = await fetch_one(pool, PAST, past)
    history = await fetch_one(pool, HISTORY, (session.account_id,))
    assert equity is not None
    assert history is not None
    perpetual = [one for one in stands.held if one.spec.kind is MarketKind.PERPETUAL]
    return Account(
        equity_atoms=stands.equity_atoms,
        available_atoms=stands.available_atoms,
        day_start_equity_atoms=int(equity[0]),
        peak_equity_atoms=int(equity[1]),
        open_positions=sum(one.position.quantity_lots != 0 for one in perpetual),
        position_lots=held.position_lots,
        affordable_lots=affordable(stands, sight, side),
        history=History(*map(int, history)),
    )


def affordable(stands: Standing, sight: BookSight, side: Side) -> int:
    """The most lots that the account may open there now."""
    spec: MarketSpec = sight.spec
    here = here_in(stands, spec.market_id) or Exposure(spec, sight.mark_ticks)
    money = stands.collateral.total_atoms, stands.collateral.locked_atoms
    opposite = sight.levels[1 if side == Side.BUY else 0]
    return affordable_lots(money, stands.held, here, side, opposite)
