"""Whom a result comes from."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from sim.signals.attribution import shares_of
from sim.signals.course import CastVote
from sim.signals.signal import Action

CONFIDENCES = st.floats(0.001, 1)
VOTES = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d", "e"]), st.tuples(CONFIDENCES, CONFIDENCES), min_size=1
)


def votes_of(counts: dict[str, tuple[float, float]]) -> list[CastVote]:
    return [CastVote(name, *one[:1], Action.BUY, one[1]) for name, one in counts.items()]


@given(st.integers(-(10**15), 10**15), VOTES)
def test_shares_are_the_whole_to_the_atom_and_fair_to_an_atom(
    atoms: int, counts: dict[str, tuple[float, float]]
) -> None:
    votes = votes_of(counts)
    shares = shares_of(atoms, votes)
    assert sum(shares.values()) == atoms
    total = sum(Fraction(vote.counts) for vote in votes)
    for vote in votes:
        assert abs(shares[vote.agent] - atoms * Fraction(vote.counts) / total) < 1


def test_what_is_left_over_goes_to_the_largest_remainder_then_by_name() -> None:
    alike = votes_of({"b": (0.5, 0.5), "a": (0.5, 0.5), "c": (0.5, 0.5)})
    assert shares_of(-10, alike) == {"b": -3, "a": -4, "c": -3}
    apart = votes_of({"a": (0.25, 1.0), "b": (0.75, 1.0)})
    assert shares_of(3, apart) == {"a": 1, "b": 2}
