"""A droid on two real logs: to the wei, and the same everywhere."""

import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from sim.backtest.beside import whole_range
from sim.backtest.log import LoggedSwap, PoolLog, blocks_of
from sim.backtest.market import Market, Replays
from sim.backtest.result import Result, Setting
from sim.backtest.run import Backtest
from sim.chain.wallets import Wallets, droid_wallet
from sim.droid.acts import Result as Outcome
from sim.droid.config import read_config
from sim.droid.valuation import uncollected
from sim.pool.positions import PositionKey
from sim.pool.words import Q128
from storage.files.swap_log_file import read_swap_log
from tests.pool_logs import DAY, MORNING, packed
from tests.sim.droid_facts import SETTINGS
from tests.sim.pool_vectors import log_rows

CALM = {"min_price": 1500}
BUSY = CALM | {
    "tick_buckets": 1,
    "falling_trigger": Decimal("0.004"),
    "rising_trigger": Decimal("0.004"),
    "ladder_margin": Decimal("0.0005"),
}
HASH_OF_A_DAY = "a day"


@cache
def log_of(name: str) -> PoolLog:
    return read_swap_log(packed(name))


@cache
def tested(name: str, replays: Replays = Replays.PRICE, is_busy: bool = True) -> Result:
    log = log_of(name)
    changes = BUSY if is_busy else CALM
    config = read_config(SETTINGS | changes, log.pool.terms)
    return Backtest(log, Setting(config, replays=replays)).run()


WAYS = [(name, replays) for name in (DAY, MORNING) for replays in Replays]


@pytest.mark.parametrize("name", [DAY, MORNING])
@pytest.mark.parametrize("replays", Replays)
def test_without_a_droid_the_log_happens_again(name: str, replays: Replays) -> None:
    market, prices = Market(log_of(name), replays), []
    for row in log_of(name).rows:
        market.happen(row)
        if isinstance(row.what, LoggedSwap):
            state = market.pool.state
            prices.append((str(state.sqrt_price_x96), str(state.liquidity), str(state.tick)))
    assert market.refused == 0
    columns = "sqrt_price_x96", "liquidity", "tick"
    logged = [tuple(row[one] for one in columns) for row in log_rows(name) if row["op"] == "swap"]
    assert prices == logged


@pytest.mark.parametrize("name", [DAY, MORNING])
def test_prices_are_the_logs_own_where_they_are_to_be(name: str) -> None:
    result = tested(name)
    own = {one.block for one in result.done if one.kind == "SWAPIN"}
    last = {row.block: row.what for row in result.log.rows if isinstance(row.what, LoggedSwap)}
    seen = [one for one in result.standings if one.block in last and one.block not in own]
    assert len(seen) > 200
    for one in seen:
        assert one.sqrt_price_x96 == last[one.block].sqrt_price_x96


@pytest.mark.parametrize(("name", "replays"), WAYS)
def test_what_swaps_earned_is_what_was_collected_and_can_be(name: str, replays: Replays) -> None:
    """Another way than the droid's: all that closes gave beyond what their burns did, and what a
    pool of its own, which has lived the same, would pay."""
    result = tested(name, replays)
    swaps = [sum(one.fees[token] for one in result.swap_fees) for token in (0, 1)]
    assert tuple(swaps) == result.fees
    assert min(swaps) > 0
    collected = fees_of_another_life(result)
    assert collected == result.fees


def fees_of_another_life(result: Result) -> tuple[int, int]:
    """The log and the droid's transactions, in a pool where fees are poked out after each block."""
    market = Market(result.log, result.setting.replays)
    holder = Wallets(result.setting.seed).address(droid_wallet(1))
    pool, earned = market.pool, [0, 0]
    standing: dict[tuple[int, int], int] = {}
    done = iter(result.done)
    coming = next(done, None)
    for block in blocks_of(result.log):
        for row in block.rows:
            market.happen(row)
        while coming is not None and coming.block == block.number:
            assert coming.outcome is Outcome.DONE
            live(coming, pool, holder, standing, earned, block.time_s)
            coming = next(done, None)
    keys = [PositionKey(holder, *ticks) for ticks in standing]
    left = uncollected(pool, keys, result.last.time_s)
    return earned[0] + left[0], earned[1] + left[1]


@pytest.mark.parametrize(("name", "replays"), WAYS)
def test_the_full_range_earns_its_part_of_every_swap(name: str, replays: Replays) -> None:
    """A second formula: its liquidity times all that the pool's fees have grown for a unit."""
    log, result = log_of(name), tested(name, replays)
    market = Market(log, replays)
    lattice = whole_range(log.pool.tick_spacing)
    low, high = lattice.ratios_x96(0)
    price_x96 = log.sqrt_price_x96
    quote = 50_000 * 10**6 / 2
    liquidity = quote * price_x96 / 2**96
    assert low < price_x96 < high
    for row in log.rows:
        market.happen(row)
    growth = market.pool.state.fee_growth_global_x128
    for token in (0, 1):
        expected = growth[token] * liquidity / Q128
        assert result.full_range_fees[token] == pytest.approx(expected, rel=2e-3)
