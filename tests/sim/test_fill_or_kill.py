"""What a fill-or-kill counts, and what counting costs: levels, not the orders that wait there."""

from collections import Counter

import numpy as np

from sim.book import applying
from sim.book.arrays import CURSOR, EVENT_COUNT, Book, new_book
from sim.book.engine import MarketEngine
from sim.book.fill_or_kill import WALK_ORDERS_MAX
from sim.book.queues import DONE
from sim.rows.columns import EVENT_WORDS
from sim.rows.messages import EVENT, OrderFlag, Rows, TimeInForce, joined
from tests.sim.engine_rows import BUY, SELL, SPEC, Engine, Happened, applied, limit, told
from tests.sim.naive_book import NaiveBook

SEED = 31_415
FOK, IOC = TimeInForce.FOK, TimeInForce.IOC
REDUCE_ONLY = OrderFlag.REDUCE_ONLY
FALSE_LOTS = 10**6


def ran(book: Book, *rows: Rows) -> list[Happened]:
    """What the kernel says of rows, without an engine between."""
    commands = joined(rows)
    events = np.zeros((1000, EVENT_WORDS), np.int64)
    book.state[CURSOR] = book.state[EVENT_COUNT] = 0
    assert applying.run(book, commands, events) == DONE
    return told(events[: int(book.state[EVENT_COUNT])].view(EVENT).reshape(-1))


def test_what_a_level_holds_is_read_from_its_sums_not_from_its_orders() -> None:
    book = new_book(SPEC, 100)
    ran(book, *(limit(n, n, SELL, 1, 100 + n % 5) for n in range(1, 51)))
    book.orders["remaining_lots"][1:51] = FALSE_LOTS
    assert ran(book, limit(99, 99, BUY, 51, 104, FOK)) == [
        ("EXPIRED", "FOK_UNFILLABLE", 99, 51, 104)
    ]


def test_an_own_order_behind_others_at_a_price_does_not_stop_what_is_before_it(
    engine: Engine,
) -> None:
    applied(engine, limit(1, 1, SELL, 5, 100), limit(2, 9, SELL, 5, 100), limit(3, 2, SELL, 5, 100))
    assert applied(engine, limit(4, 9, BUY, 6, 100, FOK))[0][:2] == ("EXPIRED", "FOK_UNFILLABLE")
    assert applied(engine, limit(5, 9, BUY, 5, 100, FOK)) == [("TRADE", 1, 5, 5, 100)]


def test_the_best_of_several_own_orders_is_the_one_that_stops(engine: Engine) -> None:
    applied(
        engine,
        limit(1, 9, SELL, 5, 103),
        limit(2, 9, SELL, 5, 101),
        limit(3, 1, SELL, 5, 100),
        limit(4, 2, SELL, 5, 102),
        limit(5, 9, BUY, 5, 99),
    )
    assert applied(engine, limit(6, 9, BUY, 6, 103, FOK))[0][:2] == ("EXPIRED", "FOK_UNFILLABLE")
    assert applied(engine, limit(7, 9, BUY, 5, 103, FOK)) == [("TRADE", 3, 7, 5, 100)]


def test_reduce_only_orders_of_others_count_for_what_is_left_of_them(engine: Engine) -> None:
    applied(engine, limit(1, 1, BUY, 8, 90), limit(2, 2, SELL, 8, 90))
    applied(
        engine,
        limit(3, 1, SELL, 6, 100, flags=REDUCE_ONLY),
        limit(4, 3, SELL, 4, 100),
        limit(5, 8, BUY, 2, 100),
    )
    assert applied(engine, limit(6, 9, BUY, 9, 100, FOK))[0][:2] == ("EXPIRED", "FOK_UNFILLABLE")
    assert applied(engine, limit(7, 9, BUY, 8, 100, FOK)) == [
        ("TRADE", 3, 7, 4, 100),
        ("TRADE", 4, 7, 4, 100),
    ]


