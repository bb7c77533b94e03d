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
    voted        of all weight, how much has voted
    asked        how much consensus is asked of so much
    scores       by action: sum of weight × confidence
    agents       who voted, sorted
    """

    action: Action
    leading: Action
    consensus: float
    confidence: float
    share: float
    voted: float
    asked: float
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
    asked = terms.min_consensus * cast
    why = objection((len(present), len(counted)), share, (consensus, asked), confidence, terms)
    action = Action.HOLD if why else leading
    told = (
        f"{len(present)} agents with {shown(100 * share)} % of all weight are present, "
        f"and {len(counted)} with {shown(100 * cast)} % voted: "
        f"BUY scores {shown(scores[Action.BUY])}, "
        f"SELL {shown(scores[Action.SELL])} and HOLD {shown(scores[Action.HOLD])}.",
        f"{leading} leads with a consensus of {shown(consensus)} "
        f"and a confidence of {shown(confidence)}.",
        f"{why or enough(asked, terms)} So it is {action}.",
    )
    agents = tuple(vote.agent for vote in counted)
    reasoning = " ".join(told)
    figures = (consensus, confidence, share, cast, asked)
    return Consensus(action, leading, *figures, scores, agents, reasoning)


def enough(asked: float, terms: VotingTerms) -> str:
    """What the votes meet, as a sentence."""
    return (
        f"A consensus of {shown(asked)} is asked of so much weight, and a confidence of"
        f" {shown(terms.min_confidence)}."
    )


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
    share: float,
    consensus: tuple[float, float],
    confidence: float,
    terms: VotingTerms,
) -> str:
    """The first rule that the votes do not meet, as a sentence; empty where they meet all.

    numbers     how many agents are present, and how many have voted
    share       of all weight, how much is present
    consensus   how much there is, and how much is asked
    """
    found, asked = consensus
    if numbers[0] < terms.min_votes:
        return f"Fewer than {terms.min_votes} agents have said anything."
    if not numbers[1]:
        return "Nobody sees anything to trade on."
    if share < terms.quorum - ROUNDING:
        return f"That is no quorum, which is {shown(terms.quorum)}."
    if found < asked - ROUNDING:
        return f"A consensus of {shown(asked)} is asked of so much weight."
    if confidence < terms.min_confidence - ROUNDING:
        return f"A confidence of {shown(terms.min_confidence)} is asked."
    return ""


def _order(vote: Vote) -> tuple[float, str, float, float, float, str]:
    said = vote.signal
    rest = (said.action, -said.confidence, vote.weight, vote.cycle_s, said.reasoning)
    return (vote.age_s, *rest)


def _score(votes: Sequence[Vote], action: Action) -> float:
    return math.fsum(vote.counts for vote in votes if vote.signal.action is action)
