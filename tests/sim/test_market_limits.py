"""The quantities and prices of orders lie within what their market allows."""

from dataclasses import replace

import pytest

from sim.book.engine import MarketEngine
from sim.rows.messages import OrderFlag, Rows, TimeInForce
from tests.sim.engine_rows import BUY, SELL, SPEC, Builder, Engine, applied, limit, market
from tests.sim.naive_book import NaiveBook

IOC, REDUCE_ONLY = TimeInForce.IOC, OrderFlag.REDUCE_ONLY


def refused(engine: Engine, row: Rows) -> str | int:
    """The reason a row is rejected for; it must be all that happens."""
    [(kind, reason, *_)] = applied(engine, row)
    assert kind == "REJECTED"
    return reason


@pytest.mark.parametrize(("quantity_lots", "fits"), [(-1, 0), (0, 0), (1, 1), (10, 1), (11, 0)])
@pytest.mark.parametrize("maker", [MarketEngine, NaiveBook])
def test_quantities_lie_between_one_and_the_markets_limit(
    maker: type[Engine], quantity_lots: int, fits: int
) -> None:
    engine = maker(replace(SPEC, max_quantity_lots=10))
    [(kind, reason, *_)] = applied(engine, limit(1, 1, BUY, quantity_lots, 100))
    assert (kind, reason) == (("RESTED", "NONE") if fits else ("REJECTED", "INVALID_QUANTITY"))


@pytest.mark.parametrize("maker", [MarketEngine, NaiveBook])
@pytest.mark.parametrize("build", [limit, market])
def test_no_price_lies_above_the_markets_highest(maker: type[Engine], build: Builder) -> None:
    engine = maker(replace(SPEC, max_price_ticks=200))
    assert refused(engine, build(1, 1, BUY, 5, 201, IOC)) == "INVALID_PRICE"
    assert refused(engine, build(2, 1, SELL, 5, 201, IOC)) == "INVALID_PRICE"
    assert applied(engine, build(3, 1, BUY, 5, 200, IOC))[0][0] == "EXPIRED"


@pytest.mark.parametrize("maker", [MarketEngine, NaiveBook])
def test_no_order_is_smaller_than_the_markets_least_but_one_that_closes_less(
    maker: type[Engine],
) -> None:
    engine = maker(replace(SPEC, min_quantity_lots=4))
    assert refused(engine, limit(1, 1, SELL, 3, 100)) == "INVALID_QUANTITY"
    applied(engine, limit(1, 1, SELL, 4, 100), limit(2, 2, BUY, 4, 100))
    applied(engine, limit(3, 3, BUY, 9, 90), limit(4, 2, SELL, 3, 90, IOC, REDUCE_ONLY))
    assert engine.position_lots(2) == 1
    assert refused(engine, limit(5, 2, SELL, 1, 90)) == "INVALID_QUANTITY"
    assert refused(engine, limit(6, 2, SELL, 0, 90, flags=REDUCE_ONLY)) == "INVALID_QUANTITY"
    assert applied(engine, market(7, 2, SELL, 1, 0, IOC, REDUCE_ONLY)) == [("TRADE", 3, 7, 1, 90)]
    assert engine.position_lots(2) == 0
