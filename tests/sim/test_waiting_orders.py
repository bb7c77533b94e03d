"""Orders that wait for a trigger. A case: what the book was told before, the rows, what happens,
and which orders are open behind it, resting or waiting."""

from collections.abc import Sequence

import numpy as np
import pytest

from sim.rows.messages import (
    TRAILING_ORDERS_MAX,
    TRIGGERED_A_ROW_MAX,
    MarketStatus,
    OrderFlag,
    OrderType,
    Rows,
    TimeInForce,
)
from tests.sim.engine_rows import (
    BUY,
    SELL,
    SPEC,
    Engine,
    Happened,
    applied,
    cancel,
    cancel_all,
    limit,
    market,
    resting,
    set_mark,
    set_status,
    stop,
    tick,
)

STOP_LIMIT, PROFIT, TRAILING = OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT, OrderType.TRAILING
PROFIT_LIMIT = OrderType.TAKE_PROFIT_LIMIT
GTC, FOK = TimeInForce.GTC, TimeInForce.FOK
ON_MARK, POST_ONLY = OrderFlag.TRIGGER_ON_MARK, OrderFlag.POST_ONLY
REDUCE_ONLY = OrderFlag.REDUCE_ONLY

BOOK = [
    limit(71, 7, BUY, 10, 98),
    limit(72, 7, BUY, 10, 95),
    limit(81, 8, SELL, 10, 102),
    limit(82, 8, SELL, 10, 105),
    limit(83, 8, SELL, 10, 108),
    limit(91, 7, BUY, 1, 100),
    market(92, 8, SELL, 1),
]
"""Bids 98, 95; asks 102, 105, 108; the last trade was at 100."""

RISE, FALL = market(61, 6, BUY, 1), market(62, 6, SELL, 1)
"""Trades at 102, at 98."""

