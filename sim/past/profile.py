"""How much a calm market trades in each minute of a day.

Measured in the scenario `calm` (sim/scenarios/calm.toml, seed 1, 199,166 trades of 390 minutes):
its mean, its course by the half hour, and how far minutes are from the mean of their half hour.
That session is laid over a whole day, from 14:00 UTC, when shares open in New York and the market
is busiest, to the next 14:00.
"""

import numpy as np

from sim.money.candles import MINUTE_US
from sim.prices.headlines import Integers

QUOTE_ATOMS_A_MINUTE = 471_836_000_000
QUOTE_ATOMS_A_TRADE = 923_933_000

COURSE_PERCENT = (110, 106, 102, 84, 106, 103, 84, 75, 67, 111, 95, 109, 146)
"""Of the mean, in each of the session's half hours."""

SPREAD_PERCENT = (
    *(43, 50, 54, 58, 61, 65, 68, 70, 72, 74, 78, 80, 82, 84, 87, 90),
    *(93, 96, 99, 100, 103, 107, 111, 116, 123, 128, 136, 145, 155, 165, 180, 220),
)
"""Quantiles of a minute's volume, of the mean of its half hour: each as likely as the others."""

PERCENT = 100
MINUTES_A_DAY = 1_440
OPENS_MINUTE = 14 * 60
VOLUME_SEED_DOMAIN = 0x564F4C554D45
"""Second key word of the generator, so that no price and no headline shares its stream."""


def minute_volumes(seed: int, first_us: int, count: int) -> tuple[Integers, Integers]:
    """Of consecutive minutes, what is paid in quote atoms and in how many trades: int64 (count,).

    first_us   when the first of them opens
    """
    minutes = first_us // MINUTE_US + np.arange(count, dtype=np.int64)
    since_open = (minutes - OPENS_MINUTE) % MINUTES_A_DAY
    course = np.array(COURSE_PERCENT)[since_open * len(COURSE_PERCENT) // MINUTES_A_DAY]
    key = np.array([seed, VOLUME_SEED_DOMAIN], np.uint64)
    words = np.random.Philox(key=key).random_raw(count)
    spread = np.array(SPREAD_PERCENT)[(words % np.uint64(len(SPREAD_PERCENT))).astype(np.int64)]
    quote_atoms = QUOTE_ATOMS_A_MINUTE * course * spread // PERCENT**2
    return quote_atoms, np.maximum(quote_atoms // QUOTE_ATOMS_A_TRADE, 1)
