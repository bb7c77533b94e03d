"""How a ladder's value is divided: a rung's weight by its distance from the signal's bucket.

Weights are integers; only their ratios count.
"""

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum

GAUSSIAN_SCALE = 1_000_000
EXACT_ENOUGH = Context(prec=40)
"""Exponentials of decimals are the same on every machine, those of doubles are not."""


class FundingCurve(StrEnum):
    LINEAR = "LINEAR"
    FLAT = "FLAT"
    EXPONENTIAL = "EXPONENTIAL"
    GAUSSIAN = "GAUSSIAN"
    BID_ASK = "BID_ASK"


def weights(curve: FundingCurve, distances: Sequence[int]) -> list[int]:
    """One for each of a ladder's rungs."""
    return WEIGHTS[curve](distances)


def _linear(distances: Sequence[int]) -> list[int]:
    farthest = max(distances, default=0)
    return [farthest + 1 - distance for distance in distances]


def _flat(distances: Sequence[int]) -> list[int]:
    return [1 for _ in distances]


def _exponential(distances: Sequence[int]) -> list[int]:
    """2**−d, times 2 to the farthest."""
    farthest = max(distances, default=0)
    return [1 << (farthest - distance) for distance in distances]


def _gaussian(distances: Sequence[int]) -> list[int]:
    """A bell of which a quarter of the rungs is the standard deviation."""
    return [_bell(distance, len(distances)) for distance in distances]


def _bell(distance: int, rungs: int) -> int:
    exponent = EXACT_ENOUGH.divide(Decimal(-8 * distance * distance), Decimal(rungs * rungs))
    height = EXACT_ENOUGH.multiply(Decimal(GAUSSIAN_SCALE), EXACT_ENOUGH.exp(exponent))
    return int(height.to_integral_value(ROUND_HALF_EVEN))


def _bid_ask(distances: Sequence[int]) -> list[int]:
    return [distance + 1 for distance in distances]


WEIGHTS: dict[FundingCurve, Callable[[Sequence[int]], list[int]]] = {
    FundingCurve.LINEAR: _linear,
    FundingCurve.FLAT: _flat,
    FundingCurve.EXPONENTIAL: _exponential,
    FundingCurve.GAUSSIAN: _gaussian,
    FundingCurve.BID_ASK: _bid_ask,
}
