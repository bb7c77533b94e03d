"""What a fill-or-kill counts, and what counting costs: levels, not the orders that wait there."""

import numpy as np
import pytest

from sim.book import matching
from sim.book.arrays import CURSOR, EVENT_COUNT, Book, new_book
from sim.book.engine import MarketEngine
from sim.book.events import EVENT_WORDS
from sim.book.queues import DONE
from sim.rows.messages import EVENT, OrderFlag, TimeInForce
from tests.sim.engine_rows import BUY, SELL, SPEC, applied, limit, told
from tests.sim.naive_book import NaiveBook

FOK = TimeInForce.FOK
REDUCE_ONLY = OrderFlag.REDUCE_ONLY
FALSE_LOTS = 10**6


def ran(book: Book, *rows):
    """What the kernel says of rows, without an engine between."""
    commands = np.concatenate(rows)
    events = np.zeros((1000, EVENT_WORDS), np.int64)
    book.state[CURSOR] = book.state[EVENT_COUNT] = 0
    assert matching.run(book, commands, events) == DONE
    return told(events[: int(book.state[EVENT_COUNT])].view(EVENT).reshape(-1))


def test_what_a_level_holds_is_read_from_its_sums_not_from_its_orders():
    book = new_book(SPEC, 100)
    ran(book, *(limit(n, n, SELL, 1, 100 + n % 5) for n in range(1, 51)))
    book.orders["remaining_lots"][1:51] = FALSE_LOTS
    assert ran(book, limit(99, 99, BUY, 51, 104, FOK)) == [
        ("EXPIRED", "FOK_UNFILLABLE", 99, 51, 104)
    ]


@pytest.fixture(params=[MarketEngine, NaiveBook])
def engine(request):
    return request.param(SPEC)


def test_an_own_order_behind_others_at_a_price_does_not_stop_what_is_before_it(engine):
    applied(engine, limit(1, 1, SELL, 5, 100), limit(2, 9, SELL, 5, 100), limit(3, 2, SELL, 5, 100))
    assert applied(engine, limit(4, 9, BUY, 6, 100, FOK))[0][:2] == ("EXPIRED", "FOK_UNFILLABLE")
    assert applied(engine, limit(5, 9, BUY, 5, 100, FOK)) == [("TRADE", 1, 5, 5, 100)]


def test_the_best_of_several_own_orders_is_the_one_that_stops(engine):
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


def test_reduce_only_orders_of_others_count_as_nothing_also_when_partly_filled(engine):
    applied(engine, limit(1, 1, BUY, 8, 90), limit(2, 2, SELL, 8, 90))
    applied(
        engine,
        limit(3, 1, SELL, 6, 100, flags=REDUCE_ONLY),
        limit(4, 3, SELL, 4, 100),
        limit(5, 8, BUY, 2, 100),
    )
    assert applied(engine, limit(6, 9, BUY, 5, 100, FOK))[0][:2] == ("EXPIRED", "FOK_UNFILLABLE")
    assert applied(engine, limit(7, 9, BUY, 4, 100, FOK)) == [("TRADE", 3, 7, 4, 100)]
