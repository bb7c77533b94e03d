"""Orders that end at a time, and orders that are amended, told as tables.

A case: what the book was told before, the rows, what happens, and what rests behind it as
(order id, price, lots) in price-time order."""

import pytest

from sim.rows.messages import EXPIRED_A_ROW_MAX, MarketStatus, OrderFlag, OrderType, TimeInForce
from tests.sim.engine_rows import (
    BUY,
    SELL,
    SPEC,
    Case,
    Engine,
    amend,
    applied,
    cancel,
    happens_as_told,
    limit,
    market,
    set_status,
    stop,
    tick,
    until,
)

IOC, GTC = TimeInForce.IOC, TimeInForce.GTC
POST_ONLY, REDUCE_ONLY = OrderFlag.POST_ONLY, OrderFlag.REDUCE_ONLY
MAY_OPEN = OrderFlag.MAY_OPEN

ENDINGS: dict[str, Case] = {
    "an order ends before the first row of its time": (
        [until(100, limit(1, 1, SELL, 5, 101))],
        [tick(99), until(0, limit(2, 2, BUY, 5, 101), time_us=100)],
        [("EXPIRED", "TIME", 1, 5, 101), ("RESTED", "NONE", 2, 5, 101)],
        [(2, 101, 5)],
    ),
    "a tick is such a row": (
        [until(100, limit(1, 1, SELL, 5, 101))],
        [tick(100), tick(101)],
        [("EXPIRED", "TIME", 1, 5, 101)],
        [],
    ),
    "what is left of it ends": (
        [until(100, limit(1, 1, SELL, 5, 101)), limit(2, 2, BUY, 2, 101)],
        [tick(300)],
        [("EXPIRED", "TIME", 1, 3, 101)],
        [],
    ),
    "the earliest time is first, then the oldest": (
        [
            until(100, limit(1, 1, SELL, 5, 101)),
            until(90, limit(2, 1, SELL, 5, 103)),
            until(100, limit(3, 1, SELL, 5, 99)),
            until(400, limit(4, 1, SELL, 5, 102)),
        ],
        [tick(300)],
        [
            ("EXPIRED", "TIME", 2, 5, 103),
            ("EXPIRED", "TIME", 1, 5, 101),
            ("EXPIRED", "TIME", 3, 5, 99),
        ],
        [(4, 102, 5)],
    ),
    "one that comes too late ends at once": (
        [limit(1, 1, SELL, 5, 101)],
        [until(100, limit(2, 2, BUY, 5, 101), time_us=100)],
        [("EXPIRED", "TIME", 2, 5, 101)],
        [(1, 101, 5)],
    ),
    "one that waits ends, too": (
        [until(100, stop(1, 1, BUY, 5, 105))],
        [tick(100)],
        [("EXPIRED", "TIME", 1, 5, 0)],
        [],
    ),
    "one that was triggered and rests ends at its time": (
        [
            limit(8, 8, BUY, 1, 100),
            limit(9, 9, SELL, 1, 100),
            until(
                100,
                stop(1, 1, BUY, 5, 99, order_type=OrderType.STOP_LIMIT, price_ticks=98),
                time_in_force=GTC,
            ),
        ],
        [tick(100)],
        [("EXPIRED", "TIME", 1, 5, 98)],
        [],
    ),
    "a halted market's orders end, too": (
        [until(100, limit(1, 1, SELL, 5, 101)), set_status(MarketStatus.HALTED)],
        [tick(100)],
        [("EXPIRED", "TIME", 1, 5, 101)],
        [],
    ),
    "one that is gone before does not end again": (
        [until(100, limit(1, 1, SELL, 5, 101)), cancel(1, 1)],
        [tick(100)],
        [],
        [],
    ),
    "what does not stand has no such time": (
        [tick(1)],
        [
            until(100, limit(1, 1, SELL, 5, 101, IOC)),
            until(100, market(1, 1, SELL, 5)),
            until(-1, limit(1, 1, SELL, 5, 101)),
        ],
        [
            ("REJECTED", "INVALID_COMMAND", 1, 5, 101),
            ("REJECTED", "INVALID_COMMAND", 1, 5, 0),
            ("REJECTED", "INVALID_COMMAND", 1, 5, 101),
        ],
        [],
    ),
}

QUEUE = [limit(1, 1, SELL, 5, 101), limit(2, 2, SELL, 5, 101), limit(3, 3, BUY, 5, 99)]

