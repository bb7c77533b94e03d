"""Funding: what longs pay shorts, or shorts longs, so that a perpetual keeps to its index.

The rules of perps.md, in integers. Every 5 s the premium of the book over the index is sampled
from impact prices: what selling or buying a given worth at once would fetch or cost on average.
The rate of an interval is the average premium P plus clamp(interest − P, ±0.05 %), for 8 hours,
within ± the market's cap; an interval of h hours pays h eighths of it, on notional at index.

perps.md leaves the impact worth open: here, as on Binance, 200 quote units ÷ the initial margin
rate at the highest leverage. A side whose visible depth is worth less has no impact price and
gives no premium.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.rows.messages import Side
from sim.units import ATOMS_PER_UNIT, PPM

Integers = npt.NDArray[np.int64]

SAMPLE_US = 5_000_000
HOUR_US = 3_600_000_000
RATE_HOURS = 8
"""A rate is for so many hours, whatever interval a market pays it in."""

INTEREST_PPM = 100
CLAMP_PPM = 500
IMPACT_UNITS = 200
"""Times the highest leverage: the worth, in quote units, that impact prices are averages over."""

IMPACT_SHIFT = 20
"""Impact prices are in ticks × 2**20."""


@dataclass(frozen=True)
class Premiums:
    """The samples of an interval so far."""

    sum_ppm: int = 0
    samples: int = 0

    def with_sample(self, premium_ppm: int) -> "Premiums":
        """One more."""
        return Premiums(self.sum_ppm + premium_ppm, self.samples + 1)

    @property
    def average_ppm(self) -> int:
        """Truncated; 0 without samples."""
        return truncated(self.sum_ppm, max(1, self.samples))


def truncated(numerator: int, denominator: int) -> int:
    """Quotient rounded toward zero; the denominator is positive."""
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient


def impact_worth(spec: MarketSpec) -> int:
    """The worth that impact prices are averages over, in ticks × lots."""
    return IMPACT_UNITS * spec.max_leverage * ATOMS_PER_UNIT // spec.atoms_per_tick_lot


def impact_price_q20(side: Side, levels: Integers, worth: int) -> int:
    """Average price of trading `worth` (ticks × lots) against levels, in ticks × 2**20.

    side     of the levels: what selling fetches from BUY levels, rounded down; what buying costs
             at SELL levels, rounded up
    levels   int64 (n, 3) of price_ticks, quantity_lots, orders, best first

    0 where the levels are worth less.
    """
    worth_before = lots_before = 0
    rows: list[list[int]] = levels.tolist()
    for price_ticks, lots, _ in rows:
        left = worth - worth_before
        if price_ticks * lots >= left:
            numerator = (worth * price_ticks) << IMPACT_SHIFT
            denominator = lots_before * price_ticks + left
            return numerator // denominator if side == Side.BUY else -(-numerator // denominator)
        worth_before, lots_before = worth_before + price_ticks * lots, lots_before + lots
    return 0


def premium_ppm(bid_q20: int, ask_q20: int, index_ticks: int) -> int:
    """(max(0, impact bid − index) − max(0, index − impact ask)) ÷ index, truncated.

    Impact prices in ticks × 2**20, 0 for none. 0 while the index lies between them.
    """
    index_q20 = index_ticks << IMPACT_SHIFT
    above = max(0, bid_q20 - index_q20) if bid_q20 else 0
    below = max(0, index_q20 - ask_q20) if ask_q20 else 0
    return truncated((above - below) * PPM, index_q20)


def book_premium_ppm(spec: MarketSpec, bids: Integers, asks: Integers, index_ticks: int) -> int:
    """The premium of a book, from its visible levels."""
    worth = impact_worth(spec)
    bid_q20 = impact_price_q20(Side.BUY, bids, worth)
    ask_q20 = impact_price_q20(Side.SELL, asks, worth)
    return premium_ppm(bid_q20, ask_q20, index_ticks)


def rate_ppm(average_ppm: int, cap_ppm: int) -> int:
    """The rate for 8 hours; longs pay when it is positive."""
    pulled = average_ppm + clamped(INTEREST_PPM - average_ppm, CLAMP_PPM)
    return clamped(pulled, cap_ppm)


def clamped(value: int, most: int) -> int:
    """The value, from −most to most."""
    return max(-most, min(value, most))


def funding_changes(
    notionals_atoms: Integers, eight_hours_ppm: int, interval_hours: int
) -> Integers:
    """What each position gains: int64 atoms, payers below 0 and rounded up, receivers down.

    notionals_atoms   signed, at index: short below 0

    Both roundings are one floor. What is left, the sum with its sign turned, is the dust: from 0
    to less than the number of positions that are not flat. Exact within 64 bits.
    """
    factor, divisor = eight_hours_ppm * interval_hours, RATE_HOURS * PPM
    whole = notionals_atoms // divisor
    rest = notionals_atoms - whole * divisor
    changes: Integers = -whole * factor + (-rest * factor) // divisor
    return changes


def crosses(before_us: int, after_us: int, interval_us: int) -> bool:
    """Whether a multiple of the interval lies in (before, after]."""
    return after_us // interval_us > before_us // interval_us
