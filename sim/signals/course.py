"""What signal agents and their sessions leave behind of a run: decisions, verdicts, round trips."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from sim.identity import identity
from sim.money.round_trips import RoundTrip
from sim.signals.candles import Integers
from sim.signals.risk import Rule, Ruling
from sim.signals.signal import Action
from sim.signals.steps import ExitReason, Step
from sim.signals.voting import Vote


@dataclass(frozen=True)
class CastVote:
    """What an agent said where a decision was made, and its weight."""

    agent: str
    weight: float
    action: Action
    confidence: float

    @property
    def counts(self) -> float:
        """Its share of what was decided, beside others' who said the same."""
        return self.weight * self.confidence


@dataclass(frozen=True)
class GivenVerdict:
    """The risk agent's word on what the session of one head would do."""

    head: int
    step: Step
    ruling: Ruling
    rule: Rule
    quantity_lots: int


@dataclass(frozen=True)
class Decision:
    """A consensus, and the verdicts on what sessions would do on it.

    number   of all decisions of the run, from 0 on
    scores   by action
    votes    those that were cast
    """

    number: int
    time_us: int
    market_id: str
    action: Action
    confidence: float
    consensus: float
    scores: Mapping[Action, float]
    votes: tuple[CastVote, ...]
    verdicts: tuple[GivenVerdict, ...]

    @property
    def winners(self) -> tuple[CastVote, ...]:
        """Who voted for what was decided."""
        return tuple(vote for vote in self.votes if vote.action is self.action)


@dataclass(frozen=True)
class SessionTrip:
    """A round trip of a session, and who voted for its entry.

    decision   the number of the one that opened it
    reason     why it was closed; None while it is open
    """

    market_id: str
    trip: RoundTrip
    decision: int
    supporters: tuple[CastVote, ...]
    reason: ExitReason | None

    @property
    def net_atoms(self) -> int:
        """What it came to, net of fees; of an open one what is settled so far."""
        return self.trip.realized_pnl_atoms - self.trip.fees_atoms


@dataclass(frozen=True, eq=False)
class AgentsCourse:
    """All that one population of signal agents leaves.

    decisions          the oldest of `decided`
    actions            how many decisions of each action
    verdicts           by ruling, how many of all heads each rule gave; rules in the order of Rule
    spoken             by agent, how many signals of each action
    won                by agent, in how many decisions that were not HOLD it voted for them
    trips              of each head, in the order of their closing, an open one last
    equity_times_us    int64 (samples,), once a minute
    equity_atoms       int64 (samples, heads)
    """

    decisions: tuple[Decision, ...]
    decided: int
    actions: Mapping[Action, int]
    verdicts: Mapping[Ruling, Mapping[Rule, int]]
    spoken: Mapping[str, Mapping[Action, int]]
    won: Mapping[str, int]
    trips: tuple[tuple[SessionTrip, ...], ...]
    equity_times_us: Integers
    equity_atoms: Integers

    @property
    def digest(self) -> bytes:
        """Of all that happened, in words and whole numbers: how sure somebody was is not in it."""
        decided = tuple(
            (one.number, one.time_us, one.market_id, one.action, one.verdicts)
            for one in self.decisions
        )
        trips = tuple(
            tuple((one.market_id, one.trip, one.decision, one.reason) for one in of_head)
            for of_head in self.trips
        )
        spoken = [(agent, sorted(said.items())) for agent, said in sorted(self.spoken.items())]
        counts = (self.decided, sorted(self.actions.items()), spoken, sorted(self.won.items()))
        text = identity((decided, counts, trips))
        equity = np.concatenate([self.equity_times_us, self.equity_atoms.ravel()])
        return blake2b(text.encode() + equity.astype("<i8").tobytes(), digest_size=32).digest()


def cast_of(vote: Vote) -> CastVote:
    """A vote as it is remembered."""
    return CastVote(vote.agent, vote.weight, vote.signal.action, vote.signal.confidence)