CASES: dict[str, tuple[list[Rows], list[Rows], Sequence[Happened], set[int]]] = {
    "a stop to buy is met by a trade at or above its price": (
        [stop(1, 1, BUY, 3, 102)],
        [RISE],
        [
            ("TRADE", 81, 61, 1, 102),
            ("TRIGGERED", "NONE", 1, 3, 0),
            ("TRADE", 81, 1, 3, 102),
        ],
        {71, 72, 81, 82, 83},
    ),
    "a stop to buy above the trade waits on": (
        [stop(1, 1, BUY, 3, 103)],
        [RISE],
        [("TRADE", 81, 61, 1, 102)],
        {71, 72, 81, 82, 83, 1},
    ),
    "a stop to sell is met by a trade at or below its price": (
        [stop(1, 1, SELL, 3, 98)],
        [FALL],
        [("TRADE", 71, 62, 1, 98), ("TRIGGERED", "NONE", 1, 3, 0), ("TRADE", 71, 1, 3, 98)],
        {71, 72, 81, 82, 83},
    ),
    "a profit to sell is met from below": (
        [stop(1, 1, SELL, 3, 102, order_type=PROFIT)],
        [RISE],
        [("TRADE", 81, 61, 1, 102), ("TRIGGERED", "NONE", 1, 3, 0), ("TRADE", 71, 1, 3, 98)],
        {71, 72, 81, 82, 83},
    ),
    "a profit to buy is met from above": (
        [stop(1, 1, BUY, 3, 98, order_type=PROFIT)],
        [FALL],
        [("TRADE", 71, 62, 1, 98), ("TRIGGERED", "NONE", 1, 3, 0), ("TRADE", 81, 1, 3, 102)],
        {71, 72, 81, 82, 83},
    ),
    "orders of its own account give way to what was triggered": (
        [
            limit(2, 1, SELL, 4, 103),
            limit(3, 1, SELL, 5, 104),
            limit(4, 1, SELL, 5, 106),
            stop(1, 1, BUY, 12, 102),
        ],
        [RISE],
        [
            ("TRADE", 81, 61, 1, 102),
            ("TRIGGERED", "NONE", 1, 12, 0),
            ("TRADE", 81, 1, 9, 102),
            ("CANCELED", "SELF_TRADE_PREVENTION", 2, 4, 103),
            ("CANCELED", "SELF_TRADE_PREVENTION", 3, 5, 104),
            ("TRADE", 82, 1, 3, 105),
        ],
        {71, 72, 82, 83, 4},
    ),
    "a stop limit rests at its limit": (
        [stop(1, 1, BUY, 3, 102, order_type=STOP_LIMIT, price_ticks=101, time_in_force=GTC)],
        [RISE],
        [
            ("TRADE", 81, 61, 1, 102),
            ("TRIGGERED", "NONE", 1, 3, 101),
            ("RESTED", "NONE", 1, 3, 101),
        ],
        {71, 72, 81, 82, 83, 1},
    ),
    "a profit with a limit rests at its limit": (
        [stop(1, 1, SELL, 3, 102, order_type=PROFIT_LIMIT, price_ticks=103, time_in_force=GTC)],
        [RISE],
        [
            ("TRADE", 81, 61, 1, 102),
            ("TRIGGERED", "NONE", 1, 3, 103),
            ("RESTED", "NONE", 1, 3, 103),
        ],
        {71, 72, 81, 82, 83, 1},
    ),
    "a stop fills or is killed when it is triggered": (
        [stop(1, 1, BUY, 99, 102, time_in_force=FOK)],
        [RISE],
        [
            ("TRADE", 81, 61, 1, 102),
            ("TRIGGERED", "NONE", 1, 99, 0),
            ("EXPIRED", "FOK_UNFILLABLE", 1, 99, 0),
        ],
        {71, 72, 81, 82, 83},
    ),
    "post-only that would take is canceled when it is triggered": (
        [
            stop(
                1,
                1,
                BUY,
                3,
                102,
                order_type=STOP_LIMIT,
                price_ticks=104,
                time_in_force=GTC,
                flags=POST_ONLY,
            )
        ],
        [RISE],
        [
            ("TRADE", 81, 61, 1, 102),
            ("TRIGGERED", "NONE", 1, 3, 104),
            ("CANCELED", "POST_ONLY_WOULD_TAKE", 1, 3, 104),
        ],
        {71, 72, 81, 82, 83},
    ),
    "one whose trigger is met when it comes is triggered behind its own row": (
        [],
        [stop(1, 1, BUY, 3, 100)],
        [
            ("WAITING", "NONE", 1, 3, 0),
            ("TRIGGERED", "NONE", 1, 3, 0),
            ("TRADE", 81, 1, 3, 102),
        ],
        {71, 72, 81, 82, 83},
    ),
    "the nearest trigger is first, then the oldest": (
        [stop(1, 1, BUY, 1, 104), stop(2, 2, BUY, 1, 103), stop(3, 3, BUY, 1, 104)],
        [market(61, 6, BUY, 11)],
        [
            ("TRADE", 81, 61, 10, 102),
            ("TRADE", 82, 61, 1, 105),
            ("TRIGGERED", "NONE", 2, 1, 0),
            ("TRADE", 82, 2, 1, 105),
            ("TRIGGERED", "NONE", 1, 1, 0),
            ("TRADE", 82, 1, 1, 105),
            ("TRIGGERED", "NONE", 3, 1, 0),
            ("TRADE", 82, 3, 1, 105),
        ],
        {71, 72, 82, 83},
    ),
    "what a triggered order trades triggers others, behind those that were due before": (
        [stop(1, 1, BUY, 10, 102), stop(2, 2, BUY, 1, 105), stop(3, 3, BUY, 1, 102)],
        [RISE],
        [
            ("TRADE", 81, 61, 1, 102),
            ("TRIGGERED", "NONE", 1, 10, 0),
            ("TRADE", 81, 1, 9, 102),
            ("TRADE", 82, 1, 1, 105),
            ("TRIGGERED", "NONE", 3, 1, 0),
            ("TRADE", 82, 3, 1, 105),
            ("TRIGGERED", "NONE", 2, 1, 0),
            ("TRADE", 82, 2, 1, 105),
        ],
        {71, 72, 82, 83},
    ),
    "one that waits for mark is not met by a trade": (
        [set_mark(100), stop(1, 1, BUY, 3, 102, flags=ON_MARK)],
        [RISE],
        [("TRADE", 81, 61, 1, 102)],
        {71, 72, 81, 82, 83, 1},
    ),
    "one that waits for mark is met by mark": (
        [set_mark(100), stop(1, 1, BUY, 3, 102, flags=ON_MARK)],
        [set_mark(103)],
        [("TRIGGERED", "NONE", 1, 3, 0), ("TRADE", 81, 1, 3, 102)],
        {71, 72, 81, 82, 83},
    ),
    "one that waits for mark while none is known waits": (
        [stop(1, 1, BUY, 3, 90, flags=ON_MARK)],
        [RISE],
        [("TRADE", 81, 61, 1, 102)],
        {71, 72, 81, 82, 83, 1},
    ),
    "a trailing stop to sell follows the price upward and is met by the way back": (
        [
            stop(1, 1, SELL, 3, 4, order_type=TRAILING),
            market(61, 6, BUY, 11),
        ],
        [FALL],
        [("TRADE", 71, 62, 1, 98), ("TRIGGERED", "NONE", 1, 3, 0), ("TRADE", 71, 1, 3, 98)],
        {71, 72, 82, 83},
    ),
    "a trailing stop to sell waits while the way back is shorter than its distance": (
        [stop(1, 1, SELL, 3, 5, order_type=TRAILING), RISE],
        [FALL],
        [("TRADE", 71, 62, 1, 98)],
        {71, 72, 81, 82, 83, 1},
    ),
    "a trailing stop to buy follows the price downward": (
        [stop(1, 1, BUY, 3, 3, order_type=TRAILING), FALL],
        [RISE],
        [("TRADE", 81, 61, 1, 102), ("TRIGGERED", "NONE", 1, 3, 0), ("TRADE", 81, 1, 3, 102)],
        {71, 72, 81, 82, 83},
    ),
    "one that waits is taken back": (
        [stop(1, 1, BUY, 3, 103)],
        [cancel(1, 2), cancel(1, 1), cancel(1, 1)],
        [
            ("CANCEL_REJECTED", "USER_MISMATCH", 1, 0, 0),
            ("CANCELED", "REQUESTED", 1, 3, 0),
            ("CANCEL_REJECTED", "ORDER_NOT_OPEN", 1, 0, 0),
        ],
        {71, 72, 81, 82, 83},
    ),
    "all of an account go by age, whether they rest or wait": (
        [stop(2, 7, BUY, 3, 103), limit(3, 7, BUY, 2, 90), stop(1, 7, SELL, 3, 90)],
        [cancel_all(7)],
        [
            ("CANCELED", "REQUESTED", 71, 10, 98),
            ("CANCELED", "REQUESTED", 72, 10, 95),
            ("CANCELED", "REQUESTED", 2, 3, 0),
            ("CANCELED", "REQUESTED", 3, 2, 90),
            ("CANCELED", "REQUESTED", 1, 3, 0),
        ],
        {81, 82, 83},
    ),
    "its id is in use": (
        [stop(1, 1, BUY, 3, 103)],
        [limit(1, 2, BUY, 3, 90), stop(71, 1, BUY, 3, 103)],
        [
            ("REJECTED", "DUPLICATE_ORDER_ID", 1, 3, 90),
            ("REJECTED", "DUPLICATE_ORDER_ID", 71, 3, 0),
        ],
        {71, 72, 81, 82, 83, 1},
    ),
    "a reduce-only one without a position is rejected": (
        [],
        [stop(1, 1, BUY, 3, 103, flags=REDUCE_ONLY)],
        [("REJECTED", "REDUCE_ONLY_WOULD_INCREASE", 1, 3, 0)],
        {71, 72, 81, 82, 83},
    ),
    "a reduce-only one is cut to the position when it is triggered": (
        [market(11, 1, BUY, 2), stop(1, 1, SELL, 9, 98, flags=REDUCE_ONLY)],
        [FALL],
        [
            ("TRADE", 71, 62, 1, 98),
            ("TRIGGERED", "NONE", 1, 9, 0),
            ("TRADE", 71, 1, 2, 98),
            ("CANCELED", "REDUCE_ONLY_EXCESS", 1, 7, 0),
        ],
        {71, 72, 81, 82, 83},
    ),
    "a reduce-only one ends with the position": (
        [market(11, 1, BUY, 2), stop(1, 1, SELL, 9, 90, flags=REDUCE_ONLY)],
        [market(12, 1, SELL, 1), market(13, 1, SELL, 1)],
        [
            ("TRADE", 71, 12, 1, 98),
            ("TRADE", 71, 13, 1, 98),
            ("CANCELED", "REDUCE_ONLY_EXCESS", 1, 9, 0),
        ],
        {71, 72, 81, 82, 83},
    ),
    "a reduce-only one ends where the position flips": (
        [market(11, 1, BUY, 2), stop(1, 1, SELL, 9, 90, flags=REDUCE_ONLY)],
        [market(12, 1, SELL, 3)],
        [("TRADE", 71, 12, 3, 98), ("CANCELED", "REDUCE_ONLY_EXCESS", 1, 9, 0)],
        {71, 72, 81, 82, 83},
    ),
    "a closed market triggers nothing until it opens": (
        [set_mark(100), stop(1, 1, BUY, 3, 102, flags=ON_MARK), set_status(MarketStatus.HALTED)],
        [set_mark(103), set_mark(99), set_status(MarketStatus.ACTIVE)],
        [
            ("STATUS_CHANGED", "NONE", 0, 1, 0),
            ("TRIGGERED", "NONE", 1, 3, 0),
            ("TRADE", 81, 1, 3, 102),
        ],
        {71, 72, 81, 82, 83},
    ),
    "a trigger price of nothing, or no trigger where there must be none, is refused": (
        [],
        [
            stop(1, 1, BUY, 3, 0),
            stop(1, 1, BUY, 3, -5),
            stop(1, 1, BUY, 3, 102, order_type=OrderType.LIMIT, price_ticks=90),
            stop(1, 1, BUY, 3, 102, order_type=8),
            limit(1, 1, BUY, 3, 90, flags=ON_MARK),
            stop(1, 1, BUY, 3, 102, order_type=STOP_LIMIT),
            stop(1, 1, BUY, 3, 102, flags=POST_ONLY),
        ],
        [
            ("REJECTED", "INVALID_PRICE", 1, 3, 0),
            ("REJECTED", "INVALID_PRICE", 1, 3, 0),
            ("REJECTED", "INVALID_COMMAND", 1, 3, 90),
            ("REJECTED", "INVALID_COMMAND", 1, 3, 0),
            ("REJECTED", "INVALID_COMMAND", 1, 3, 90),
            ("REJECTED", "INVALID_PRICE", 1, 3, 0),
            ("REJECTED", "POST_ONLY_REQUIRES_LIMIT_ORDER", 1, 3, 0),
        ],
        {71, 72, 81, 82, 83},
    ),
}


