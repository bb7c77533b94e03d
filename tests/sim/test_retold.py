"""A batch as its events tell it comes to the book that deciding it came to."""

import numpy as np
import pytest

from sim.book.damage import DamagedState
from sim.book.engine import MarketEngine
from sim.book.retold import replayed, retold
from sim.rows.layouts import kept_bytes, narrowed
from sim.rows.messages import (
    EVENT,
    CommandKind,
    EventKind,
    OrderFlag,
    Rows,
    Side,
    empty_commands,
    joined,
)
from tests.sim.engine_rows import SPEC
from tests.sim.random_commands import BANDED, MIDDLE_TICKS, random_commands

SEED, ROWS, BATCH_ROWS = 20_261, 30_000, 250
REDUCE_ONLY = int(OrderFlag.REDUCE_ONLY)


def batches() -> list[Rows]:
    """Random rows without terms, some of which tell mark."""
    print(f"seed {SEED}")
    generator = np.random.default_rng(SEED)
    rows = random_commands(generator, ROWS)
    rows = rows[rows["kind"] <= CommandKind.SET_MARK]
    for name in ("trigger_ticks", "expires_us", "link_id"):
        rows[name] = 0
    marks = generator.choice(len(rows), ROWS // 500)
    rows["kind"][marks] = CommandKind.SET_MARK
    rows["price_ticks"][marks] = MIDDLE_TICKS + generator.integers(-20, 21, len(marks))
    return np.array_split(rows, len(rows) // BATCH_ROWS)


def test_events_tell_the_book_that_deciding_came_to() -> None:
    engine, kinds = MarketEngine(BANDED), set[int]()
    for rows in batches():
        before = engine.snapshot()
        events = engine.apply(rows)
        kinds |= set(events["kind"].tolist())
        assert retold(BANDED, before, rows, events).snapshot() == engine.snapshot()
    told = [kind for kind in EventKind if kind < EventKind.WAITING]
    assert kinds == {int(kind) for kind in told}


def limit(order_id: int, account_id: int, side: Side, lots: int) -> Rows:
    """An order at 100 ticks."""
    row = empty_commands(1)
    row["kind"], row["order_type"], row["time_in_force"] = 1, 1, 1
    row["order_id"], row["account_id"], row["side"] = order_id, account_id, side
    row["quantity_lots"], row["price_ticks"] = lots, 100
    return row


def decided_before() -> tuple[MarketEngine, Rows, Rows]:
    """A book, a row, and what rules of before made of it: 5 lots that reduce a position of 3."""
    engine = MarketEngine(SPEC)
    engine.apply(joined([limit(1, 1, Side.BUY, 3), limit(2, 2, Side.SELL, 3)]))
    row = limit(3, 1, Side.SELL, 5)
    row["flags"] = REDUCE_ONLY
    events = np.zeros(1, EVENT)
    events["event_seq"], events["input_seq"] = engine.event_seq + 1, engine.input_seq + 1
    for name in ("order_id", "account_id", "quantity_lots", "price_ticks", "side", "flags"):
        events[name] = row[name]
    events["kind"] = EventKind.RESTED
    return engine, row, events


def test_what_rules_of_before_decided_stays_as_it_was() -> None:
    engine, row, events = decided_before()
    after = replayed(engine, narrowed(row), events.tobytes())
    names = ["order_id", "remaining_lots", "accepted_seq"]
    assert after.resting_orders()[names].tolist() == [(3, 5, 3)]
    assert after.event_seq == events["event_seq"][0]
    met = after.apply(limit(4, 2, Side.BUY, 3))["kind"].tolist()
    assert met == [EventKind.REDUCED, EventKind.TRADE], "it was cut before it was met"


def test_what_todays_rules_decided_is_decided_by_them() -> None:
    engine, row, events = decided_before()
    with pytest.raises(DamagedState, match=r"does not replay as it was$"):
        replayed(engine, kept_bytes(row), events.tobytes())


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("event_seq", 77, "an event is missing"),
        ("kind", EventKind.WAITING, "an event is of a kind that there was not"),
        ("kind", EventKind.TRADE, "an order trades that does not rest"),
        ("quantity_lots", 0, "an order has an impossible quantity"),
    ],
)
def test_what_cannot_have_happened_is_refused(column: str, value: int, sentence: str) -> None:
    engine, row, events = decided_before()
    events[column] = value
    with pytest.raises(DamagedState, match=f"does not replay as it was: .*{sentence}"):
        replayed(engine, narrowed(row), events.tobytes())
