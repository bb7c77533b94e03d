"""What agents have read of candles before is as if they read all of it again."""

import random
from typing import Any

import numpy as np
import psycopg

from sim.money.candles import MINUTE_US
from sim.signals.candles import Candles
from sim.signals.sights import CANDLES_SEEN
from storage.agents.sights import CandlesRead
from storage.postgres.database import AsyncPool
from tests.markets import ETH_PERP, ETH_SPOT

SPECS = [ETH_PERP, ETH_SPOT]
WRITE = f"""
INSERT INTO candles (market_id, width_us, open_time_us, open_ticks, high_ticks, low_ticks,
    close_ticks, volume_lots, notional_atoms, trade_count)
VALUES (%s, {MINUTE_US}, %s, %s, %s, %s, %s, %s, 0, 1)
ON CONFLICT (market_id, width_us, open_time_us) DO UPDATE SET close_ticks = excluded.close_ticks,
    volume_lots = excluded.volume_lots"""


def written(database: psycopg.Connection[Any], dice: random.Random, first: int, last: int) -> None:
    """Minutes of the perpetual market, some of them without a trade."""
    for minute in range(first, last):
        if minute == first or dice.random() < 0.9:
            ticks = [dice.randint(5_000, 6_000) for _ in range(4)]
            values = (ETH_PERP.market_id, minute * MINUTE_US, *ticks, dice.randint(1, 99))
            database.execute(WRITE, values)


def columns(candles: Candles) -> list[list[float]]:
    kept = (candles.open, candles.high, candles.low, candles.close, candles.volume)
    return [candles.open_time_s.tolist(), *(one.tolist() for one in kept)]


async def test_candles_that_go_on_are_read_as_if_all_were_read_again(
    database: psycopg.Connection[Any], pool: AsyncPool
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice, read, minute = random.Random(seed), CandlesRead(), 1_000
    for more in (0, 3, 1, 2, 40, 250, 1, 700, 5):
        written(database, dice, minute, minute + more)
        written(database, dice, minute + more - 1, minute + more)
        minute += max(0, more - 1)
        found = await read.candles(pool, SPECS)
        fresh = await CandlesRead().candles(pool, SPECS)
        for spec in SPECS:
            assert columns(found[spec.market_id]) == columns(fresh[spec.market_id])
    assert len(found[ETH_PERP.market_id]) == CANDLES_SEEN
    assert len(found[ETH_SPOT.market_id]) == 0
    assert np.all(np.diff(found[ETH_PERP.market_id].open_time_s) > 0)