def open_ids(engine: Engine) -> set[int]:
    waiting = engine.waiting_orders()
    ids = waiting["order_id"].tolist() if isinstance(waiting, np.ndarray) else []
    ids = ids or [order.order_id for order in waiting if not isinstance(waiting, np.ndarray)]
    return {*(row[0] for row in resting(engine)), *ids}


@pytest.mark.parametrize("case", CASES)
def test_an_order_waits_and_is_triggered(engine: Engine, case: str) -> None:
    before, rows, happens, left = CASES[case]
    applied(engine, *BOOK, *before)
    assert applied(engine, *rows) == happens
    assert open_ids(engine) == left
    assert engine.open_order_count == len(left)


@pytest.mark.parametrize("case", CASES)
def test_it_does_so_from_a_snapshot_too(engine: Engine, case: str) -> None:
    before, rows, happens, left = CASES[case]
    applied(engine, *BOOK, *before)
    other = type(engine).restore(SPEC, engine.snapshot())
    assert applied(other, *rows) == happens
    assert open_ids(other) == left


def test_one_row_triggers_so_many_and_the_next_rows_the_others(engine: Engine) -> None:
    count = 2 * TRIGGERED_A_ROW_MAX + 20
    applied(engine, *BOOK, *[stop(1_000 + n, 1, SELL, 1, 98) for n in range(count)])
    for many in (TRIGGERED_A_ROW_MAX, TRIGGERED_A_ROW_MAX, 20, 0):
        rows = [FALL] if many and count == 2 * TRIGGERED_A_ROW_MAX + 20 else [tick(5)]
        kinds = [event[0] for event in applied(engine, *rows)]
        assert kinds.count("TRIGGERED") == many
        count -= many


