"""No order takes beyond the price band around mark, and what lies beyond it does not rest."""

from dataclasses import replace

import pytest

from sim.book.engine import MarketEngine
from sim.rows.messages import MarketStatus, OrderFlag, Rows, TimeInForce
from tests.sim.engine_rows import (
    BUY,
    SELL,
    SPEC,
    Engine,
    Happened,
    applied,
    limit,
    market,
    resting,
    set_mark,
    set_status,
)
from tests.sim.naive_book import NaiveBook

IOC, FOK = TimeInForce.IOC, TimeInForce.FOK
POST_ONLY = OrderFlag.POST_ONLY
BANDED = replace(SPEC, price_band_ppm=50_000)
"""At a mark of 1,000: purchases up to 1,050, sales down to 950."""

ASKS = [limit(1, 1, SELL, 5, 1_040), limit(2, 2, SELL, 5, 1_050), limit(3, 3, SELL, 5, 1_051)]
BIDS = [limit(4, 1, BUY, 5, 960), limit(5, 2, BUY, 5, 950), limit(6, 3, BUY, 5, 949)]
ALL_SIX = [1, 2, 3, 4, 5, 6]


@pytest.fixture(params=[MarketEngine, NaiveBook])
def engine(request: pytest.FixtureRequest) -> Engine:
    made: Engine = request.param(BANDED)
    return made


def buy(lots: int, price: int, tif: int = TimeInForce.GTC, flags: int = 0) -> Rows:
    return limit(9, 9, BUY, lots, price, tif, flags)


def sell(lots: int, price: int, tif: int = TimeInForce.GTC, flags: int = 0) -> Rows:
    return limit(9, 9, SELL, lots, price, tif, flags)


TOOK_ASKS: list[Happened] = [("TRADE", 1, 9, 5, 1_040), ("TRADE", 2, 9, 5, 1_050)]
TOOK_BIDS: list[Happened] = [("TRADE", 4, 9, 5, 960), ("TRADE", 5, 9, 5, 950)]

CASES: dict[str, tuple[Rows, list[Happened], list[int]]] = {
    "a purchase within the band rests": (
        buy(12, 1_050),
        [*TOOK_ASKS, ("RESTED", "NONE", 9, 2, 1_050)],
        [9, 4, 5, 6, 3],
    ),
    "a purchase beyond it takes up to the edge, and the rest does not rest": (
        buy(12, 1_060),
        [*TOOK_ASKS, ("CANCELED", "PRICE_BAND", 9, 2, 1_060)],
        [4, 5, 6, 3],
    ),
    "a sale within the band rests": (
        sell(12, 950),
        [*TOOK_BIDS, ("RESTED", "NONE", 9, 2, 950)],
        [6, 9, 1, 2, 3],
    ),
    "a sale beyond it takes down to the edge, and the rest does not rest": (
        sell(12, 949),
        [*TOOK_BIDS, ("CANCELED", "PRICE_BAND", 9, 2, 949)],
        [6, 1, 2, 3],
    ),
    "an order that trades whole does not mind where its own limit lies": (
        buy(10, 2**31 - 1),
        TOOK_ASKS,
        [4, 5, 6, 3],
    ),
    "IOC that the band stopped": (
        buy(12, 1_051, IOC),
        [*TOOK_ASKS, ("EXPIRED", "PRICE_BAND", 9, 2, 1_051)],
        [4, 5, 6, 3],
    ),
    "IOC that its own limit stopped": (
        buy(12, 1_050, IOC),
        [*TOOK_ASKS, ("EXPIRED", "IOC_UNFILLED", 9, 2, 1_050)],
        [4, 5, 6, 3],
    ),
    "MARKET without a limit of its own": (
        market(9, 9, SELL, 12),
        [*TOOK_BIDS, ("EXPIRED", "PRICE_BAND", 9, 2, 0)],
        [6, 1, 2, 3],
    ),
    "MARKET that its own limit stopped": (
        market(9, 9, SELL, 12, 955),
        [TOOK_BIDS[0], ("EXPIRED", "MARKET_LIQUIDITY_EXHAUSTED", 9, 7, 955)],
        [5, 6, 1, 2, 3],
    ),
    "FOK counts up to the edge": (buy(10, 2_000, FOK), TOOK_ASKS, [4, 5, 6, 3]),
    "FOK counts no further": (
        buy(11, 2_000, FOK),
        [("EXPIRED", "FOK_UNFILLABLE", 9, 11, 2_000)],
        ALL_SIX,
    ),
    "post-only within the band would take": (
        sell(1, 950, flags=POST_ONLY),
        [("REJECTED", "POST_ONLY_WOULD_TAKE", 9, 1, 950)],
        ALL_SIX,
    ),
    "an own order stops before the band does": (
        limit(9, 2, BUY, 12, 1_060),
        [("TRADE", 1, 9, 5, 1_040), ("EXPIRED", "SELF_TRADE_PREVENTION", 9, 7, 1_060)],
        ALL_SIX[1:],
    ),
    "an own order beyond the band stops nothing": (
        limit(9, 3, BUY, 12, 1_060, IOC),
        [*TOOK_ASKS, ("EXPIRED", "PRICE_BAND", 9, 2, 1_060)],
        [4, 5, 6, 3],
    ),
}


