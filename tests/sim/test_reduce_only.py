"""Resting reduce-only orders never ask for more than their account's position allows."""

from dataclasses import replace

import numpy as np
import pytest

from sim.book.engine import MarketEngine
from sim.rows.messages import EventKind, OrderFlag, Rows, TimeInForce
from tests.sim.engine_rows import (
    BUY,
    SELL,
    SPEC,
    Engine,
    Happened,
    applied,
    cancel,
    limit,
    market,
    resting,
    set_mark,
    told,
)
from tests.sim.naive_book import NaiveBook

IOC, FOK = TimeInForce.IOC, TimeInForce.FOK
POST_ONLY, REDUCE_ONLY = OrderFlag.POST_ONLY, OrderFlag.REDUCE_ONLY
BANDED = replace(SPEC, price_band_ppm=50_000)

LONG = [limit(90, 1, BUY, 10, 100), limit(91, 2, SELL, 10, 100)]
"""Account 1 holds 10, account 2 owes them."""
CLOSING = [
    limit(1, 1, SELL, 4, 110, flags=REDUCE_ONLY),
    limit(2, 1, SELL, 3, 105, flags=REDUCE_ONLY),
    limit(3, 1, SELL, 3, 108, flags=REDUCE_ONLY),
]
"""All of it is to be sold: 2 first, 3 then, 1 last; 1 is the oldest and 3 the newest."""


@pytest.fixture(params=[MarketEngine, NaiveBook])
def engine(request: pytest.FixtureRequest) -> Engine:
    made: Engine = request.param(BANDED)
    return made


def reducing(
    order_id: int, side: int, lots: int, price: int, tif: int = TimeInForce.GTC, flags: int = 0
) -> Rows:
    return limit(order_id, 1, side, lots, price, tif, REDUCE_ONLY | flags)


def left(engine: Engine) -> dict[int, int]:
    """What rests of account 1, by order id."""
    return {row[0]: row[4] for row in resting(engine) if row[1] == 1}


BID = limit(50, 3, BUY, 50, 101)
GONE = ("CANCELED", "REDUCE_ONLY_EXCESS")
CUT = ("REDUCED", "REDUCE_ONLY_EXCESS")

