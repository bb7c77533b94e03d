"""How many signals become one consensus."""

import math
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.signals.signal import Action, Signal
from sim.signals.terms import VotingTerms
from sim.signals.voting import Vote, consensus_of

BUY, SELL, HOLD = Action.BUY, Action.SELL, Action.HOLD
WEIGHTS = {
    "technical": 0.25,
    "orderbook": 0.20,
    "sentiment": 0.15,
    "trend": 0.30,
    "reversion": 0.25,
    "arbitrage": 0.20,
}
TOTAL = math.fsum(WEIGHTS.values())
TERMS, LAX = VotingTerms(), VotingTerms(min_consensus=0)


def vote(agent: str, action: Action, confidence: float = 0.9, age_s: float = 0) -> Vote:
    return Vote(agent, WEIGHTS[agent], 60, age_s, Signal(action, confidence, {}, "Because. So."))


def all_say(action: Action, confidence: float = 0.9) -> list[Vote]:
    return [vote(agent, action, confidence) for agent in WEIGHTS]


def test_what_all_say_is_the_consensus() -> None:
    found = consensus_of(all_say(BUY), TOTAL, TERMS)
    assert (found.action, found.agents) == (BUY, tuple(sorted(WEIGHTS)))
    assert found.consensus == pytest.approx(0.9)
    assert found.confidence == pytest.approx(0.9)
    assert found.share == pytest.approx(1)
    assert found.scores[BUY] == pytest.approx(0.9 * TOTAL)


def test_nobody_votes_for_nothing() -> None:
    found = consensus_of([], TOTAL, TERMS)
    assert (found.action, found.consensus, found.confidence, found.share) == (HOLD, 0, 0, 0)
    assert found.agents == ()


def test_a_tie_is_held_even_where_doubles_miss_it() -> None:
    tied = [vote("trend", BUY, 0.5), vote("orderbook", SELL, 0.75)]
    assert 0.3 * 0.5 != 0.2 * 0.75
    lax = VotingTerms(quorum=0, min_confidence=0, min_consensus=0)
    assert consensus_of(tied, TOTAL, lax).leading is HOLD
    tied[0] = vote("trend", BUY, 0.51)
    assert consensus_of(tied, TOTAL, lax).action is BUY


def test_a_quorum_of_weight_is_asked() -> None:
    few = [vote(agent, BUY) for agent in ("technical", "orderbook", "trend")]
    found = consensus_of(few, TOTAL, TERMS)
    assert (found.action, found.leading) == (HOLD, BUY)
    assert "quorum" in found.reasoning
    exactly = consensus_of(few, 1.25, TERMS)
    assert exactly.share == pytest.approx(0.6)
    assert exactly.action is BUY


def test_one_agent_is_none_and_one_who_finds_something_among_others_is_heard() -> None:
    assert consensus_of([vote("trend", BUY)], 0.3, TERMS).action is HOLD
    assert consensus_of([vote("trend", BUY)], 0.3, VotingTerms(min_votes=1)).action is BUY
    idle = [vote(agent, HOLD, 0.0) for agent in WEIGHTS if agent != "trend"]
    assert consensus_of([vote("trend", BUY), *idle], TOTAL, TERMS).action is BUY
    assert "Nobody sees anything" in consensus_of(idle, TOTAL, TERMS).reasoning


def test_less_consensus_is_asked_of_a_smaller_share() -> None:
    votes = [vote("technical", BUY), vote("trend", BUY), vote("reversion", HOLD, 0.1)]
    found = consensus_of(votes, TOTAL / 1.05, TERMS)
    assert found.consensus == pytest.approx(0.55 * 0.9 / 0.8)
    assert found.action is BUY
    strict = VotingTerms(min_consensus=1)
    assert consensus_of(votes, 0.8, strict).action is HOLD


def test_those_who_agree_must_be_confident() -> None:
    assert consensus_of(all_say(SELL, 0.49), TOTAL, LAX).action is HOLD
    assert consensus_of(all_say(SELL, 0.5), TOTAL, LAX).action is SELL


def test_who_abstains_makes_the_quorum_and_outvotes_nobody() -> None:
    seen = [vote("trend", BUY, 0.6), vote("orderbook", BUY, 0.6)]
    idle = [vote(agent, HOLD, 0.0) for agent in ("technical", "sentiment", "reversion")]
    assert consensus_of(seen, TOTAL, TERMS).action is HOLD
    found = consensus_of([*seen, *idle], TOTAL, TERMS)
    assert (found.action, found.agents) == (BUY, ("orderbook", "trend"))
    assert found.share == pytest.approx(1.15 / TOTAL)
    assert found.consensus == pytest.approx(0.6)
    against = [replace(one, signal=vote("trend", HOLD, 0.6).signal) for one in idle]
    assert consensus_of([*seen, *against], TOTAL, TERMS).action is HOLD


def test_an_agent_votes_once_with_its_newest_signal() -> None:
    old = [vote(agent, SELL, 1.0, age_s=30) for agent in WEIGHTS] * 3
    found = consensus_of([*old, *all_say(BUY)], TOTAL, TERMS)
    assert (found.action, found.scores[SELL]) == (BUY, 0)


def test_a_signal_older_than_two_cycles_does_not_vote() -> None:
    assert consensus_of([vote("trend", BUY, age_s=120)], TOTAL, TERMS).agents == ("trend",)
    assert consensus_of([vote("trend", BUY, age_s=120.1)], TOTAL, TERMS).agents == ()
    silenced = replace(vote("trend", BUY), weight=0.0)
    assert consensus_of([silenced], TOTAL, TERMS).agents == ()


VOTES = st.lists(
    st.builds(
        vote,
        st.sampled_from(sorted(WEIGHTS)),
        st.sampled_from(Action),
        st.floats(0, 1),
        st.sampled_from([0.0, 1.0, 119.0, 121.0]),
    ),
    max_size=15,
)


@settings(max_examples=200, deadline=None)
@given(VOTES, st.integers(0, 2**32))
def test_the_order_of_votes_changes_nothing(votes: list[Vote], seed: int) -> None:
    found = consensus_of(votes, TOTAL, TERMS)
    shuffled = list(votes)
    Random(seed).shuffle(shuffled)
    assert consensus_of(shuffled, TOTAL, TERMS) == found
    for value in (found.consensus, found.confidence, found.share):
        assert 0 <= value <= 1
    assert found.action in (found.leading, HOLD)
    if found.action is not HOLD:
        assert found.share >= 0.6 - 1e-6
        assert found.confidence >= TERMS.min_confidence - 1e-6
        assert found.scores[found.action] > max(
            score for action, score in found.scores.items() if action is not found.action
        )
