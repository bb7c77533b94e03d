"""The past of a world's index: its seeded processes, gone backwards from where they begin.

A mean-reverting walk looks the same in both directions (its clustering of volatility nearly so), so
a path from the first index on, read from its end, is a past that leads to that index. It is drawn
with a seed of its own: the future does not repeat it backwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from sim.market import MarketSpec
from sim.money.candles import MINUTE_US, Candle
from sim.past.profile import minute_volumes
from sim.prices.headlines import Integers, News, moved_ticks
from sim.prices.processes import STEP_US_DEFAULT
from sim.scenario.markets import Replay, Synthetic
from sim.scenario.world import World, price_seed, reference_price

PAST_SEED = 0x50415354
"""What tells the seeds of the past from those of the processes themselves."""

MINUTES_AN_HOUR = 60
STEPS_A_MINUTE = MINUTE_US // STEP_US_DEFAULT


@dataclass(frozen=True)
class MinuteTicks:
    """Open, high, low and close of each minute: int64 arrays of one length, oldest first. A minute
    opens where the one before has closed."""

    opened: Integers
    high: Integers
    low: Integers
    close: Integers


def past_minutes(world: World, news: News, now_us: int) -> dict[str, Mapping[int, Candle]]:
    """Minutes of each market by opening time, of `past_hours`, up to the one under way: that one
    has only what is traded in it.

    Markets that replay trades, and those that follow them, have none: a replay begins with the
    first trade of its file.
    """
    end_us = now_us - now_us % MINUTE_US
    gone: dict[str, MinuteTicks] = {}
    found: dict[str, Mapping[int, Candle]] = {}
    for market in world.markets:
        priced = world.priced(market.spec.market_id)
        if isinstance(priced.price, Replay) or not world.past_hours:
            continue
        leader = priced.spec.market_id
        if leader not in gone:
            gone[leader] = minute_ticks(world, leader, news, end_us)
        seed = price_seed(world.seed ^ PAST_SEED, market.spec.market_id)
        found[market.spec.market_id] = candles_of(market.spec, gone[leader], seed, end_us)
    return found


def minute_ticks(world: World, market_id: str, news: News, end_us: int) -> MinuteTicks:
    """The index of a market by the minute before `end_us`, when it is where its process begins.

    News has moved it as it moves the living one.
    """
    steps = world.past_hours * MINUTES_AN_HOUR * STEPS_A_MINUTE
    process = reference_price(replace(world, seed=world.seed ^ PAST_SEED), market_id)
    path = np.append(process.price_ticks, process.advance(steps))[::-1]
    market = world.market(market_id)
    if isinstance(market.price, Synthetic):
        times_us = end_us - STEP_US_DEFAULT * np.arange(steps, -1, -1)
        moves_ppm = news.moves_ppm(market.spec.base_asset, times_us)
        path = moved_ticks(path, moves_ppm, market.spec.max_price_ticks)
    within, close = path[:-1].reshape(-1, STEPS_A_MINUTE), path[STEPS_A_MINUTE::STEPS_A_MINUTE]
    return MinuteTicks(
        within[:, 0],
        np.maximum(within.max(axis=1), close),
        np.minimum(within.min(axis=1), close),
        close,
    )


def candles_of(spec: MarketSpec, ticks: MinuteTicks, seed: int, end_us: int) -> dict[int, Candle]:
    """Minutes of one market before `end_us`, by opening time, with a calm market's volume.

    What is paid is counted at the middle of a minute's highest and lowest price.
    """
    first_us = end_us - len(ticks.close) * MINUTE_US
    volumes = minute_volumes(seed, first_us, len(ticks.close))
    columns = (ticks.opened, ticks.high, ticks.low, ticks.close, *volumes)
    found = {}
    for place, row in enumerate(np.stack(columns, axis=1).tolist()):
        opened, high, low, close, quote_atoms, trades = row
        middle = (high + low) // 2
        lots = max(1, quote_atoms // spec.notional_atoms(middle, 1))
        paid = spec.notional_atoms(middle, lots)
        candle = Candle(opened, high, low, close, lots, paid, min(trades, lots))
        found[first_us + place * MINUTE_US] = candle
    return found
