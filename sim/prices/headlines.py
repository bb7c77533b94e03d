"""Headlines: what is written about an asset, and who knows which of them are public."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sim.units import PPM

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Headline:
    """One headline.

    at_us        when it becomes public
    score_ppm    how good it is for the asset's price, −PPM to PPM
    weight_ppm   how much its source is listened to, 0 to PPM
    """

    at_us: int
    asset: str
    text: str
    score_ppm: int
    source: str
    weight_ppm: int = PPM


class News(Protocol):
    """Where headlines come from, and what they do to an index."""

    def public(self, since_us: int, until_us: int) -> list[Headline]:
        """Headlines that become public from the one time on and before the other, in order."""

    def moves_ppm(self, asset: str, times_us: Integers) -> Integers:
        """How far they have moved an asset's index at each of some times: int64, as many.

        times_us   int64, not decreasing, at least one
        """


class GivenNews:
    """Headlines that somebody has collected. No index knows of them: none is moved."""

    def __init__(self, headlines: Iterable[Headline] = ()) -> None:
        self._headlines = sorted(headlines, key=lambda one: (one.at_us, one.asset, one.text))

    def public(self, since_us: int, until_us: int) -> list[Headline]:
        """See News."""
        return [one for one in self._headlines if since_us <= one.at_us < until_us]

    def moves_ppm(self, asset: str, times_us: Integers) -> Integers:
        """See News."""
        return np.zeros(len(times_us), np.int64)


def moved_ticks(ticks: Integers, moves_ppm: Integers, max_price_ticks: int) -> Integers:
    """Prices with what news has made of them; int64 arrays of one length."""
    moved: Integers = np.clip(ticks + ticks * moves_ppm // PPM, 1, max_price_ticks)
    return moved
