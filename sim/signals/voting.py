"""Many signals become one consensus, for one symbol in one cycle.

Who has a fresh signal is present, and counts for the quorum and the least number of votes. Who
sees nothing to trade on says HOLD with a confidence of 0, and abstains: with one of more than 0 it
votes, HOLD too, and only among votes is a consensus sought. Else those who look for what is rare
would outvote whoever has found something.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sim.signals.signal import Action, Signal, bounded, ratio, shown
from sim.signals.terms import VotingTerms

CYCLES_MAX = 2
"""A signal that is older than so many cycles of its agent does not vote."""

ROUNDING = 1e-9
"""What doubles may miss a tie or a limit by: 0.2 × 0.75 is as much as 0.3 × 0.5."""


@dataclass(frozen=True)
class Vote:
    """An agent's signal, how much it counts, and how old it is."""

    agent: str
    weight: float
    cycle_s: float
    age_s: float
    signal: Signal

    @property
    def is_valid(self) -> bool:
        return 0 <= self.age_s <= CYCLES_MAX * self.cycle_s and self.weight > 0

    @property
    def is_cast(self) -> bool:
        """Whether it says anything; else its agent is only present."""
        return self.signal.confidence > 0

    @property
    def counts(self) -> float:
        return self.weight * self.signal.confidence


@dataclass(frozen=True)
class Consensus:
    """What the agents say together.

    leading      the action with the highest score, which `action` is where nothing speaks against
    consensus    score of `leading` over the weights of those who voted, 0 to 1
    confidence   the mean confidence of those who voted for `leading`, by weight
    share        of all weight, how much is present
    scores       by action: sum of weight × confidence
    agents       who voted, sorted
    """

    action: Action
    leading: Action
    consensus: float
    confidence: float
    share: float
    scores: dict[Action, float]
    agents: tuple[str, ...]
    reasoning: str


def consensus_of(votes: Iterable[Vote], total_weight: float, terms: VotingTerms) -> Consensus:
    """Of the newest valid signal of each agent; `total_weight` is that of all agents."""
    present = newest(votes)
    share = bounded(ratio(math.fsum(vote.weight for vote in present), total_weight))
    counted = [vote for vote in present if vote.is_cast]
    scores = {action: _score(counted, action) for action in Action}
    leading = leader(scores)
    consensus = bounded(ratio(scores[leading], math.fsum(vote.weight for vote in counted)))
    weight = math.fsum(vote.weight for vote in counted if vote.signal.action is leading)
    confidence = bounded(ratio(scores[leading], weight))
    cast = bounded(ratio(math.fsum(vote.weight for vote in counted), total_weight))
    why = objection((len(present), len(counted)), (share, cast), consensus, confidence, terms)
    action = Action.HOLD if why else leading
    told = (
        f"{len(present)} agents with {shown(share)} of all weight are present, "
        f"and {len(counted)} voted: BUY scores {shown(scores[Action.BUY])}, "
        f"SELL {shown(scores[Action.SELL])} and HOLD {shown(scores[Action.HOLD])}.",
        f"{leading} leads with a consensus of {shown(consensus)} "
        f"and a confidence of {shown(confidence)}.",
        f"{why or 'Nothing speaks against it.'} So it is {action}.",
    )
    agents = tuple(vote.agent for vote in counted)
    return Consensus(action, leading, consensus, confidence, share, scores, agents, " ".join(told))


def newest(votes: Iterable[Vote]) -> list[Vote]:
    """One vote of each agent, by name; of signals of one age the same one whatever their order."""
    best: dict[str, Vote] = {}
    for vote in votes:
        if vote.is_valid and (vote.agent not in best or _order(vote) < _order(best[vote.agent])):
            best[vote.agent] = vote
    return [best[agent] for agent in sorted(best)]


def leader(scores: dict[Action, float]) -> Action:
    """The action of the highest score, HOLD on a tie."""
    highest = max(scores.values())
    leaders = [action for action, score in scores.items() if score >= highest - ROUNDING]
    return leaders[0] if len(leaders) == 1 else Action.HOLD


def objection(
    numbers: tuple[int, int],
    shares: tuple[float, float],
    consensus: float,
    confidence: float,
    terms: VotingTerms,
) -> str:
    """The first rule that the votes do not meet, as a sentence; empty where they meet all.

    numbers, shares   how many agents, and how much of all weight, are present and have voted
    """
    present, cast = shares
    least = terms.min_consensus * cast
    if numbers[0] < terms.min_votes:
        return f"Fewer than {terms.min_votes} agents are none."
    if not numbers[1]:
        return "Nobody sees anything to trade on."
    if present < terms.quorum - ROUNDING:
        return f"That is no quorum, which is {shown(terms.quorum)}."
    if consensus < least - ROUNDING:
        return f"A consensus of {shown(least)} is asked of such a share."
    if confidence < terms.min_confidence - ROUNDING:
        return f"A confidence of {shown(terms.min_confidence)} is asked."
    return ""


def _order(vote: Vote) -> tuple[float, str, float, float, float, str]:
    said = vote.signal
    rest = (said.action, -said.confidence, vote.weight, vote.cycle_s, said.reasoning)
    return (vote.age_s, *rest)


def _score(votes: Sequence[Vote], action: Action) -> float:
    return math.fsum(vote.counts for vote in votes if vote.signal.action is action)
