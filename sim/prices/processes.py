"""Reference prices: a seeded synthetic process, a constant, and a replay of real trades.

All arithmetic is on integers, so a seed gives the same ticks on every machine.
Nothing here knows what time it is: one `step()` is one interval of `step_us`.
"""

import math
import struct
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from sim.prices.paths import follow_synthetic
from sim.units import PPM

Integers = npt.NDArray[np.int64]

STEP_US_DEFAULT = 250_000
YEAR_US = 365 * 24 * 3600 * 1_000_000
DAY_US = 24 * 3600 * 1_000_000

PRICE_SHIFT = 24
"""A synthetic price is kept in ticks × 2**24."""

RETURN_SHIFT = 40
"""A return of one step is kept in units of 2**-40, its variance in units of 2**-80."""

NORMAL_SHIFT = 16
NORMAL_MEAN_SUM = 12 * 65_535 // 2
"""Twelve uniform 16-bit numbers sum to this on average, with a standard deviation of 2**16."""

SHOCK_PPM = 20_000
MEMORY_PPM = 975_000
"""GARCH(1,1) (Bollerslev 1986): weight of the last squared return and of the last variance.

They sum to 0.995, so a burst of volatility halves in 138 steps, 35 s at 250 ms.
"""

PRICE_SEED_DOMAIN = 0x5052494345
"""Second key word of the generator, so that no strategy shares a stream with a price."""


class StateMismatch(ValueError):
    """A stored state belongs to another kind of price process, or is damaged."""


class ReferencePrice(Protocol):
    """What the price of the base asset is, one step after the other."""

    @property
    def price_ticks(self) -> int:
        """The price now."""

    def step(self) -> int:
        """Move on by one interval and return the new price in ticks."""

    def advance(self, steps: int) -> Integers:
        """So many times `step()`, and the prices it would have returned: int64 (steps,)."""

    def state(self) -> bytes:
        """All that is needed to go on from here, 64 bytes at most."""

    def restore(self, state: bytes) -> None:
        """Go on from a `state()`. Raises StateMismatch and then changes nothing."""


def normal_q16(seed: int, step: int) -> int:
    """A draw near the standard normal, times 2**16: a pure function of seed and step.

    Sum of twelve uniforms (Irwin–Hall): its tails end at six standard deviations
    and, unlike Box–Muller or the ziggurat, it needs no function of libm.
    """
    key = np.array([seed, PRICE_SEED_DOMAIN], dtype=np.uint64)
    counter = np.array([0, step, 0, 0], dtype=np.uint64)
    words = np.random.Philox(key=key, counter=counter).random_raw(3)
    pieces = words.astype("<u8").view("<u2")
    return int(pieces.sum(dtype=np.int64)) - NORMAL_MEAN_SUM


class SyntheticPrice:
    """A mean-reverting random walk with mild volatility clustering.

    p' = p + p·r + κ(start − p), r = √v·z, v' = ω + α·r² + β·v: an
    Ornstein–Uhlenbeck pull on a GARCH(1,1) walk. With 50 % a year and a
    reversion time of 1.5 days the price stays within about 2.3 % (one standard
    deviation) of its start for ever.

    seed                      0 to 2**64 − 1
    start_ticks               first price and the level it returns to
    volatility_ppm_per_year   500,000 is 50 % a year
    reversion_us              mean time of the pull towards the start
    """

    STATE, WIDE_STATE = struct.Struct("<cqqq"), struct.Struct("<cq16s16s")
    KIND, WIDE_KIND = b"S", b"W"

    def __init__(
        self,
        seed: int,
        start_ticks: int,
        *,
        step_us: int = STEP_US_DEFAULT,
        volatility_ppm_per_year: int = 500_000,
        reversion_us: int = 3 * DAY_US // 2,
        max_price_ticks: int = 2**31 - 1,
    ) -> None:
        self._seed = seed
        self._start = start_ticks << PRICE_SHIFT
        self._step_us, self._reversion_us = step_us, reversion_us
        self._ceiling = max_price_ticks << PRICE_SHIFT
        self._variance_mean = (volatility_ppm_per_year**2 * step_us << 2 * RETURN_SHIFT) // (
            PPM**2 * YEAR_US
        )
        self._steps, self._price, self._variance = 0, self._start, self._variance_mean
        terms = (self._start, self._variance_mean, self._ceiling, step_us, reversion_us)
        within = all(abs(term) < 2**63 for term in terms)
        self._terms = np.array([*terms, SHOCK_PPM, MEMORY_PPM], np.int64) if within else None

    @property
    def price_ticks(self) -> int:
        """The price, rounded down to the tick, at least one tick."""
        return max(1, self._price >> PRICE_SHIFT)

    def step(self) -> int:
        """One interval on: the new price in ticks."""
        self._steps += 1
        sigma = math.isqrt(self._variance)
        change = sigma * normal_q16(self._seed, self._steps) >> NORMAL_SHIFT
        pull = (self._start - self._price) * self._step_us // self._reversion_us
        moved = self._price + (self._price * change >> RETURN_SHIFT) + pull
        self._price = min(max(moved, 1 << PRICE_SHIFT), self._ceiling)
        self._variance = self._next_variance(change)
        return self.price_ticks

    def advance(self, steps: int) -> Integers:
        """See ReferencePrice."""
        ticks, gone = np.empty(steps, np.int64), 0
        if self._terms is not None and self._variance < 2**63:
            state = np.array([self._steps, self._price, self._variance], np.int64)
            keys = np.uint64(self._seed), np.uint64(PRICE_SEED_DOMAIN)
            gone = follow_synthetic(state, self._terms, *keys, ticks)
            self._steps, self._price, self._variance = state.tolist()
        for place in range(gone, steps):
            ticks[place] = self.step()
        return ticks

    def _next_variance(self, change: int) -> int:
        rest_ppm = PPM - SHOCK_PPM - MEMORY_PPM
        weighted = (
            rest_ppm * self._variance_mean + SHOCK_PPM * change**2 + MEMORY_PPM * self._variance
        )
        return weighted // PPM

    def state(self) -> bytes:
        """Step count, price and variance: 25 bytes, 41 where one is longer than 63 bits."""
        if max(self._price, self._variance) < 2**63:
            return self.STATE.pack(self.KIND, self._steps, self._price, self._variance)
        wide = (number.to_bytes(16, "little") for number in (self._price, self._variance))
        return self.WIDE_STATE.pack(self.WIDE_KIND, self._steps, *wide)

    def restore(self, state: bytes) -> None:
        """Go on from a `state()`; raises StateMismatch."""
        if state[:1] != self.WIDE_KIND:
            _, self._steps, self._price, self._variance = unpacked_state(
                self.STATE, self.KIND, state
            )
            return
        _, self._steps, *wide = unpacked_state(self.WIDE_STATE, self.WIDE_KIND, state)
        self._price, self._variance = (int.from_bytes(one, "little") for one in wide)


