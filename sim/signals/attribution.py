"""Which agents a result comes from: each round trip is shared among those who voted for its
entry, by weight × confidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sim.signals.course import AgentsCourse, CastVote, SessionTrip


@dataclass(frozen=True)
class AgentShare:
    """One agent.

    signals          that it gave, HOLD or not
    won              decisions that were not HOLD, for which it voted
    trips            whose entry it voted for, and what these came to in all, net of fees
    share_atoms      its part of that; all agents' parts are what the sessions realised, net of fees
    """

    agent: str
    signals: int
    won: int
    trips: int
    trips_net_atoms: int
    share_atoms: int


def attribution(course: AgentsCourse, trips: Sequence[SessionTrip]) -> tuple[AgentShare, ...]:
    """Of every agent, by the round trips of one session or of several."""
    supported: dict[str, list[SessionTrip]] = {agent: [] for agent in course.spoken}
    parts = dict.fromkeys(course.spoken, 0)
    for trip in trips:
        for agent, atoms in shares_of(trip.net_atoms, trip.supporters).items():
            supported[agent].append(trip)
            parts[agent] += atoms
    return tuple(
        AgentShare(
            agent,
            sum(counts.values()),
            course.won[agent],
            len(supported[agent]),
            sum(trip.net_atoms for trip in supported[agent]),
            parts[agent],
        )
        for agent, counts in course.spoken.items()
    )


def shares_of(atoms: int, supporters: Sequence[CastVote]) -> Mapping[str, int]:
    """An amount in whole atoms, by what each vote counts. Atoms that are left over go to the
    largest remainders, of those that are alike to the first by name."""
    counts = {vote.agent: Fraction(vote.counts) for vote in supporters}
    total = sum(counts.values(), Fraction(0))
    sign, exact = (1 if atoms >= 0 else -1), abs(atoms)
    wished = {agent: exact * count / total for agent, count in counts.items()}
    whole = {agent: one.numerator // one.denominator for agent, one in wished.items()}
    left = exact - sum(whole.values())
    by_rest = sorted(wished, key=lambda agent: (whole[agent] - wished[agent], agent))
    for agent in by_rest[:left]:
        whole[agent] += 1
    return {agent: sign * one for agent, one in whole.items()}
