"""What a backtest of agents leaves beside what every simulation does: how its session went.

Amounts are decimal text, ratios numbers, times in µs since the start; what is undefined is null.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sim.facts.sessions import closed_net_atoms
from sim.market import MarketSpec, average_price_text
from sim.record.run import AgentsRecord, RunRecord
from sim.signals.attribution import AgentShare, attribution
from sim.signals.course import Decision, SessionTrip
from sim.signals.metrics import BacktestMetrics, backtest_metrics
from sim.units import format_atoms, format_steps
from storage.runs.agent_backtests import (
    EQUITY_POINTS_MAX,
    RESULT,
    SESSION,
    TOTAL_RETURN,
    TRADES_MAX,
    thinned,
)

DIGITS = 8
"""Of a ratio, behind the point."""


def with_result(summary: dict[str, Any], record: RunRecord) -> dict[str, Any]:
    """The summary, with how the session went where there is one."""
    session = next((one for one in record.agents if one.name == SESSION), None)
    if session is None or not record.steps:
        return summary
    return {**summary, RESULT: session_result(record, session)}


def session_result(record: RunRecord, session: AgentsRecord) -> dict[str, Any]:
    """Of the first head."""
    trips, course = session.course.trips[0], session.course
    specs = {market.spec.market_id: market.spec for market in record.markets}
    equity = equity_of(record, session)
    metrics = backtest_metrics(closed_net_atoms(trips), [atoms for _, atoms in equity])
    known = {one.number: one for one in course.decisions}
    return {
        TOTAL_RETURN: ratio(metrics.total_return),
        "metrics": metrics_told(metrics, equity[-1][1]),
        "equity": [
            [at_us, format_atoms(atoms)] for at_us, atoms in thinned(equity, EQUITY_POINTS_MAX)
        ],
        "trades": [trade_told(one, specs, known) for one in trips[-TRADES_MAX:]],
        "trade_count": len(trips),
        "agents": [agent_told(one) for one in attribution(course, trips)],
        "decisions": {action: course.actions[action] for action in course.actions},
        "verdicts": {ruling: dict(rules) for ruling, rules in course.verdicts.items()},
    }


def equity_of(record: RunRecord, session: AgentsRecord) -> list[tuple[int, int]]:
    """Times and atoms: the capital, each whole minute, the end."""
    minutes = zip(
        session.course.equity_times_us.tolist(),
        session.course.equity_atoms[:, 0].tolist(),
        strict=True,
    )
    whole = next(one for one in record.strategies if one.name == session.name)
    end_us, end = record.steps * record.step_us, int(whole.trader_pnl_atoms[0])
    between = [(at_us, atoms) for at_us, atoms in minutes if 0 < at_us < end_us]
    return [(0, session.capital_atoms), *between, (end_us, session.capital_atoms + end)]


def metrics_told(metrics: BacktestMetrics, final_atoms: int) -> dict[str, Any]:
    """By the names that they have in answers."""
    session, expected = metrics.session, metrics.expectancy_atoms
    return {
        "final_capital": format_atoms(final_atoms),
        "total_trades": session.total_trades,
        "winning_trades": session.winning_trades,
        "losing_trades": session.losing_trades,
        "win_rate": ratio(session.win_rate),
        "max_drawdown": ratio(session.max_drawdown),
        "sharpe_ratio": ratio(session.sharpe_ratio),
        "sortino_ratio": ratio(metrics.sortino_ratio),
        "calmar_ratio": ratio(metrics.calmar_ratio),
        "profit_factor": ratio(metrics.profit_factor),
        "expectancy": None if expected is None else format_atoms(round(expected)),
    }


def trade_told(
    one: SessionTrip, specs: Mapping[str, MarketSpec], known: Mapping[int, Decision]
) -> dict[str, Any]:
    """A round trip."""
    trip, spec = one.trip, specs[one.market_id]
    is_open = trip.closed_at_us is None
    agents = [vote.agent for vote in one.supporters]
    return {
        "market": one.market_id,
        "side": "LONG" if trip.direction > 0 else "SHORT",
        "entry_us": trip.opened_at_us,
        "entry_price": average_price_text(spec, trip.entry_tick_lots, trip.entry_lots),
        "exit_us": trip.closed_at_us,
        "exit_price": None
        if is_open
        else average_price_text(spec, trip.exit_tick_lots, trip.exit_lots),
        "quantity": format_steps(trip.held_lots if is_open else trip.entry_lots, spec.lot_size),
        "fees": format_atoms(trip.fees_atoms),
        "pnl": format_atoms(one.net_atoms),
        "entry_reason": reason_of(known.get(one.decision), agents),
        "agents": agents,
        "exit_reason": one.reason,
    }


def reason_of(decision: Decision | None, agents: Sequence[str]) -> str:
    """Why it was opened, in a sentence."""
    names = " and ".join(agents) or "nobody"
    if decision is None:
        return f"{names} said so."
    sure = f"confidence {decision.confidence:.2f}, consensus {decision.consensus:.2f}"
    return f"{decision.action} by {names}: {sure}."


def agent_told(share: AgentShare) -> dict[str, Any]:
    """What an agent said, and what came of it."""
    return {
        "agent_name": share.agent,
        "signals": share.signals,
        "decisions_won": share.won,
        "trades": share.trips,
        "trades_pnl": format_atoms(share.trips_net_atoms),
        "pnl": format_atoms(share.share_atoms),
    }


def ratio(value: float | None) -> float | None:
    """As it is told."""
    return None if value is None else round(value, DIGITS)
