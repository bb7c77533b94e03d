"""How sessions of signal agents did: their metrics together, and which agents that comes from."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.record.run import AgentsRecord
from sim.signals.attribution import AgentShare, attribution
from sim.signals.course import SessionTrip
from sim.signals.metrics import SessionMetrics, metrics_of


@dataclass(frozen=True)
class SessionsTogether:
    """All heads of a population as one account.

    realised_atoms   net of fees, open positions' settled parts included: the sum of all shares
    """

    metrics: SessionMetrics
    realised_atoms: int
    shares: tuple[AgentShare, ...]


def sessions_together(record: AgentsRecord) -> SessionsTogether:
    """Of one population."""
    course = record.course
    trips = [trip for several in course.trips for trip in several]
    equity_atoms = [sum(row) for row in course.equity_atoms.tolist()]
    return SessionsTogether(
        metrics=metrics_of(closed_net_atoms(trips), equity_atoms),
        realised_atoms=sum(trip.net_atoms for trip in trips),
        shares=attribution(course, trips),
    )


def closed_net_atoms(trips: Sequence[SessionTrip]) -> list[int]:
    """What each round trip came to that is over."""
    return [trip.net_atoms for trip in trips if trip.trip.closed_at_us is not None]