@pytest.mark.parametrize(("order", "events", "book"), CASES.values(), ids=CASES)
def test_an_order_and_the_band_around_a_mark_of_a_thousand(
    engine: Engine, order: Rows, events: list[Happened], book: list[int]
) -> None:
    applied(engine, *ASKS, *BIDS, set_mark(1_000))
    assert applied(engine, order) == events
    assert sorted(row[0] for row in resting(engine)) == sorted(book)


EMPTY_BOOK = {
    "IOC": (buy(3, 1_060, IOC), "IOC_UNFILLED"),
    "MARKET": (market(9, 9, BUY, 3), "MARKET_LIQUIDITY_EXHAUSTED"),
}


@pytest.mark.parametrize(("order", "reason"), EMPTY_BOOK.values(), ids=EMPTY_BOOK)
def test_an_empty_book_is_not_the_bands_doing(engine: Engine, order: Rows, reason: str) -> None:
    applied(engine, set_mark(1_000))
    assert applied(engine, order)[0][:2] == ("EXPIRED", reason)


@pytest.mark.parametrize(("price", "side"), [(1_051, BUY), (949, SELL)])
@pytest.mark.parametrize("flags", [0, POST_ONLY])
def test_an_order_that_meets_nobody_rests_within_the_band_alone(
    engine: Engine, price: int, side: int, flags: int
) -> None:
    applied(engine, set_mark(1_000))
    events = applied(engine, limit(1, 1, side, 5, price, flags=flags))
    assert events == [("CANCELED", "PRICE_BAND", 1, 5, price)]
    other = SELL if side == BUY else BUY
    assert applied(engine, limit(2, 1, other, 5, price, flags=flags))[0][0] == "RESTED"


def test_before_a_mark_is_known_every_price_does(engine: Engine) -> None:
    applied(engine, limit(1, 1, SELL, 5, 2**31 - 1), limit(2, 1, BUY, 5, 1))
    assert applied(engine, market(3, 2, BUY, 1))[0][0] == "TRADE"
    assert applied(engine, market(4, 2, SELL, 1))[0][0] == "TRADE"


@pytest.mark.parametrize(
    ("side", "price", "rests"),
    [(BUY, 1_061, False), (BUY, 1_060, True), (SELL, 959, False), (SELL, 960, True)],
)
def test_the_edges_lie_within_the_band_to_the_tick(
    engine: Engine, side: int, price: int, rests: bool
) -> None:
    """5 % of 1,010 is 50.5."""
    applied(engine, set_mark(1_010))
    [(kind, reason, *_)] = applied(engine, limit(1, 1, side, 1, price))
    assert (kind, reason) == (("RESTED", "NONE") if rests else ("CANCELED", "PRICE_BAND"))


def test_a_mark_that_moves_leaves_what_rests_and_moves_what_is_taken(engine: Engine) -> None:
    applied(engine, set_mark(1_000), limit(1, 1, SELL, 5, 1_040), limit(2, 2, BUY, 5, 960))
    applied(engine, set_mark(900))
    assert len(resting(engine)) == 2
    assert applied(engine, market(3, 3, BUY, 5))[0][:2] == ("EXPIRED", "PRICE_BAND")
    assert applied(engine, market(4, 3, SELL, 5)) == [("TRADE", 2, 4, 5, 960)]


def test_a_mark_writes_no_event_and_counts_as_a_row(engine: Engine) -> None:
    assert applied(engine, set_status(MarketStatus.HALTED), set_mark(1_000))[1:] == []
    assert (engine.input_seq, engine.event_seq, engine.mark_ticks) == (2, 1, 1_000)


@pytest.mark.parametrize("mark_ticks", [0, -1])
def test_a_mark_that_is_no_price_is_an_invalid_command(engine: Engine, mark_ticks: int) -> None:
    applied(engine, set_mark(1_000))
    assert applied(engine, set_mark(mark_ticks))[0][:2] == ("REJECTED", "INVALID_COMMAND")
    assert engine.mark_ticks == 1_000


def test_the_mark_comes_back_with_a_snapshot_and_is_part_of_the_hash() -> None:
    engine = MarketEngine(BANDED)
    before = engine.state_hash()
    applied(engine, set_mark(1_000))
    assert engine.state_hash() != before
    other = MarketEngine.restore(BANDED, engine.snapshot())
    assert (other.mark_ticks, other.state_hash()) == (1_000, engine.state_hash())
    assert applied(other, limit(1, 1, BUY, 1, 1_051))[0][1] == "PRICE_BAND"


BEFORE_MARKS = bytes.fromhex(
    "53414e445049543102000000000000000200000000000000630000000000000001000000000000000100000000000000"
    "020000000000000001000000000000000100000000000000050000000000000001000000000000006300000001000000"
    "010000000000000004000000000000000200000000000000fcffffffffffffff"
)
"""A purchase of 9 and a sale of 4 at 99, as an engine wrote it that knew no marks."""

ITS_HASH = "44087e99258a90e07b7dc4789c6a9f98263c1a98ef1a2e960092eb8c4e140440"


def test_a_snapshot_from_before_there_were_marks_comes_back_to_its_hash_with_no_mark() -> None:
    engine = MarketEngine.restore(BANDED, BEFORE_MARKS)
    assert (engine.mark_ticks, engine.state_hash().hex()) == (0, ITS_HASH)
    assert resting(engine) == [(1, 1, BUY, 99, 5, 0)]
    applied(engine, set_mark(100))
    assert MarketEngine.restore(BANDED, engine.snapshot()).mark_ticks == 100