def test_a_plain_order_before_it_takes_off_what_a_reduce_only_order_of_its_account_gives(
    engine: Engine,
) -> None:
    applied(engine, limit(1, 1, BUY, 8, 90), limit(2, 2, SELL, 8, 90))
    applied(
        engine,
        limit(3, 1, SELL, 6, 100),
        limit(4, 1, SELL, 6, 101, flags=REDUCE_ONLY),
        limit(5, 3, SELL, 1, 102),
    )
    assert applied(engine, limit(6, 9, BUY, 10, 102, FOK))[0][:2] == ("EXPIRED", "FOK_UNFILLABLE")
    assert applied(engine, limit(7, 9, BUY, 9, 102, FOK)) == [
        ("TRADE", 3, 7, 6, 100),
        ("REDUCED", "REDUCE_ONLY_EXCESS", 4, 4, 101),
        ("TRADE", 4, 7, 2, 101),
        ("TRADE", 5, 7, 1, 102),
    ]


def test_a_newer_order_behind_bears_the_cut_first(engine: Engine) -> None:
    applied(engine, limit(1, 1, BUY, 10, 90), limit(2, 2, SELL, 10, 90))
    applied(
        engine,
        limit(3, 1, SELL, 4, 100),
        limit(4, 1, SELL, 5, 101, flags=REDUCE_ONLY),
        limit(5, 1, SELL, 5, 102, flags=REDUCE_ONLY),
    )
    assert applied(engine, limit(6, 9, BUY, 10, 101, FOK))[0][:2] == ("EXPIRED", "FOK_UNFILLABLE")
    assert applied(engine, limit(7, 9, BUY, 9, 101, FOK)) == [
        ("TRADE", 3, 7, 4, 100),
        ("REDUCED", "REDUCE_ONLY_EXCESS", 5, 4, 102),
        ("TRADE", 4, 7, 5, 101),
    ]


def mixed_book(dice: np.random.Generator) -> list[Rows]:
    """Rows after which a few accounts hold positions and offer, plain and to reduce them."""
    rows = [limit(n, n, BUY, int(dice.integers(1, 20)), 90) for n in range(1, 5)]
    rows.append(limit(10, 10, SELL, 200, 90, IOC))
    for order_id in range(20, 20 + int(dice.integers(2, 14))):
        account, flags = int(dice.integers(1, 6)), int(dice.choice([0, REDUCE_ONLY]))
        price, lots = int(dice.integers(100, 105)), int(dice.integers(1, 12))
        rows.append(limit(order_id, account, SELL, lots, price, flags=flags))
    return rows


def test_a_fok_order_trades_exactly_where_it_can_trade_whole() -> None:
    print(f"seed {SEED}")
    dice = np.random.default_rng(SEED)
    seen: Counter[tuple[str, bool]] = Counter()
    for _ in range(3_000):
        engine, naive, rows = MarketEngine(SPEC), NaiveBook(SPEC), mixed_book(dice)
        applied(engine, *rows), applied(naive, *rows)
        offered = sum(lots for price, lots, _ in engine.depth(9)[1].tolist() if price <= 103)
        order = limit(99, 9, BUY, max(1, offered - int(dice.integers(0, 6))), 103, FOK)
        told_of_it = applied(engine, order)
        assert told_of_it == applied(naive, order)
        seen[told_of_it[0][0], any(kind == "REDUCED" for kind, *_ in told_of_it)] += 1
    assert min(seen["EXPIRED", False], seen["TRADE", False], seen["TRADE", True]) > 100, seen


def test_how_many_orders_a_fok_order_looks_at_has_an_end() -> None:
    engine, half = MarketEngine(SPEC), WALK_ORDERS_MAX // 2
    applied(engine, limit(1, 1, BUY, 2, 90), limit(2, 2, SELL, 2, 90))
    applied(engine, *[limit(100 + n, 3, SELL, 1, 100) for n in range(WALK_ORDERS_MAX)])
    applied(engine, limit(3, 1, SELL, 2, 99, flags=REDUCE_ONLY))
    assert len(applied(engine, limit(4, 9, BUY, half, 100, FOK))) == half - 1
    applied(engine, limit(5, 1, BUY, 2, 98), limit(6, 2, SELL, 2, 98))
    applied(engine, *[limit(-100 - n, 3, SELL, 1, 100) for n in range(half)])
    applied(engine, limit(7, 1, SELL, 2, 101, flags=REDUCE_ONLY))
    all_of_it = WALK_ORDERS_MAX - half + 2 + half + 2
    assert applied(engine, limit(8, 9, BUY, all_of_it, 101, FOK))[0][1] == "FOK_UNFILLABLE"
    assert len(applied(engine, limit(9, 9, BUY, all_of_it, 101))) == all_of_it - 1
