"""The book is told mark in front of what it is asked, so that its price band replays."""

from sim.orders import OrderStatus
from sim.rows.layouts import kept_rows
from sim.rows.messages import CommandKind, Rows
from storage.reading.verification import verify_market
from tests.actors.house import MARKET, House, bytes_of
from tests.builders import order, trader
from tests.markets import ETH_PERP
from tests.waiting import eventually


def journalled(house: House) -> list[Rows]:
    """The inputs of every batch."""
    rows = house.database.execute(
        "SELECT inputs FROM journal WHERE market_id = %s ORDER BY batch_no", (MARKET,)
    ).fetchall()
    return [kept_rows(bytes_of(row[0])) for row in rows]


def marks(house: House) -> list[int]:
    """What the book was told; every time in front of other rows, in a batch of theirs."""
    told = []
    for rows in journalled(house):
        is_mark = rows["kind"] == CommandKind.SET_MARK
        assert not is_mark[1:].any()
        assert len(rows) > is_mark.sum()
        told += rows["price_ticks"][is_mark].tolist()
    return told


def moved(house: House, mark_ticks: int) -> None:
    house.database.execute("UPDATE market_prices SET mark_ticks = %s", (mark_ticks,))


def rested(house: House, account_id: int) -> None:
    placed = house.place_one(order(account_id))
    eventually(lambda: house.state(placed)[0] == OrderStatus.OPEN)


def test_the_book_is_told_mark_when_it_has_moved_and_something_is_asked(house: House) -> None:
    house.open()
    alice = trader(house.database, "100000")
    rested(house, alice)
    rested(house, alice)
    assert marks(house) == [5_991]
    moved(house, 6_100)

    def heard() -> bool:
        rested(house, alice)
        return marks(house) == [5_991, 6_100]

    eventually(heard)
    house.settled()
    house.close()
    house.open()
    rested(house, alice)
    assert marks(house) == [5_991, 6_100]
    house.close()
    assert verify_market(house.database, ETH_PERP).fault is None