class ConstantPrice:
    """The same price for ever."""

    STATE = struct.Struct("<c")
    KIND = b"C"

    def __init__(self, price_ticks: int) -> None:
        self._price_ticks = price_ticks

    @property
    def price_ticks(self) -> int:
        """The price."""
        return self._price_ticks

    def step(self) -> int:
        """Nothing moves: the price."""
        return self._price_ticks

    def advance(self, steps: int) -> Integers:
        """See ReferencePrice."""
        return np.full(steps, self._price_ticks, np.int64)

    def state(self) -> bytes:
        """One byte."""
        return self.KIND

    def restore(self, state: bytes) -> None:
        """Checks only that the state is one of a constant; raises StateMismatch."""
        unpacked_state(self.STATE, self.KIND, state)


class ReplayPrice:
    """The last of recorded prices at the elapsed time; loops or stops at the end.

    times_us       int64 (n,), not decreasing, n ≥ 1, any origin
    prices_ticks   int64 (n,), positive
    loop           True: begins again one step after the last trade. False: keeps the last price
    """

    STATE = struct.Struct("<cq")
    KIND = b"R"

    def __init__(
        self,
        times_us: npt.NDArray[np.int64],
        prices_ticks: npt.NDArray[np.int64],
        loop: bool,
        *,
        step_us: int = STEP_US_DEFAULT,
    ) -> None:
        if len(times_us) == 0 or len(times_us) != len(prices_ticks):
            raise ValueError("a replay needs as many times as prices, at least one")
        self._offsets_us = times_us - times_us[0]
        self._prices_ticks, self._loop, self._step_us = prices_ticks, loop, step_us
        self._elapsed_us = 0

    @property
    def length_us(self) -> int:
        """Time from the first trade until a loop begins again."""
        return int(self._offsets_us[-1]) + self._step_us

    @property
    def price_ticks(self) -> int:
        """Price of the last trade at or before the elapsed time."""
        at = self._elapsed_us % self.length_us if self._loop else self._elapsed_us
        return int(self._prices_ticks[np.searchsorted(self._offsets_us, at, side="right") - 1])

    def step(self) -> int:
        """One interval on: the new price in ticks."""
        self._elapsed_us += self._step_us
        return self.price_ticks

    def advance(self, steps: int) -> Integers:
        """See ReferencePrice."""
        at = self._elapsed_us + self._step_us * np.arange(1, steps + 1)
        self._elapsed_us += steps * self._step_us
        at = at % self.length_us if self._loop else at
        ticks: Integers = self._prices_ticks[np.searchsorted(self._offsets_us, at, "right") - 1]
        return ticks

    def state(self) -> bytes:
        """The elapsed time: 9 bytes."""
        return self.STATE.pack(self.KIND, self._elapsed_us)

    def restore(self, state: bytes) -> None:
        """Go on from a `state()`; raises StateMismatch."""
        _, self._elapsed_us = unpacked_state(self.STATE, self.KIND, state)


def unpacked_state(layout: struct.Struct, kind: bytes, state: bytes) -> tuple[Any, ...]:
    """Fields of a stored state, its kind first. Raises StateMismatch."""
    if len(state) != layout.size or state[:1] != kind:
        raise StateMismatch(f"a price state of kind {kind!r} was expected, found {state[:32]!r}")
    return layout.unpack(state)
