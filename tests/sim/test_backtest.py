"""A droid on two real logs: to the wei, and the same everywhere."""

import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest

from sim.backtest.log import LoggedSwap, LogRow, PoolLog, blocks_of
from sim.backtest.market import Market, Replays
from sim.backtest.result import Done, Result, Setting
from sim.backtest.run import Backtest
from sim.chain.wallets import Wallets, droid_wallet
from sim.droid.acts import Result as Outcome
from sim.droid.config import read_config
from sim.droid.states import Note
from sim.droid.valuation import uncollected
from sim.pool.positions import PositionKey
from sim.pool.swapping import Order
from sim.pool.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from sim.pool.words import Q128
from storage.files.swap_log_file import read_swap_log
from tests.pool_logs import DAY, MORNING, packed
from tests.sim.droid_facts import SETTINGS
from tests.sim.pool_lives import EVERYTHING
from tests.sim.pool_vectors import log_rows

ROOT = Path(__file__).parents[2]

CALM = {"min_price": 1500}
BUSY = CALM | {
    "tick_buckets": 1,
    "falling_trigger": Decimal("0.004"),
    "rising_trigger": Decimal("0.004"),
    "ladder_margin": Decimal("0.0005"),
}
HASH_OF_A_DAY = "ba04ccc85e2678d2"
"""How it begins; on every machine."""


@cache
def log_of(name: str) -> PoolLog:
    return read_swap_log(packed(name))


@cache
def lived(name: str, replays: Replays = Replays.PRICE, is_busy: bool = True) -> Result:
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
    result = lived(name)
    own = {one.block for one in result.done if one.kind == "swap"}
    last = {row.block: row.what for row in result.log.rows if isinstance(row.what, LoggedSwap)}
    seen = [one for one in result.standings if one.block in last and one.block not in own]
    assert len(seen) > 200
    for one in seen:
        assert one.sqrt_price_x96 == last[one.block].sqrt_price_x96


@pytest.mark.parametrize(("name", "replays"), WAYS)
def test_what_swaps_earned_is_what_was_collected_and_can_be(name: str, replays: Replays) -> None:
    result, life = lived(name, replays), AnotherLife(lived(name, replays))
    life.live()
    collected = [sum(one.fees[token] for one in result.done) for token in (0, 1)]
    assert min(collected) > 0
    for token in (0, 1):
        swaps = sum(one.fees[token] for one in result.swap_fees)
        assert swaps == collected[token] + life.left[token] == result.fees[token]


@pytest.mark.parametrize(("name", "replays"), WAYS)
def test_a_swap_that_crosses_nothing_earns_by_liquidity(name: str, replays: Replays) -> None:
    """The fee's part: what it paid in, by fee and by share of the liquidity there."""
    result, life = lived(name, replays), AnotherLife(lived(name, replays))
    life.live()
    found = {(one.block, one.index): one.fees for one in result.swap_fees}
    assert len(life.expected) > 100
    for place, (token, part) in life.expected.items():
        fees = found.get(place, (0, 0))
        assert fees[1 - token] == 0
        assert abs(fees[token] - part) <= 2 * result.setting.config.max_bots + part / 10**6


class AnotherLife:
    """The same log and the same transactions in a pool where nobody decides anything.

    expected   by block and index: the token, and the part of its fees that swaps should have
               earned where they crossed no tick
    left       what can be collected at the end
    """

    def __init__(self, result: Result) -> None:
        self._result = result
        self._market = Market(result.log, result.setting.replays)
        self._holder = Wallets(result.setting.seed).address(droid_wallet(1))
        self._standing: dict[tuple[int, int], int] = {}
        self.expected: dict[tuple[int, int], tuple[int, float]] = {}

    def live(self) -> None:
        done = {number: list(some) for number, some in groupby(self._result.done, of_block)}
        for block in blocks_of(self._result.log):
            for row in block.rows:
                self._happen(row)
            for one in done.get(block.number, []):
                if one.outcome is Outcome.DONE:
                    self._do(one, block.time_s)

    @property
    def left(self) -> tuple[int, int]:
        keys = [PositionKey(self._holder, *ticks) for ticks in self._standing]
        return uncollected(self._market.pool, keys, self._result.last.time_s)

    def _happen(self, row: LogRow) -> None:
        pool = self._market.pool
        before, balances = pool.state, pool.state.balances
        self._market.happen(row)
        after, paid = pool.state, pool.state.balances
        if isinstance(row.what, LoggedSwap) and before.liquidity == after.liquidity:
            token = 0 if paid[0] > balances[0] else 1
            fee = (paid[token] - balances[token]) * self._result.log.pool.fee_pips / 10**6
            ours = self._in_range(before.tick)
            if ours == self._in_range(after.tick):
                self.expected[row.block, row.index] = token, fee * ours / after.liquidity

    def _in_range(self, tick: int) -> int:
        return sum(own for (low, high), own in self._standing.items() if low <= tick < high)

    def _do(self, one: Done, time_s: int) -> None:
        pool, key = self._market.pool, PositionKey(self._holder, *one.ticks)
        if one.kind == "mint":
            assert pool.mint(time_s, key, one.liquidity) == one.amounts
            self._standing[one.ticks] = one.liquidity
        elif one.kind == "close":
            assert self._standing.pop(one.ticks) == one.liquidity
            burnt = pool.burn(time_s, key, one.liquidity)
            paid = pool.collect(key, EVERYTHING)
            assert (-paid[0], -paid[1]) == one.amounts
            assert (paid[0] - burnt[0], paid[1] - burnt[1]) == one.fees
        else:
            zero_for_one = one.amounts[0] > 0
            limit_x96 = MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1
            order = Order(zero_for_one, max(one.amounts), limit_x96)
            assert pool.swap(time_s, order) == one.amounts


