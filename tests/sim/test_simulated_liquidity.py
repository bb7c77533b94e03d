"""The default world against the real engine: what a client would see."""

import hashlib
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from sim.populations.crowd import Crowd
from sim.populations.population import MarketView
from sim.rows.messages import Side
from storage.market.depth import LEVELS_MAX
from tests.sim.engine_rows import limit as limit_order
from tests.sim.simulated_market import (
    Exchange,
    SimulatedMarket,
    default_populations,
    synthetic_markets,
)
from tests.waiting import PROGRAM_S_MAX

SEED = 8_824
WHALE = 77
STEPS = 1_000
STEPS_PER_SECOND = 5
SECONDS = STEPS / STEPS_PER_SECOND


@dataclass(frozen=True)
class Run:
    """spreads, mids, indices: (steps, 2), in ticks; levels: fewest on either side by step.

    depths: (samples, 2): lots within 2 basis points of the index, and from 4 to 12 away.
    """

    exchange: Exchange
    spreads: np.ndarray
    mids: np.ndarray
    indices: np.ndarray
    levels: np.ndarray
    commands: int
    depths: np.ndarray


@pytest.fixture(scope="module")
def run() -> Run:
    print(f"seed {SEED}")
    exchange = Exchange(synthetic_markets(SEED), default_populations(SEED))
    exchange.run(20)
    before = sum(market.commands for market in exchange.markets)
    seen, depths = [], []
    for step in range(STEPS):
        exchange.step()
        seen.append([observed(market.view()) for market in exchange.markets])
        if step % 50 == 0:
            depths += [depth for market in exchange.markets for depth in depths_of(market)]
    values = np.array(seen)
    commands = sum(market.commands for market in exchange.markets) - before
    exchange.settle()
    spreads, mids, indices, levels = (values[:, :, column] for column in range(4))
    return Run(exchange, spreads, mids, indices, levels, commands, np.array(depths))


def observed(view: MarketView) -> tuple[float, float, int, int]:
    bid, ask = view.best_bid_ticks, view.best_ask_ticks
    return ask - bid, (ask + bid) / 2, view.index_ticks, min(len(view.bids), len(view.asks))


def depths_of(market: SimulatedMarket) -> list[tuple[int, int]]:
    """Lots near the index and farther away, by side."""
    index, found = market.price.price_ticks, []
    for levels in market.engine.depth(500):
        away = np.abs(levels[:, 0] - index) / index * 10_000
        far = levels[(away > 4) & (away < 12), 1].sum()
        found.append((int(levels[away < 2, 1].sum()), int(far)))
    return found


def trades(run: Run) -> np.ndarray:
    return np.concatenate([rows for market in run.exchange.markets for rows in market.trades])


def test_the_book_is_never_crossed_and_always_twenty_levels_deep(run: Run) -> None:
    assert run.spreads.min() >= 1
    assert run.levels.min() == 20


def test_the_spread_is_under_two_basis_points(run: Run) -> None:
    basis_points = run.spreads / run.mids * 10_000
    assert 0.1 < np.median(basis_points) < 1.5
    assert np.percentile(basis_points, 99) < 2


def test_the_price_follows_the_reference(run: Run) -> None:
    away = (run.mids - run.indices) / run.indices * 10_000
    assert np.abs(away).max() < 5
    assert away.std() < 1


def test_several_hundred_commands_and_tens_of_trades_a_second(run: Run) -> None:
    assert 200 < run.commands / SECONDS < 1_000
    assert 15 < len(trades(run)) / SECONDS < 150


def test_all_three_kinds_of_traders_trade(run: Run) -> None:
    takers = np.bincount(trades(run)["account_id"] // 10**9, minlength=4)
    makers = np.bincount(trades(run)["maker_account_id"] // 10**9, minlength=4)
    assert min(takers[1:4]) > 50
    assert min(makers[1:3]) > 500


def test_trade_sizes_are_many_and_mostly_small(run: Run) -> None:
    for market in run.exchange.markets:
        lots = np.concatenate(market.trades)["quantity_lots"]
        assert len(np.unique(lots)) > 30
        worth = lots * market.price.price_ticks * market.spec.atoms_per_tick_lot / 1e6
        assert 50 < np.median(worth) < 5_000
        assert worth.max() <= 200_000


def test_depth_grows_away_from_the_touch(run: Run) -> None:
    near, far = run.depths.T
    assert near.min() > 0
    assert np.median(far / near) > 2
    assert np.percentile(far / near, 5) > 1


def test_few_of_the_commands_are_rejected(run: Run) -> None:
    rejected = sum(market.rejected for market in run.exchange.markets)
    assert rejected < 0.05 * run.commands


def test_positions_sum_to_zero_and_makers_stay_well_inside_their_limits(run: Run) -> None:
    crowds = [one for one in run.exchange.populations if isinstance(one, Crowd)]
    assert len(crowds) == len(run.exchange.populations)
    for place, market in enumerate(run.exchange.markets):
        held = [one.holdings[place].positions_lots for one in crowds]
        assert sum(int(lots.sum()) for lots in held) == 0
        limit = crowds[0].limit_lots(place, market.view())
        assert np.abs(held[0]).max() < limit * 3 // 4


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_who_takes_all_that_makers_stand_for_leaves_a_market_behind(side: Side) -> None:
    """They are at their limits for minutes then: others find a price all the while."""
    exchange = Exchange(synthetic_markets(SEED), default_populations(SEED))
    exchange.run(20)
    ether = exchange.markets[1]
    limit = ether.price.price_ticks * (1_003 if side == Side.BUY else 997) // 1_000
    ether.apply(limit_order(10**12, WHALE, side, 1_000_000, limit))  # 10,000 ETH
    exchange.run(150)
    taken = sum(rows["quantity_lots"][rows["account_id"] == WHALE].sum() for rows in ether.trades)
    taken += sum(
        rows["quantity_lots"][rows["maker_account_id"] == WHALE].sum() for rows in ether.trades
    )
    assert taken > 200_000, "makers were not at their limits"
    for _ in range(150):
        exchange.step()
        bids, asks = ether.engine.depth(LEVELS_MAX)
        for levels in (bids, asks):
            away = np.abs(levels[:, 0] - ether.price.price_ticks) / ether.price.price_ticks
            assert levels[away < 0.04, 1].sum() > 1_000


def digest_of_a_run(seed: int, steps: int) -> str:
    exchange = Exchange(synthetic_markets(seed), default_populations(seed))
    exchange.run(steps)
    hashes = [market.engine.state_hash() for market in exchange.markets]
    traded = [np.concatenate(market.trades).tobytes() for market in exchange.markets]
    return hashlib.sha256(b"".join(hashes + traded)).hexdigest()


def test_the_same_seed_gives_the_same_rows_in_another_process() -> None:
    code = (
        "from tests.sim.test_simulated_liquidity import digest_of_a_run\n"
        f"print(digest_of_a_run({SEED}, 60))"
    )
    environment = {"PYTHONHASHSEED": "99", "PYTHONPATH": ":".join(["", *sys.path])}
    answer = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=PROGRAM_S_MAX,
    )
    assert answer.stdout.strip() == digest_of_a_run(SEED, 60)
    assert digest_of_a_run(SEED + 1, 60) != digest_of_a_run(SEED, 60)
