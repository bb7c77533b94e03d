"""Table-driven cases for a price-time book: initial book, incoming row, expected book and trades.

Columns are Side (B, O), OrderID, Type, MES, Time, Size, Price, some files with more behind them.
Types: 2 limit, 3 stop, 4 stop limit, 5 hidden with a minimum execution size. Only the cancel
cases have 3, 4 and 5, always in one-sided books of which the cancelled order is the only one
that is not a plain limit order: there a limit order of the same size and price stands in for
it, since what is asked is that it leaves and the others stay. Times are dropped: the rows are
in order of arrival. The expected book of limit case 7 says BO where it means O, the offer that
came in: the last letter counts.
"""

import csv
from pathlib import Path

import pytest

from sim.book.engine import MarketEngine
from sim.rows.messages import Rows, Side
from tests.sim.engine_rows import SPEC, Engine, applied, cancel, limit, resting
from tests.sim.naive_book import NaiveBook

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "matching_cases"
SIDES = {"B": Side.BUY, "O": Side.SELL}

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the matching cases are not here")


def case_numbers(folder: str) -> list[str]:
    """Numbers of the cases a folder's master file lists."""
    with (CASES / folder / f"{folder[0].upper()}{folder[1:]}Master.csv").open() as file:
        return [row["TestNumber"] for row in csv.DictReader(file) if row["TestNumber"]]


def cases(folder: str) -> list[str]:
    return case_numbers(folder) if CASES.is_dir() else []


def rows_of(folder: str, number: str, part: str) -> list[list[str]]:
    """The data rows of one file; none where the case has no such file."""
    path = CASES / folder / f"Test{number}_{part}.csv"
    lines = path.read_text().splitlines()[1:] if path.exists() else []
    return [line.split(",") for line in lines if line.strip()]


def order_of(row: list[str]) -> Rows:
    """A LIMIT row; the account is the order's own number, so nobody meets himself."""
    side, order_id, _type, _mes, _time, size, price = row[:7]
    return limit(int(order_id), int(order_id), SIDES[side], int(size), int(price))


def expected_book(folder: str, number: str) -> list[tuple[int, ...]]:
    """(order id, account, side, price, remaining, flags) as `resting` gives them, by id."""
    book = []
    for side, order_id, _type, _mes, _time, size, price, *_ in rows_of(folder, number, "Output"):
        book.append((int(order_id), int(order_id), SIDES[side[-1]], int(price), int(size), 0))
    return sorted(book)


def expected_trades(folder: str, number: str) -> list[tuple[int, int]]:
    return [(int(lots), int(price)) for _, price, lots in rows_of(folder, number, "Trades")]


def opened(maker: type[Engine], folder: str, number: str) -> Engine:
    engine = maker(SPEC)
    for row in rows_of(folder, number, "Init"):
        assert applied(engine, order_of(row))[0][0] == "RESTED"
    return engine


def test_all_cases_are_here() -> None:
    assert (len(cases("limitOrder")), len(cases("cancelOrder"))) == (12, 10)


@pytest.mark.parametrize("maker", [MarketEngine, NaiveBook])
@pytest.mark.parametrize("number", cases("limitOrder"))
def test_a_limit_order_does_what_the_case_says(maker: type[Engine], number: str) -> None:
    engine = opened(maker, "limitOrder", number)
    [incoming] = rows_of("limitOrder", number, "Input")
    events = applied(engine, order_of(incoming))
    trades = [(lots, price) for kind, _, _, lots, price in events if kind == "TRADE"]
    assert trades == expected_trades("limitOrder", number)
    assert sorted(resting(engine)) == expected_book("limitOrder", number)


@pytest.mark.parametrize("maker", [MarketEngine, NaiveBook])
@pytest.mark.parametrize("number", cases("cancelOrder"))
def test_a_cancel_does_what_the_case_says(maker: type[Engine], number: str) -> None:
    engine = opened(maker, "cancelOrder", number)
    [[_side, order_id, *_]] = rows_of("cancelOrder", number, "Input")
    [(kind, reason, *_)] = applied(engine, cancel(int(order_id), int(order_id)))
    was_there = bool(rows_of("cancelOrder", number, "Init"))
    expected = ("CANCELED", "REQUESTED") if was_there else ("CANCEL_REJECTED", "ORDER_NOT_OPEN")
    assert (kind, reason) == expected
    assert sorted(resting(engine)) == expected_book("cancelOrder", number)
    assert expected_trades("cancelOrder", number) == []
