"""Random numbers that belong to traders, not to whoever computes them.

Every draw is a hash of seed, strategy, market, life, trader and step (hashed_draws.py), so a
trader draws the same however a strategy is spread over actors, and nobody keeps a state.

Who acts in a step is drawn for blocks of traders: from one who wakes to the next the gap is
geometric, which is the same as asking each trader with the same chance and costs only as much
as there are traders awake (Devroye, "Non-uniform random variate generation", 1986, XII.2).
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sim.rows import hashed_draws, kernels
from sim.rows.hashed_draws import DRAW_BITS, DRAWS_PER_WORD, first_word, key_of, later_word, piece
from sim.rows.kernels import Number, cached_kernel, inlined
from sim.units import PPM

Integers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

BLOCK_TRADERS = 4096
"""Traders who share one row of gaps. A part of a population begins at a multiple of it."""

UNIT_BITS = DRAW_BITS
UNIT = 1 << UNIT_BITS
"""Draws are uniform integers from 0 to UNIT − 1."""

BIRTH_STEP = 2**62
"""The step in which traders draw the character they keep for ever."""

BLOCK_DOMAIN, TRADER_DOMAIN = 1, 2
GAP_BITS = 63
HALF = np.uint64(1)
GUIDE_PARTS = 256
GUIDE_BITS = np.uint64(GAP_BITS - 8)

STEPS_SEARCHED_MAX = 4096
"""How far ahead somebody who wakes is looked for at a time."""


@inlined
def gap_of(word: Number, thresholds: Words, guide: Integers) -> Number:
    """How many traders sleep before the next who wakes: as many as there are thresholds above
    the word's upper 63 bits. The guide says between which places to look."""
    drawn = word >> HALF
    part = np.int64(drawn >> GUIDE_BITS)
    low, high = guide[part + 1], guide[part]
    while low < high:
        middle = (low + high) >> 1
        if thresholds[middle] > drawn:
            low = middle + 1
        else:
            high = middle
    return low