AMENDS: dict[str, Case] = {
    "less at the same price keeps the place": (
        QUEUE,
        [amend(1, 1, -3), amend(1, 1, -1, 101)],
        [("REDUCED", "REQUESTED", 1, 3, 101), ("REDUCED", "REQUESTED", 1, 1, 101)],
        [(3, 99, 5), (1, 101, 1), (2, 101, 5)],
    ),
    "more at the same price goes to the end": (
        QUEUE,
        [amend(1, 1, 1)],
        [("AMENDED", "NONE", 1, 6, 101), ("RESTED", "NONE", 1, 6, 101)],
        [(3, 99, 5), (2, 101, 5), (1, 101, 6)],
    ),
    "what trades before it comes does not change what the order is for": (
        QUEUE,
        [market(9, 9, BUY, 2), amend(1, 1, -2)],
        [("TRADE", 1, 9, 2, 101), ("REDUCED", "REQUESTED", 1, 2, 101)],
        [(3, 99, 5), (1, 101, 1), (2, 101, 5)],
    ),
    "another price is another place": (
        QUEUE,
        [amend(1, 1, 0, 103)],
        [("AMENDED", "NONE", 1, 5, 103), ("RESTED", "NONE", 1, 5, 103)],
        [(3, 99, 5), (2, 101, 5), (1, 103, 5)],
    ),
    "a price that crosses trades": (
        QUEUE,
        [amend(1, 1, 2, 99)],
        [
            ("AMENDED", "NONE", 1, 7, 99),
            ("TRADE", 3, 1, 5, 99),
            ("RESTED", "NONE", 1, 2, 99),
        ],
        [(1, 99, 2), (2, 101, 5)],
    ),
    "nothing new leaves it where it is": (
        QUEUE,
        [amend(1, 1), amend(1, 1, 0, 101)],
        [("AMENDED", "NONE", 1, 5, 101)] * 2,
        [(3, 99, 5), (1, 101, 5), (2, 101, 5)],
    ),
    "post-only into the other side is refused whole": (
        [*QUEUE, limit(4, 4, SELL, 5, 104, flags=POST_ONLY)],
        [amend(4, 4, 4, 99), amend(4, 4, 4, 100)],
        [
            ("AMEND_REJECTED", "POST_ONLY_WOULD_TAKE", 4, 0, 0),
            ("AMENDED", "NONE", 4, 9, 100),
            ("RESTED", "NONE", 4, 9, 100),
        ],
        [(3, 99, 5), (4, 100, 9), (1, 101, 5), (2, 101, 5)],
    ),
    "what is refused leaves the order": (
        QUEUE,
        [
            amend(1, 2, 3),
            amend(9, 1, 3),
            amend(1, 1, -5),
            amend(1, 1, SPEC.max_quantity_lots - 4),
            amend(1, 1, 0, -4),
            amend(1, 1, 0, 0, 104),
        ],
        [
            ("AMEND_REJECTED", "USER_MISMATCH", 1, 0, 0),
            ("AMEND_REJECTED", "ORDER_NOT_OPEN", 9, 0, 0),
            ("AMEND_REJECTED", "INVALID_QUANTITY", 1, 0, 0),
            ("AMEND_REJECTED", "INVALID_QUANTITY", 1, 0, 0),
            ("AMEND_REJECTED", "INVALID_PRICE", 1, 0, 0),
            ("AMEND_REJECTED", "INVALID_COMMAND", 1, 0, 0),
        ],
        [(3, 99, 5), (1, 101, 5), (2, 101, 5)],
    ),
    "a closed market amends nothing": (
        [*QUEUE, set_status(MarketStatus.CANCEL_ONLY)],
        [amend(1, 1, 3), set_status(MarketStatus.HALTED), amend(1, 1, 3)],
        [
            ("AMEND_REJECTED", "MARKET_CANCEL_ONLY", 1, 0, 0),
            ("STATUS_CHANGED", "NONE", 0, 3, 0),
            ("AMEND_REJECTED", "MARKET_HALTED", 1, 0, 0),
        ],
        [(3, 99, 5), (1, 101, 5), (2, 101, 5)],
    ),
    "its own order stops it": (
        [*QUEUE, limit(4, 1, BUY, 2, 98)],
        [cancel(3, 3), amend(1, 1, 0, 98)],
        [
            ("CANCELED", "REQUESTED", 3, 5, 99),
            ("AMENDED", "NONE", 1, 5, 98),
            ("EXPIRED", "SELF_TRADE_PREVENTION", 1, 5, 98),
        ],
        [(4, 98, 2), (2, 101, 5)],
    ),
    "its time stays with it": (
        [*QUEUE, until(100, limit(4, 4, BUY, 2, 98))],
        [amend(4, 4, 1), tick(100)],
        [
            ("AMENDED", "NONE", 4, 3, 98),
            ("RESTED", "NONE", 4, 3, 98),
            ("EXPIRED", "TIME", 4, 3, 98),
        ],
        [(3, 99, 5), (1, 101, 5), (2, 101, 5)],
    ),
    "one that waits waits for another price": (
        [*QUEUE, stop(4, 4, BUY, 2, 105)],
        [amend(4, 4, -1), amend(4, 4, 0, 0, 101), market(9, 9, BUY, 1)],
        [
            ("REDUCED", "REQUESTED", 4, 1, 0),
            ("AMENDED", "NONE", 4, 1, 0),
            ("WAITING", "NONE", 4, 1, 0),
            ("TRADE", 1, 9, 1, 101),
            ("TRIGGERED", "NONE", 4, 1, 0),
            ("TRADE", 1, 4, 1, 101),
        ],
        [(3, 99, 5), (1, 101, 3), (2, 101, 5)],
    ),
}

