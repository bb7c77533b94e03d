"""Snapshots, hashes and growth: the same state is the same bytes, wherever it lies in memory."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sim.book.engine import MarketEngine
from sim.rows.messages import CommandKind, Rows, empty_commands
from tests.sim.engine_rows import BUY, SELL, SPEC, applied, cancel, limit, resting
from tests.sim.random_commands import random_commands
from tests.waiting import PROGRAM_S_MAX

SEED = 77


def commands(count: int = 20_000) -> Rows:
    return random_commands(np.random.default_rng(SEED), count)


def test_the_snapshot_does_not_depend_on_capacity_batches_or_slots() -> None:
    rows = commands()
    whole, piecewise = MarketEngine(SPEC), MarketEngine(SPEC, capacity_orders=1)
    whole.apply(rows)
    for start in range(0, len(rows), 777):
        piecewise.apply(rows[start : start + 777])
        piecewise = MarketEngine.restore(SPEC, piecewise.snapshot())
    assert piecewise.snapshot() == whole.snapshot()
    assert piecewise.state_hash() == whole.state_hash()
    assert len(whole.state_hash()) == 32


def test_engines_restored_at_any_point_go_on_alike() -> None:
    rows = commands()
    engine = MarketEngine(SPEC)
    engine.apply(rows[:10_000])
    other = MarketEngine.restore(SPEC, engine.snapshot())
    assert other.apply(rows[10_000:]).tobytes() == engine.apply(rows[10_000:]).tobytes()
    assert other.state_hash() == engine.state_hash()


def test_the_hash_sees_what_matters() -> None:
    base = [limit(1, 1, BUY, 5, 99), limit(2, 2, SELL, 5, 101)]
    variants = [
        base,
        [base[1], base[0]],
        [limit(1, 1, BUY, 4, 99), base[1]],
        [limit(1, 3, BUY, 5, 99), base[1]],
        [limit(1, 1, BUY, 5, 98), base[1]],
        [limit(1, 1, BUY, 5, 99, flags=1), base[1]],
        [*base, cancel(9, 9)],
        [*base, limit(3, 3, BUY, 5, 101)],
        [*base, limit(3, 4, BUY, 5, 101)],
    ]
    hashes = set()
    for rows in variants:
        engine = MarketEngine(SPEC)
        applied(engine, *rows)
        hashes.add(engine.state_hash())
    assert len(hashes) == len(variants)


PROGRAM = """
import numpy as np
from sim.book.engine import MarketEngine
from tests.sim.engine_rows import SPEC
from tests.sim.random_commands import random_commands
engine = MarketEngine(SPEC)
engine.apply(random_commands(np.random.default_rng(77), 20_000))
print(engine.state_hash().hex())
"""


def test_another_process_with_another_hash_seed_comes_to_the_same_hash() -> None:
    engine = MarketEngine(SPEC)
    engine.apply(commands())
    for hash_seed in ("1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.getcwd()}
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PROGRAM_S_MAX,
        )
        assert run.stdout.strip() == engine.state_hash().hex(), run.stderr


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data + b"x", lambda _: b""])
def test_what_is_no_snapshot_is_not_restored(spoil: Callable[[bytes], bytes]) -> None:
    engine = MarketEngine(SPEC)
    applied(engine, limit(1, 1, BUY, 5, 99))
    with pytest.raises(ValueError, match="snapshot"):
        MarketEngine.restore(SPEC, spoil(engine.snapshot()))


def far_orders(count: int) -> Rows:
    """Orders each at a price far from all others, alternating sides without crossing."""
    rows = empty_commands(count)
    rows["kind"], rows["order_type"], rows["time_in_force"] = CommandKind.PLACE, 1, 1
    rows["order_id"], rows["account_id"] = np.arange(1, count + 1), np.arange(1, count + 1)
    rows["quantity_lots"], rows["side"] = 1, SELL
    rows["price_ticks"] = 1 + np.arange(count) * (2**31 // count)
    return rows


def test_far_prices_cost_a_few_kilobytes_an_order_and_give_them_back() -> None:
    engine = MarketEngine(SPEC)
    engine.apply(far_orders(20_000))
    assert engine.open_order_count == 20_000
    most = engine.memory_bytes
    assert most < 20_000 * 8_000
    rows = far_orders(20_000)
    rows["kind"] = CommandKind.CANCEL
    engine.apply(rows)
    assert (engine.open_order_count, engine.best_ask_ticks) == (0, 0)
    rows = far_orders(20_000)
    rows["price_ticks"] += 12_345
    rows["price_ticks"] = np.clip(rows["price_ticks"], 1, 2**31 - 1)
    engine.apply(rows)
    assert engine.memory_bytes == most


def test_depth_walks_across_the_whole_range_of_prices() -> None:
    engine = MarketEngine(SPEC)
    prices = [1, 63, 64, 4096, 2**18 - 1, 2**18, 2**24 + 5, 2**31 - 2]
    applied(engine, *[limit(place + 1, 1, BUY, 1, price) for place, price in enumerate(prices)])
    assert engine.depth(100)[0][:, 0].tolist() == prices[::-1]
    applied(engine, *[cancel(place + 1, 1) for place in range(len(prices))])
    applied(engine, *[limit(place + 1, 1, SELL, 1, price) for place, price in enumerate(prices)])
    assert engine.depth(100)[1][:, 0].tolist() == prices


def test_events_once_handed_out_never_change() -> None:
    engine = MarketEngine(SPEC)
    generator = np.random.default_rng(SEED)
    rows, kept, copies = commands(), [], []
    for start in range(0, 20_000, 250):
        events = engine.apply(rows[start : start + 250])
        if generator.random() < 0.5:
            kept.append(events[:: int(generator.integers(1, 3))])
            copies.append(kept[-1].copy())
    for events, copy in zip(kept, copies, strict=True):
        assert np.array_equal(events, copy)


def test_a_sweep_of_a_deep_book_fits_its_events() -> None:
    engine = MarketEngine(replace(SPEC, max_quantity_lots=10**9))
    engine.apply(far_orders(5_000))
    events = engine.apply(limit(9_999, 9_999, BUY, 10**9, 2**31 - 1))
    assert len(events) == 5_001
    assert resting(engine) == [(9_999, 9_999, BUY, 2**31 - 1, 10**9 - 5_000, 0)]
