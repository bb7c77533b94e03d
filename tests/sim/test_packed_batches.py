"""Packed batches come back to the last byte, and take a fraction of the room."""

import random

import numpy as np
import pytest

from sim.book.engine import MarketEngine
from sim.rows.layouts import SHORT_BYTES, kept_bytes
from sim.rows.messages import COMMAND, EVENT, CommandKind, OrderType, TimeInForce, empty_commands
from sim.rows.order_ids import ids_of_batch
from sim.rows.packed_batches import JournalBatch, packed, unpacked
from tests.markets import ETH_PERP


def noise(dice: random.Random, itemsize: int) -> bytes:
    """Rows of any bits, often none."""
    return dice.randbytes(itemsize * dice.choice((0, 0, 1, 3, 40)))


def kept_noise(dice: random.Random) -> bytes:
    """COMMAND rows of any bits as they are kept, in either layout."""
    if dice.random() < 0.5:
        return noise(dice, SHORT_BYTES)
    return kept_bytes(np.frombuffer(noise(dice, COMMAND.itemsize), COMMAND))


def test_any_bytes_come_back() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(50):
        first = dice.randrange(2**62)
        batches = [
            JournalBatch(
                first + n,
                dice.randrange(-(2**63), 2**63),
                dice.randrange(-(2**63), 2**63),
                dice.randrange(-(2**63), 2**63),
                dice.randrange(-(2**63), 2**63),
                {
                    dice.randrange(2**63): dice.randrange(2**63)
                    for _ in range(dice.choice((0, 1, 5)))
                },
                kept_noise(dice),
                noise(dice, EVENT.itemsize),
            )
            for n in range(dice.randint(1, 12))
        ]
        assert unpacked(packed(batches)) == batches


def traded(count: int) -> list[JournalBatch]:
    """What an engine does when traders quote, hit and withdraw."""
    dice, engine, batches = np.random.default_rng(1), MarketEngine(ETH_PERP), []
    for n in range(count):
        rows = empty_commands(12)
        rows["kind"][1:], rows["kind"][0] = CommandKind.PLACE, CommandKind.CANCEL_ALL
        rows["time_us"] = 1_795_000_000_000_000 + 66_000 * n
        rows["account_id"] = 1_000_000_000 + dice.integers(0, 1_200, 12)
        rows["account_id"][0] = rows["account_id"][1]
        rows["order_id"] = ids_of_batch(1, n, 12)
        rows["side"], rows["order_type"] = dice.integers(1, 3, 12), OrderType.LIMIT
        rows["time_in_force"] = TimeInForce.GTC
        rows["price_ticks"] = 350_000 + dice.integers(-50, 50, 12)
        rows["quantity_lots"] = dice.integers(1, 300, 12)
        events = engine.apply(rows)
        batches.append(
            JournalBatch(
                n + 1,
                1,
                0,
                engine.event_seq,
                66_000 * n,
                {1: n},
                kept_bytes(rows),
                events.tobytes(),
            )
        )
    return batches


def test_what_a_market_does_takes_less_than_a_sixth_of_its_room() -> None:
    batches = traded(500)
    data = packed(batches)
    assert unpacked(data) == batches
    assert 6 * len(data) < sum(len(batch.inputs) + len(batch.events) for batch in batches)


def test_bytes_that_are_no_packed_batches_are_refused() -> None:
    data = packed(traded(20))
    for wrong in (b"", data[:-5], data[: len(data) // 2], data[:40] + b"\x00" + data[41:]):
        with pytest.raises(ValueError):
            unpacked(wrong)