def test_a_triggered_order_is_a_row_of_its_own_of_the_same_time(engine: Engine) -> None:
    applied(engine, *BOOK, stop(1, 1, BUY, 3, 102))
    before, row = engine.input_seq, RISE.copy()
    row["time_us"] = 77
    events = engine.apply(row)
    assert (events["input_seq"] - before).tolist() == [1, 2, 2]
    assert set(events["time_us"].tolist()) == {77}
    assert engine.input_seq == before + 2


def test_there_are_only_so_many_trailing_stops(engine: Engine) -> None:
    numbers = range(1_000, 1_001 + TRAILING_ORDERS_MAX)
    rows = [stop(number, 1, SELL, 1, 50, order_type=TRAILING) for number in numbers]
    *_, last_but_one, last = applied(engine, *BOOK, *rows)
    assert last_but_one[0] == "WAITING"
    assert last == ("REJECTED", "TOO_MANY_TRAILING", numbers[-1], 1, 0)


def test_what_waits_is_not_in_the_visible_book(engine: Engine) -> None:
    applied(engine, *BOOK)
    before = [engine.depth(9)[side][:] for side in (0, 1)]
    applied(engine, stop(1, 1, BUY, 3, 103))
    assert [np.array_equal(side, engine.depth(9)[n]) for n, side in enumerate(before)] == [True] * 2
    assert engine.open_order_count == 6
