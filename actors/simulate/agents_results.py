"""Signal agents of a simulation among the figures that --json prints."""

from typing import Any

from sim.facts.sessions import sessions_together
from sim.record.run import AgentsRecord
from sim.signals.attribution import AgentShare
from sim.units import format_atoms


def agents_summary(record: AgentsRecord) -> dict[str, Any]:
    """One population, its sessions together."""
    together, course = sessions_together(record), record.course
    metrics = together.metrics
    return {
        "name": record.name,
        "sessions": len(course.trips),
        "capital": format_atoms(record.capital_atoms),
        "decisions": {str(action): count for action, count in course.actions.items()},
        "decisions_kept": len(course.decisions),
        "realised": format_atoms(together.realised_atoms),
        "round_trips": metrics.total_trades,
        "winning_round_trips": metrics.winning_trades,
        "losing_round_trips": metrics.losing_trades,
        "win_rate": metrics.win_rate,
        "max_drawdown": metrics.max_drawdown,
        "sharpe": metrics.sharpe_ratio,
        "attribution": [_share(one) for one in together.shares],
    }


def _share(share: AgentShare) -> dict[str, Any]:
    return {
        "agent": share.agent,
        "signals": share.signals,
        "votes_won": share.won,
        "round_trips": share.trips,
        "round_trips_pnl": format_atoms(share.trips_net_atoms),
        "pnl": format_atoms(share.share_atoms),
    }