CASES: dict[str, tuple[list[Rows], Rows, list[Happened], dict[int, int]]] = {
    "a sale cuts the newest first, and in part": (
        [BID],
        limit(9, 1, SELL, 2, 101),
        [("TRADE", 50, 9, 2, 101), (*CUT, 3, 2, 108)],
        {1: 4, 2: 3, 3: 1},
    ),
    "what a sale takes from more than one leaves none of the newest": (
        [BID],
        limit(9, 1, SELL, 5, 101),
        [("TRADE", 50, 9, 5, 101), (*GONE, 3, 3, 108), (*CUT, 2, 2, 105)],
        {1: 4, 2: 1},
    ),
    "nothing is left when flat": (
        [BID],
        limit(9, 1, SELL, 10, 101),
        [("TRADE", 50, 9, 10, 101), (*GONE, 3, 3, 108), (*GONE, 2, 3, 105), (*GONE, 1, 4, 110)],
        {},
    ),
    "nor when flipped": (
        [BID],
        market(9, 1, SELL, 25),
        [("TRADE", 50, 9, 25, 101), (*GONE, 3, 3, 108), (*GONE, 2, 3, 105), (*GONE, 1, 4, 110)],
        {},
    ),
    "a plain order of the account that is taken cuts as well": (
        [limit(8, 1, SELL, 4, 103)],
        limit(9, 3, BUY, 6, 106),
        [
            ("TRADE", 8, 9, 4, 103),
            (*GONE, 3, 3, 108),
            (*CUT, 2, 1, 105),
            ("TRADE", 2, 9, 2, 105),
        ],
        {1: 4},
    ),
    "an order of its own that trades cuts nothing": (
        [],
        limit(9, 3, BUY, 5, 108),
        [("TRADE", 2, 9, 3, 105), ("TRADE", 3, 9, 2, 108)],
        {1: 4, 3: 1},
    ),
    "a purchase allows more and cuts nothing": (
        [limit(50, 3, SELL, 5, 104)],
        limit(9, 1, BUY, 5, 104),
        [("TRADE", 50, 9, 5, 104)],
        {1: 4, 2: 3, 3: 3},
    ),
    "the taker's are cut once, when it is done": (
        [limit(50, 3, BUY, 1, 102), limit(51, 4, BUY, 1, 101), limit(52, 3, BUY, 5, 100)],
        limit(9, 1, SELL, 3, 100, IOC),
        [
            ("TRADE", 50, 9, 1, 102),
            ("TRADE", 51, 9, 1, 101),
            ("TRADE", 52, 9, 1, 100),
            (*GONE, 3, 3, 108),
        ],
        {1: 4, 2: 3},
    ),
    "a reduce-only taker cuts the others": (
        [BID],
        reducing(9, SELL, 4, 101, IOC),
        [("TRADE", 50, 9, 4, 101), (*GONE, 3, 3, 108), (*CUT, 2, 1, 105)],
        {1: 4, 2: 2},
    ),
    "MARKET to close all": (
        [BID],
        market(9, 1, SELL, 12, flags=REDUCE_ONLY),
        [
            ("TRADE", 50, 9, 10, 101),
            (*GONE, 3, 3, 108),
            (*GONE, 2, 3, 105),
            (*GONE, 1, 4, 110),
            (*GONE, 9, 2, 0),
        ],
        {},
    ),
    "FOK to close all": (
        [BID],
        reducing(9, SELL, 10, 101, FOK),
        [("TRADE", 50, 9, 10, 101), (*GONE, 3, 3, 108), (*GONE, 2, 3, 105), (*GONE, 1, 4, 110)],
        {},
    ),
    "FOK for more than the position": (
        [BID],
        reducing(9, SELL, 11, 101, FOK),
        [("EXPIRED", "FOK_UNFILLABLE", 9, 11, 101)],
        {1: 4, 2: 3, 3: 3},
    ),
    "one more that can only rest does not, for the others reduce all there is": (
        [],
        reducing(9, SELL, 5, 120),
        [(*GONE, 9, 5, 120)],
        {1: 4, 2: 3, 3: 3},
    ),
    "nor does one that is post-only": (
        [],
        reducing(9, SELL, 5, 120, flags=POST_ONLY),
        [(*GONE, 9, 5, 120)],
        {1: 4, 2: 3, 3: 3},
    ),
    "what is left of a taker gives way to those that rest": (
        [limit(50, 3, BUY, 2, 101)],
        reducing(9, SELL, 6, 101),
        [("TRADE", 50, 9, 2, 101), (*CUT, 3, 2, 108), (*GONE, 9, 4, 101)],
        {1: 4, 2: 3, 3: 1},
    ),
    "IOC that finds nobody expires as any other": (
        [],
        reducing(9, SELL, 5, 120, IOC),
        [("EXPIRED", "IOC_UNFILLED", 9, 5, 120)],
        {1: 4, 2: 3, 3: 3},
    ),
    "an own order stops it": (
        [limit(8, 1, BUY, 1, 102)],
        reducing(9, SELL, 5, 101),
        [("EXPIRED", "SELF_TRADE_PREVENTION", 9, 5, 101)],
        {1: 4, 2: 3, 3: 3, 8: 1},
    ),
    "the wrong side is rejected": (
        [],
        reducing(9, BUY, 5, 99),
        [("REJECTED", "REDUCE_ONLY_WOULD_INCREASE", 9, 5, 99)],
        {1: 4, 2: 3, 3: 3},
    ),
}


@pytest.mark.parametrize(("before", "order", "events", "book"), CASES.values(), ids=CASES)
def test_orders_that_close_a_position_of_ten(
    engine: Engine, before: list[Rows], order: Rows, events: list[Happened], book: dict[int, int]
) -> None:
    applied(engine, *LONG, *CLOSING, *before)
    assert applied(engine, order) == events
    assert left(engine) == book


def test_an_order_rests_beside_others_with_the_excess_reduced_away(engine: Engine) -> None:
    applied(engine, *LONG, *CLOSING, cancel(3, 1))
    assert applied(engine, reducing(9, SELL, 5, 120, flags=POST_ONLY)) == [
        (*CUT, 9, 2, 120),
        ("RESTED", "NONE", 9, 3, 120),
    ]
    assert left(engine) == {1: 4, 2: 3, 9: 3}


