"""Bytes from a disk: whatever has befallen them, no kernel reads what cannot be a state."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest

from sim.book.arrays import POSITION, RESTING
from sim.book.damage import DamagedState
from sim.book.engine import MarketEngine
from sim.book.snapshots import HEADER_BYTES, SNAPSHOT_HEADER, TERMLESS_FORMAT
from sim.rows.messages import Rows
from sim.sealed import SEAL
from sim.stepping.checkpoint import StateUnreadable
from tests.sim.engine_rows import BUY, SELL, SPEC, applied, cancel_all, limit, set_mark
from tests.sim.random_commands import random_commands
from tests.sim.scenario_texts import BTC, MAKERS, NOISE, scenario_of, world_of

SEED, FLIPS, SNAPSHOT_FLIPS = 2_024, 150, 600
TEXT = BTC + MAKERS + NOISE.replace("heads = 5000", "heads = 40")

Change: TypeAlias = Callable[[Rows, Rows, Rows], None]
"""Of a snapshot's header, orders and positions."""


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_a_checkpoint_with_one_bit_flipped_anywhere_is_damaged() -> None:
    print(f"seed {SEED}")
    dice, world = np.random.default_rng(SEED), world_of(scenario_of(TEXT))
    world.run(20)
    data, fresh = world.checkpoint(), world_of(scenario_of(TEXT))
    bits = [*range(0, 8 * len(SEAL), 5), *dice.integers(0, 8 * len(data), FLIPS).tolist()]
    spoilt = [flipped(data, bit) for bit in bits]
    spoilt += [data[:length] for length in dice.integers(0, len(data), 20).tolist()]
    spoilt += [b"", data + b"\0", data[1:], b"PK\3\4" + data, dice.bytes(4_000)]
    for one in spoilt:
        with pytest.raises(StateUnreadable, match=r"^the checkpoint is damaged"):
            fresh.resume(one)
    assert fresh.step_no == 0
    fresh.resume(data)
    world.run()
    fresh.run()
    assert fresh.state_hash() == world.state_hash()


def snapshot() -> bytes:
    engine = MarketEngine(SPEC)
    applied(engine, set_mark(100), limit(1, 1, BUY, 9, 99), limit(2, 2, SELL, 4, 99))
    applied(engine, limit(3, 3, BUY, 5, 98), limit(4, 2, SELL, 5, 101), limit(5, 4, SELL, 5, 103))
    return engine.snapshot()


def changed(data: bytes, change: Change) -> bytes:
    """The snapshot with its header, orders (two bids, two asks) and positions (two) changed."""
    memory = bytearray(data)
    header = np.frombuffer(memory, SNAPSHOT_HEADER, 1)
    orders = np.frombuffer(memory, RESTING, 4, HEADER_BYTES[TERMLESS_FORMAT])
    positions = np.frombuffer(memory, POSITION, 2, HEADER_BYTES[TERMLESS_FORMAT] + orders.nbytes)
    change(header, orders, positions)
    return bytes(memory)


def put(rows: int, name: str, place: int, value: int) -> Change:
    def change(*parts: Rows) -> None:
        parts[rows][name][place] = value

    return change


def swap_bids(_: Rows, orders: Rows, __: Rows) -> None:
    orders[[0, 1]] = orders[[1, 0]]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (put(1, "side", 0, 255), "an order has no side"),
        (put(1, "side", 3, 1), "order of price and time"),
        (put(1, "price_ticks", 0, 101), "its best bid meets its best ask"),
        (put(1, "price_ticks", 1, 100), "order of price and time"),
        (put(1, "price_ticks", 2, 0), "an impossible price"),
        (put(1, "price_ticks", 2, -5), "an impossible price"),
        (put(1, "remaining_lots", 1, 0), "an impossible quantity"),
        (put(1, "remaining_lots", 1, 2**50), "an impossible quantity"),
        (put(1, "order_id", 0, 3), "two orders have one id"),
        (put(1, "order_id", 0, 0), "two orders have one id"),
        (put(1, "accepted_seq", 0, 10**9), "comes from no command"),
        (put(1, "account_id", 0, 0), "an order is nobody's"),
        (put(1, "flags", 0, 8), "an unknown flag"),
        (put(1, "unused", 0, 1), "more than there is"),
        (swap_bids, "order of price and time"),
        (put(2, "account_id", 0, 2), "positions do not stand by account"),
        (put(2, "position_lots", 0, 0), "a position holds nothing"),
        (put(2, "position_lots", 0, 7), "longs are not its shorts"),
        (put(0, "status", 0, 9), "there is no status 9"),
        (put(0, "event_seq", 0, -1), "event_seq is -1"),
        (put(0, "last_price_ticks", 0, 2**40), "the last price"),
        (put(0, "mark_ticks", 0, 0), "mark is 0 ticks"),
        (put(0, "mark_ticks", 0, 2**40), "mark is"),
        (put(0, "order_count", 0, -1), "cut off or has something behind it"),
    ],
)
def test_a_snapshot_that_no_market_can_have_is_refused_by_its_fault(
    change: Change, what: str
) -> None:
    MarketEngine.restore(SPEC, snapshot())
    with pytest.raises(DamagedState, match=what):
        MarketEngine.restore(SPEC, changed(snapshot(), change))


def test_a_market_of_more_commands_than_events_comes_back() -> None:
    """CANCEL_ALL of nothing is a command without an event."""
    engine = MarketEngine(SPEC)
    rows = [*(cancel_all(1) for _ in range(5)), limit(1, 1, BUY, 1, 100)]
    assert len(engine.apply(np.concatenate(rows))) < engine.input_seq == 6
    restored = MarketEngine.restore(SPEC, engine.snapshot())
    assert restored.snapshot() == engine.snapshot()


def test_a_snapshot_with_a_bit_flipped_is_refused_or_is_another_market_s_whole_state() -> None:
    print(f"seed {SEED}")
    dice, engine = np.random.default_rng(SEED), MarketEngine(SPEC)
    engine.apply(random_commands(dice, 3_000))
    data, more, refused = engine.snapshot(), random_commands(dice, 50), 0
    for bit in dice.integers(0, 8 * len(data), SNAPSHOT_FLIPS).tolist():
        spoilt = flipped(data, bit)
        try:
            restored = MarketEngine.restore(SPEC, spoilt)
        except DamagedState:
            refused += 1
            continue
        assert restored.snapshot() == spoilt
        restored.apply(more)
        MarketEngine.restore(SPEC, restored.snapshot())
    assert refused > SNAPSHOT_FLIPS // 3