LONG = [limit(90, 1, BUY, 10, 100), limit(91, 2, SELL, 10, 100), limit(50, 3, BUY, 40, 90)]
"""Account 1 holds 10, which it may sell at 90."""
EXCESS = "REDUCE_ONLY_EXCESS"
SOLD = [market(9, 1, SELL, 10)]
SOLD_EVENT = ("TRADE", 50, 9, 10, 90)

TURNS: dict[str, Case] = {
    "one that only reduces goes on with what there is to reduce": (
        [*LONG, limit(1, 1, SELL, 4, 110, flags=REDUCE_ONLY)],
        [amend(1, 1, 20)],
        [
            ("AMENDED", "NONE", 1, 24, 110),
            ("REDUCED", EXCESS, 1, 14, 110),
            ("RESTED", "NONE", 1, 10, 110),
        ],
        [(50, 90, 40), (1, 110, 10)],
    ),
    "with all that it is for where it may open from now on": (
        [*LONG, limit(1, 1, SELL, 4, 110, flags=REDUCE_ONLY)],
        [amend(1, 1, 20, flags=MAY_OPEN), *SOLD, amend(1, 1, 1)],
        [
            ("AMENDED", "NONE", 1, 24, 110),
            ("RESTED", "NONE", 1, 24, 110),
            SOLD_EVENT,
            ("AMENDED", "NONE", 1, 25, 110),
            ("RESTED", "NONE", 1, 25, 110),
        ],
        [(50, 90, 30), (1, 110, 25)],
    ),
    "one that may open only reduces from now on": (
        [*LONG, limit(1, 1, SELL, 14, 110)],
        [amend(1, 1, 0, 111, flags=REDUCE_ONLY), *SOLD],
        [
            ("AMENDED", "NONE", 1, 14, 111),
            ("REDUCED", EXCESS, 1, 4, 111),
            ("RESTED", "NONE", 1, 10, 111),
            SOLD_EVENT,
            ("CANCELED", EXCESS, 1, 10, 111),
        ],
        [(50, 90, 30)],
    ),
    "what keeps its place stays what it is": (
        [*LONG, limit(1, 1, SELL, 4, 110, flags=REDUCE_ONLY), limit(2, 1, SELL, 4, 111)],
        [
            amend(1, 1, -1, flags=MAY_OPEN),
            amend(2, 1, -1, flags=REDUCE_ONLY),
            amend(1, 1, flags=MAY_OPEN),
            amend(2, 1, flags=REDUCE_ONLY),
            *SOLD,
        ],
        [
            ("REDUCED", "REQUESTED", 1, 1, 110),
            ("REDUCED", "REQUESTED", 2, 1, 111),
            ("AMENDED", "NONE", 1, 3, 110),
            ("AMENDED", "NONE", 2, 3, 111),
            SOLD_EVENT,
            ("CANCELED", EXCESS, 1, 3, 110),
        ],
        [(50, 90, 30), (2, 111, 3)],
    ),
    "one that comes to open trades beyond its position": (
        [*LONG, limit(1, 1, SELL, 4, 110, flags=REDUCE_ONLY)],
        [amend(1, 1, 20, 90, flags=MAY_OPEN)],
        [("AMENDED", "NONE", 1, 24, 90), ("TRADE", 50, 1, 24, 90)],
        [(50, 90, 16)],
    ),
    "one that waits is triggered as what it has become": (
        [*LONG, stop(1, 1, SELL, 4, 95, flags=REDUCE_ONLY)],
        [amend(1, 1, 20, flags=MAY_OPEN), market(9, 9, SELL, 1)],
        [
            ("AMENDED", "NONE", 1, 24, 0),
            ("WAITING", "NONE", 1, 24, 0),
            ("TRADE", 50, 9, 1, 90),
            ("TRIGGERED", "NONE", 1, 24, 0),
            ("TRADE", 50, 1, 24, 90),
        ],
        [(50, 90, 15)],
    ),
    "or ends with the position that it has come to reduce": (
        [*LONG, stop(1, 1, SELL, 4, 80)],
        [amend(1, 1, 0, 0, 81, flags=REDUCE_ONLY), *SOLD],
        [
            ("AMENDED", "NONE", 1, 4, 0),
            ("WAITING", "NONE", 1, 4, 0),
            SOLD_EVENT,
            ("CANCELED", EXCESS, 1, 4, 0),
        ],
        [(50, 90, 30)],
    ),
    "none comes to reduce what is not there, as none is placed to": (
        [*LONG, limit(1, 1, BUY, 4, 88), stop(2, 4, SELL, 4, 80)],
        [amend(1, 1, 3, flags=REDUCE_ONLY), amend(2, 4, 3, flags=REDUCE_ONLY), amend(2, 4, 3)],
        [
            ("AMEND_REJECTED", "REDUCE_ONLY_WOULD_INCREASE", 1, 0, 0),
            ("AMEND_REJECTED", "REDUCE_ONLY_WOULD_INCREASE", 2, 0, 0),
            ("AMENDED", "NONE", 2, 7, 0),
            ("WAITING", "NONE", 2, 7, 0),
        ],
        [(50, 90, 40), (1, 88, 4)],
    ),
    "one that is refused stays what it is": (
        [*LONG, limit(1, 1, SELL, 4, 110, flags=POST_ONLY | REDUCE_ONLY)],
        [amend(1, 1, 20, 90, flags=MAY_OPEN), *SOLD],
        [
            ("AMEND_REJECTED", "POST_ONLY_WOULD_TAKE", 1, 0, 0),
            SOLD_EVENT,
            ("CANCELED", EXCESS, 1, 4, 110),
        ],
        [(50, 90, 30)],
    ),
    "both at once and whatever else is no amendment": (
        [*LONG, limit(1, 1, SELL, 4, 110), set_status(MarketStatus.HALTED)],
        [amend(1, 1, -1, flags=flags) for flags in (MAY_OPEN | REDUCE_ONLY, POST_ONLY, 32)],
        [("AMEND_REJECTED", "INVALID_COMMAND", 1, 0, 0)] * 3,
        [(50, 90, 40), (1, 110, 4)],
    ),
    "no order is placed with what only an amendment may say": (
        [*LONG],
        [limit(1, 1, SELL, 4, 110, flags=MAY_OPEN), stop(2, 1, SELL, 4, 80, flags=MAY_OPEN)],
        [
            ("REJECTED", "INVALID_COMMAND", 1, 4, 110),
            ("REJECTED", "INVALID_COMMAND", 2, 4, 0),
        ],
        [(50, 90, 40)],
    ),
}

CASES = {**ENDINGS, **AMENDS, **TURNS}


@pytest.mark.parametrize("case", CASES)
def test_an_order_ends_or_changes(engine: Engine, case: str) -> None:
    happens_as_told(engine, CASES[case])


@pytest.mark.parametrize("case", CASES)
def test_it_does_so_from_a_snapshot_too(engine: Engine, case: str) -> None:
    happens_as_told(engine, CASES[case], kept=True)


def test_one_row_ends_so_many_and_the_next_row_the_others(engine: Engine) -> None:
    count = EXPIRED_A_ROW_MAX + 20
    applied(engine, *[until(100, limit(n, n, SELL, 1, 100)) for n in range(1, count + 1)])
    assert len(applied(engine, tick(100))) == EXPIRED_A_ROW_MAX
    assert len(applied(engine, tick(100))) == 20
    assert applied(engine, tick(100)) == []


def test_an_order_that_ends_is_told_with_the_row_that_finds_it_late(engine: Engine) -> None:
    applied(engine, until(100, limit(1, 1, SELL, 5, 101)))
    event = engine.apply(tick(170))[0]
    assert (int(event["input_seq"]), int(event["time_us"])) == (2, 170)
    assert engine.input_seq == 2