def test_what_lies_beyond_the_band_is_canceled_for_that(engine: Engine) -> None:
    applied(engine, *LONG, set_mark(100))
    assert applied(engine, reducing(9, SELL, 15, 94)) == [("CANCELED", "PRICE_BAND", 9, 15, 94)]


def test_both_sides_of_a_trade_are_cut_the_makers_first(engine: Engine) -> None:
    short = limit(7, 2, BUY, 10, 95, flags=REDUCE_ONLY)
    applied(engine, *LONG, *CLOSING, short, limit(8, 1, SELL, 1, 101))
    assert applied(engine, limit(9, 2, BUY, 1, 101)) == [
        ("TRADE", 8, 9, 1, 101),
        (*CUT, 3, 1, 108),
        (*CUT, 7, 1, 95),
    ]


def test_a_cut_order_keeps_its_place_and_the_sums_of_its_level(engine: Engine) -> None:
    applied(engine, *LONG, *CLOSING, limit(6, 4, SELL, 5, 108), limit(50, 3, BUY, 2, 101))
    applied(engine, limit(8, 1, SELL, 2, 101))
    asks = [[int(cell) for cell in row] for row in engine.depth(9)[1]]
    assert asks == [[105, 3, 1], [108, 6, 2], [110, 4, 1]]
    assert applied(engine, limit(9, 5, BUY, 5, 108))[1:] == [
        ("TRADE", 3, 9, 1, 108),
        ("TRADE", 6, 9, 1, 108),
    ]


def test_a_transfer_cuts_what_rests_of_both_and_says_so() -> None:
    engine = MarketEngine(SPEC)
    applied(engine, *LONG, *CLOSING, limit(7, 2, BUY, 10, 95, flags=REDUCE_ONLY))
    before = engine.event_seq
    events = engine.transfer(1, 2, 8, 77)
    assert told(events) == [
        (*GONE, 3, 3, 108),
        (*GONE, 2, 3, 105),
        (*CUT, 1, 2, 110),
        (*CUT, 7, 8, 95),
    ]
    assert events["time_us"].tolist() == [77] * 4
    assert events["event_seq"].tolist() == list(range(before + 1, before + 5))
    assert (events["input_seq"] == engine.input_seq).all()
    assert (engine.position_lots(1), engine.position_lots(2)) == (2, -2)
    assert len(engine.transfer(1, 2, 2, 78)) == 2
    assert engine.open_order_count == 0


def with_reduce_only(data: bytes, order_ids: set[int]) -> bytes:
    """A snapshot in which these orders are reduce-only, as older engines let them rest."""
    memory = bytearray(data)
    engine = MarketEngine.restore(SPEC, data)
    rows = engine.resting_orders()
    begin = len(data) - len(engine.positions().tobytes()) - rows.nbytes
    orders = np.frombuffer(memory, rows.dtype, len(rows), begin)
    orders["flags"][np.isin(orders["order_id"], list(order_ids))] = REDUCE_ONLY
    return bytes(memory)


def test_orders_of_an_older_book_that_rest_too_much_are_cut_before_they_are_met() -> None:
    """Long 3 of 10, with 4 + 3 to sell and a purchase that would add: left from other times."""
    old = MarketEngine(SPEC)
    applied(old, *LONG, limit(92, 3, BUY, 7, 100), limit(93, 1, SELL, 7, 100))
    applied(old, limit(1, 1, SELL, 4, 110), limit(2, 1, SELL, 3, 105), limit(3, 1, BUY, 2, 99))
    data = with_reduce_only(old.snapshot(), {1, 2, 3})
    assert len(MarketEngine.restore(SPEC, data).resting_orders()) == 3
    for order in (limit(9, 9, BUY, 20, 120, IOC), limit(9, 9, SELL, 20, 90, IOC)):
        engine = MarketEngine.restore(SPEC, data)
        events = engine.apply(order)
        kinds = events["kind"].tolist()
        assert EventKind.REDUCED in kinds or EventKind.CANCELED in kinds
        assert abs(engine.position_lots(1)) <= 3
        rows = engine.resting_orders()
        assert rows["remaining_lots"].sum() <= abs(engine.position_lots(1))
    engine = MarketEngine.restore(SPEC, data)
    assert applied(engine, limit(9, 9, BUY, 7, 120, FOK))[0][1] == "FOK_UNFILLABLE"
    assert applied(engine, limit(9, 9, BUY, 3, 120, FOK))[-1][0] == "TRADE"
