"""What the orderbook agent makes of books made by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.signals import books
from sim.signals.books import Book, Look
from sim.signals.orderbook import pressures_of, signal_of
from sim.signals.signal import Action
from sim.signals.terms import OrderbookTerms
from tests.sim.agents_markets import SIZES, assert_sound, book_of

TERMS = OrderbookTerms()
EVEN = [1.0] * 20


def seen(*looks: Book) -> list[Look]:
    return [Look(float(place), book) for place, book in enumerate(looks)]


def pressures(*looks: Book) -> dict[str, float]:
    cut = seen(*looks)
    gone = books.vanished(cut, TERMS.large_times, TERMS.vanishing_s)
    found = pressures_of(cut[-1], 100.0, gone, TERMS)
    return {name: pressure for name, (pressure, _) in found.items()}


def test_the_heavier_side_is_followed() -> None:
    for bids, asks, action in ((4.0, 1.0, Action.BUY), (1.0, 4.0, Action.SELL)):
        signal = signal_of(seen(book_of([bids] * 20, [asks] * 20)), TERMS)
        assert signal.action is action
        assert signal.numbers["imbalance_excess"] == pytest.approx(0.6 if bids > asks else -0.6)
    assert signal_of(seen(book_of(EVEN, EVEN)), TERMS).action is Action.HOLD


def test_only_so_many_levels_are_looked_at() -> None:
    deep = book_of([*EVEN, 1e6], EVEN)
    assert signal_of(seen(deep), TERMS) == signal_of(seen(book_of(EVEN, EVEN)), TERMS)


def test_a_wall_is_near_and_holds_more_than_its_share() -> None:
    near = book_of([1.0] * 10 + [3.0] + [1.0] * 9, EVEN)
    assert pressures(near)["walls"] == 1
    far = book_of([1.0] * 10 + [3.0] + [1.0] * 9, EVEN, step=0.2)
    assert pressures(far)["walls"] == 0
    assert pressures(book_of(EVEN, EVEN))["walls"] == 0, "a twentieth is no wall"


def test_a_large_order_is_many_mean_orders() -> None:
    book = book_of(EVEN, [1.0] * 19 + [10.0])
    assert pressures(book)["large"] == -1
    assert pressures(book_of(EVEN, [1.0] * 19 + [4.0]))["large"] == 0
    many = book_of(EVEN, [1.0] * 19 + [10.0])
    many.asks[19, 2] = 10
    assert pressures(many)["large"] == 0, "ten orders of one each"


def test_a_large_order_that_vanishes_counts_for_the_other_side() -> None:
    before, after = book_of([1.0, 10.0, *EVEN], EVEN), book_of([1.0, *EVEN], EVEN)
    after.bids[1:, 0] -= 0.01
    assert pressures(before, after)["vanishing"] == -1
    assert pressures(before, before)["vanishing"] == 0
    seven_later = [Look(0, before), Look(7, after)]
    assert books.vanished(seven_later, 5, 5) == (0, 0)


def test_a_level_that_was_traded_through_has_not_vanished() -> None:
    before, after = book_of([10.0, *EVEN], EVEN), book_of(EVEN, EVEN)
    after.bids[:, 0] -= 0.01
    assert books.vanished(seen(before, after), 5, 5) == (0, 0)


def test_five_that_vanished_leave_no_confidence() -> None:
    before = book_of([10.0 if place % 4 == 1 else 1.0 for place in range(20)], EVEN, step=0.02)
    bids = before.bids[before.bids[:, 1] == 1]
    bids[:, 1] = 50.0
    looks = seen(before, Book(bids, before.asks))
    assert books.vanished(looks, 3, 5) == (5, 0)
    signal = signal_of(looks, OrderbookTerms(large_times=3))
    assert (signal.action, signal.confidence) == (Action.BUY, 0)


def test_without_two_sides_it_holds() -> None:
    for looks in ([], seen(book_of([], EVEN)), seen(book_of(EVEN, []))):
        signal = signal_of(looks, TERMS)
        assert (signal.action, signal.confidence) == (Action.HOLD, 0)
        assert_sound(signal)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(SIZES, SIZES), max_size=3))
def test_whatever_the_books_the_signal_can_be_checked(
    sides: list[tuple[list[float], list[float]]],
) -> None:
    signal = signal_of(seen(*(book_of(bids, asks) for bids, asks in sides)), TERMS)
    assert_sound(signal)
    mirrored = signal_of(seen(*(book_of(asks, bids) for bids, asks in sides)), TERMS)
    assert mirrored.confidence == pytest.approx(signal.confidence) or Action.HOLD in (
        *(mirrored.action, signal.action),
    )