def of_block(one: Done) -> int:
    return one.block


@pytest.mark.parametrize(("name", "replays"), WAYS)
def test_the_full_range_earns_its_part_of_every_swap(name: str, replays: Replays) -> None:
    """A second formula: its liquidity times all that the pool's fees have grown for a unit."""
    log, result = log_of(name), lived(name, replays)
    market = Market(log, replays)
    price = log.pool.terms.nearest_double(log.sqrt_price_x96)
    liquidity = 50_000 / 2 / price**0.5 * (10**6 * 10**18) ** 0.5
    for row in log.rows:
        market.happen(row)
    growth = market.pool.state.fee_growth_global_x128
    for token in (0, 1):
        expected = growth[token] * liquidity / Q128
        assert result.full_range_fees[token] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("name", "replays"), WAYS)
def test_money_goes_nowhere(name: str, replays: Replays) -> None:
    """The wallet is what it was less what transactions took, the ether less their gas."""
    result = lived(name, replays)
    for token, begun in enumerate((50_000 * 10**6, 0)):
        assert result.wallet[token] == begun - sum(one.amounts[token] for one in result.done)
    assert result.ether_wei == 2 * 10**17 - result.gas_wei
    assert min(*result.wallet, result.ether_wei) >= 0


@pytest.mark.parametrize("name", [DAY, MORNING])
def test_what_a_droid_is_worth_is_what_it_lost_and_earned(name: str) -> None:
    """Positions as they were put in, less what they lost to that, with fees and without gas."""
    last = lived(name, is_busy=False).last
    assert last.fees > 0 < last.gas
    assert len(lived(name, is_busy=False).rebalances) == 1
    swapped = last.aum - last.fees + last.gas + last.impermanent_loss - last.halves
    assert abs(swapped) < 50_000 * 10**6 // 100


def test_the_hash_of_a_day_is_the_same_everywhere() -> None:
    script = (
        "from tests.sim.test_backtest import lived; from tests.pool_logs import DAY;"
        "print(lived(DAY).state_hash())"
    )
    found = set()
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", script]
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        found.add(done.stdout.strip())
    assert found == {lived(DAY).state_hash()}
    assert lived(DAY).state_hash().startswith(HASH_OF_A_DAY)


def test_another_seed_way_or_droid_has_another_hash() -> None:
    log, setting = log_of(DAY), lived(DAY).setting
    hashes = {lived(DAY, replays, busy).state_hash() for replays in Replays for busy in (0, 1)}
    hashes.add(Backtest(log, replace(setting, seed=2)).run().state_hash())
    assert len(hashes) == 5


def test_blocks_between_those_of_the_log_are_there_too() -> None:
    log = log_of(DAY)
    blocks = list(blocks_of(log))
    numbers = [one.number for one in blocks]
    assert numbers == list(range(log.rows[0].block, log.rows[-1].block + 1))
    times = [one.time_s for one in blocks]
    assert times == sorted(set(times))
    assert sum(len(one.rows) for one in blocks) == len(log.rows)


def test_dear_gas_keeps_a_droid_out() -> None:
    log = log_of(DAY)
    config = read_config(SETTINGS | CALM | {"max_gas_price_gwei": 13}, log.pool.terms)
    result = Backtest(log, Setting(config)).run()
    assert (result.done, result.note) == ((), Note.GAS_PRICE)
    assert result.last.aum == result.last.held


def test_a_price_outside_the_bounds_keeps_a_droid_out() -> None:
    log = log_of(DAY)
    result = Backtest(log, Setting(read_config(SETTINGS, log.pool.terms))).run()
    assert (result.done, result.note) == ((), Note.OUT_OF_BOUNDS)