@cached_kernel(hashed_draws, kernels)
def wake_places(
    places: Integers,
    thresholds: Words,
    guide: Integers,
    key: np.uint64,
    first_block: int,
    step: int,
) -> Number:
    """Write who wakes, ascending, into `places`, int64 (traders,); answers how many."""
    awake = 0
    for first in range(0, len(places), BLOCK_TRADERS):
        stop = min(first + BLOCK_TRADERS, len(places))
        word = first_word(key, first_block + first // BLOCK_TRADERS, step)
        place = first + gap_of(word, thresholds, guide)
        while place < stop:
            places[awake] = place
            awake += 1
            word = later_word(word, 1)
            place += 1 + gap_of(word, thresholds, guide)
    return awake


@cached_kernel(hashed_draws, kernels)
def next_awake(
    thresholds: Words, key: np.uint64, first_block: int, traders: int, after: int, stop: int
) -> Number:
    """The first step from after + 1 on in which anybody wakes; `stop` where there is none."""
    for step in range(after + 1, stop):
        for first in range(0, traders, BLOCK_TRADERS):
            word = first_word(key, first_block + first // BLOCK_TRADERS, step)
            if word >> HALF >= thresholds[min(BLOCK_TRADERS, traders - first) - 1]:
                return step
    return stop


@cached_kernel(hashed_draws, kernels)
def write_draws(draws: Integers, places: Integers, key: np.uint64, first: int, step: int) -> None:
    """Draws of the traders at `places`, (n, 4 × words), whose first is trader `first`."""
    for row in range(len(places)):
        first_of_all = first_word(key, first + places[row], step)
        word = first_of_all
        for column in range(draws.shape[1]):
            if column and column % DRAWS_PER_WORD == 0:
                word = later_word(first_of_all, column // DRAWS_PER_WORD)
            draws[row, column] = piece(word, column % DRAWS_PER_WORD)


@lru_cache(maxsize=512)
def gap_thresholds(activity_ppm: int) -> Words:
    """2**63 × the chance that more than k traders in a row sleep: uint64 (BLOCK_TRADERS,)."""
    chance, found = 1 << GAP_BITS, []
    for _ in range(BLOCK_TRADERS):
        chance = chance * (PPM - activity_ppm) // PPM
        found.append(chance)
    thresholds = np.array(found, np.uint64)
    thresholds.flags.writeable = False
    return thresholds


@lru_cache(maxsize=512)
def gap_guide(activity_ppm: int) -> Integers:
    """For each of GUIDE_PARTS equal parts of the range of draws: how many thresholds are at least
    its lower end, int64 (GUIDE_PARTS + 1,)."""
    falling, parts = gap_thresholds(activity_ppm), np.arange(GUIDE_PARTS + 1, dtype=np.uint64)
    lower_ends = parts << GUIDE_BITS
    guide = np.searchsorted(~falling, ~lower_ends, side="right").astype(np.int64)
    guide.flags.writeable = False
    return guide


class Dice:
    """The draws of a run of traders.

    seed           of the world, 0 to 2**64 − 1
    stream         number of the strategy, 0 to 2**32 − 1
    first_trader   place of the first trader in the whole strategy, a multiple of BLOCK_TRADERS
    """

    def __init__(self, seed: int, stream: int, traders: int, first_trader: int = 0) -> None:
        if first_trader % BLOCK_TRADERS:
            raise ValueError(f"first_trader {first_trader} is not a multiple of a block")
        self.seed, self.stream = seed, stream
        self.traders, self.first_trader = traders, first_trader
        self._keys: dict[tuple[int, int, int], np.uint64] = {}

    def key(self, market: int, life: int) -> np.uint64:
        """The key of what traders draw on a market in a life of the strategy."""
        return self._key(TRADER_DOMAIN, market, life)

    def draw(self, market: int, life: int, step: int, words: int) -> Integers:
        """What every trader draws: int64 (traders, 4 × words), each uniform in [0, UNIT)."""
        return self._draws(market, life, step, words, np.arange(self.traders))

    def birth(self, market: int, words: int) -> Integers:
        """As `draw`, the same in every life."""
        return self.draw(market, 0, BIRTH_STEP, words)

    def awake(self, market: int, life: int, step: int, activity_ppm: int) -> Integers:
        """Who acts in a step, each with the same chance: places int64 (awake,), ascending."""
        places = np.empty(self.traders, np.int64)
        tables = gap_thresholds(activity_ppm), gap_guide(activity_ppm)
        key, block = self._key(BLOCK_DOMAIN, market, life), self.first_trader // BLOCK_TRADERS
        awake = wake_places(places, *tables, key, block, step)
        return places[:awake]

    def next_awake(self, market: int, life: int, after: int, activity_ppm: int) -> int:
        """The first step after `after` in which anybody acts, or one before which nobody does."""
        thresholds, key = gap_thresholds(activity_ppm), self._key(BLOCK_DOMAIN, market, life)
        block, stop = self.first_trader // BLOCK_TRADERS, after + STEPS_SEARCHED_MAX
        return int(next_awake(thresholds, key, block, self.traders, after, stop))

    def wake(
        self, market: int, life: int, step: int, activity_ppm: int, words: int
    ) -> tuple[Integers, Integers]:
        """Who acts in a step, as `awake`, and what they draw: int64 (awake, 4 × words)."""
        places = self.awake(market, life, step, activity_ppm)
        return places, self._draws(market, life, step, words, places)

    def _draws(self, market: int, life: int, step: int, words: int, places: Integers) -> Integers:
        draws = np.empty((len(places), words * DRAWS_PER_WORD), np.int64)
        write_draws(draws, places, self.key(market, life), self.first_trader, step)
        return draws

    def _key(self, domain: int, market: int, life: int) -> np.uint64:
        known = self._keys.get((domain, market, life))
        if known is None:
            known = key_of(self.seed, self.stream, domain, market, life)
            self._keys[domain, market, life] = known
        return known
