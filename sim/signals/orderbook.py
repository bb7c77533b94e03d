"""The orderbook agent: which side of the book is heavier, and whether it can be believed."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from sim.signals import books
from sim.signals.books import Look
from sim.signals.candles import Floats
from sim.signals.signal import Action, Part, Signal, bounded, leaning, mixed, quiet, said, shown
from sim.signals.terms import OrderbookTerms


def signal_of(looks: Sequence[Look], terms: OrderbookTerms) -> Signal:
    """Of the looks of the last seconds, the newest last."""
    cut = [Look(look.time_s, look.book.top(terms.levels)) for look in looks]
    middle = cut[-1].book.middle if cut else None
    if middle is None:
        sentences = ("There is no book with two sides.", "Without one it holds.")
        return said(Action.HOLD, 0.0, {}, *sentences)
    gone = books.vanished(cut, terms.large_times, terms.vanishing_s)
    pressures = pressures_of(cut[-1], middle, gone, terms)
    parts = [part_of(name, *pressure, terms) for name, pressure in pressures.items()]
    numbers = {f"{name}_excess": pressure for name, (pressure, _) in pressures.items()}
    numbers["vanished_levels"] = sum(gone)
    mix = mixed(parts, numbers, _sentences(numbers, terms))
    return replace(mix, confidence=mix.confidence * (1 - bounded(sum(gone) / terms.vanished_max)))


def pressures_of(
    look: Look, middle: float, gone: tuple[int, int], terms: OrderbookTerms
) -> dict[str, tuple[float, float]]:
    """By name: the excess of bids, −1 to 1, and its weight.

    What has vanished from a side was never meant, so it counts for the other.
    """
    sides = look.book.bids, look.book.asks
    mean_size = books.mean_order_size(look.book)

    def excess_of(chosen: Callable[[Floats], Floats]) -> float:
        return books.excess(*(books.size_of(chosen(side)) for side in sides))

    return {
        "imbalance": (excess_of(lambda side: side), terms.imbalance_weight),
        "walls": (
            excess_of(lambda side: books.walls(side, middle, terms.wall_share, terms.wall_reach)),
            terms.walls_weight,
        ),
        "large": (
            excess_of(lambda side: books.large(side, mean_size, terms.large_times)),
            terms.large_weight,
        ),
        "vanishing": (books.excess(gone[1], gone[0]), terms.vanishing_weight),
    }


def part_of(name: str, pressure: float, weight: float, terms: OrderbookTerms) -> Part:
    if abs(pressure) < terms.threshold:
        return quiet(name, weight)
    return leaning(name, weight, pressure, abs(pressure))


def _sentences(numbers: dict[str, float], terms: OrderbookTerms) -> tuple[str, ...]:
    imbalance, walls, large, vanishing, gone = map(shown, numbers.values())
    return (
        f"Of {terms.levels} levels the excess of bids is {imbalance} "
        f"(−1 to 1, it speaks from {shown(terms.threshold)}).",
        f"In walls it is {walls}, in large orders {large}.",
        f"Large levels that vanished: {gone}, with an excess of {vanishing}; "
        f"{terms.vanished_max} make the book unbelievable.",
    )
