"""The first 999 messages of AAPL on 2012-06-21 (LOBSTER sample), replayed.

The sample begins inside a trading day and shows ten levels a side. A level is known from the
moment it is within those ten and empty: from there on every order at its price comes in by a
message. It is unknown again once it leaves the ten, where messages stop telling, and our book
forgets its orders. So our book is at any time a part of the true one, and an execution of an
order that it knows must meet exactly that order first.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from sim.book.engine import MarketEngine
from sim.rows.messages import EventKind, Side, TimeInForce
from tests.sim.engine_rows import SPEC, cancel, limit

SAMPLE = Path(__file__).parents[2].parent / "shared" / "data" / "lobster"
ADDED, REDUCED, DELETED, EXECUTED, EXECUTED_HIDDEN = 1, 2, 3, 4, 5
LEVELS = 10

Level: TypeAlias = tuple[Side, int]

pytestmark = pytest.mark.skipif(not SAMPLE.is_dir(), reason="the LOBSTER sample is not here")


def integers(name: str) -> list[list[int]]:
    """Rows of one of the two files; the message's time, its first column, in whole seconds."""
    [path] = SAMPLE.glob(f"*_{name}_10_first999.csv")
    with path.open() as file:
        return [[int(float(cell)) for cell in row] for row in csv.reader(file)]


def shown_levels(row: list[int]) -> dict[Level, int]:
    """(side, price) → size of the twenty levels of one row of the book."""
    shown: dict[Level, int] = {}
    for place in range(LEVELS):
        ask, ask_size, bid, bid_size = row[4 * place : 4 * place + 4]
        shown[Side.SELL, ask], shown[Side.BUY, bid] = ask_size, bid_size
    return shown


class Replay:
    """Our book, the levels we know, and which orders we hold."""

    def __init__(self) -> None:
        self.engine = MarketEngine(SPEC)
        self.held: dict[int, Level] = {}
        self.known: set[Level] = set()
        self.executions = self.compared = self.compared_with_orders = 0

    def take(self, message: list[int]) -> None:
        _, kind, order_id, size, price, direction = message
        side = Side.BUY if direction == 1 else Side.SELL
        if kind == ADDED:
            events = self.engine.apply(limit(order_id, 1, side, size, price))
            assert events["kind"].tolist() == [EventKind.RESTED]
            self.held[order_id] = (side, price)
        elif kind == DELETED and order_id in self.held:
            [event] = self.engine.apply(cancel(order_id, 1))
            assert (event["kind"], event["quantity_lots"]) == (EventKind.CANCELED, size)
            del self.held[order_id]
        elif kind == EXECUTED and order_id in self.held:
            self.execute(order_id, size, price, 3 - side)
        assert kind in (ADDED, DELETED, EXECUTED, EXECUTED_HIDDEN)

    def execute(self, order_id: int, size: int, price: int, side: int) -> None:
        """The other side comes, and must meet this order."""
        self.executions += 1
        taker = limit(10**12 + self.executions, 2, side, size, price, TimeInForce.IOC)
        [event] = self.engine.apply(taker)
        found = (event["kind"], event["maker_order_id"], event["quantity_lots"])
        assert found == (EventKind.TRADE, order_id, size)
        if order_id not in self.engine.resting_orders()["order_id"]:
            del self.held[order_id]

    def compare(self, shown: dict[Level, int]) -> None:
        """Every known level against the given book; then see which are known from here on."""
        worst = {side: [p for s, p in shown if s == side] for side in Side}
        edges = {Side.BUY: min(worst[Side.BUY]), Side.SELL: max(worst[Side.SELL])}
        levels = set(self.known) | set(self.held.values()) | set(shown)
        sizes = self.our_sizes()
        for side, price in levels:
            inside = price >= edges[side] if side == Side.BUY else price <= edges[side]
            if not inside:
                self.forget(side, price)
            elif (side, price) in self.known:
                assert sizes.get((side, price), 0) == shown.get((side, price), 0)
                self.compared += 1
                self.compared_with_orders += (side, price) in shown
            elif (side, price) not in shown:
                assert (side, price) not in sizes
                self.known.add((side, price))

    def our_sizes(self) -> dict[Level, int]:
        bids, asks = self.engine.depth(10_000)
        ours = {(Side.BUY, int(price)): int(size) for price, size, _ in bids}
        return ours | {(Side.SELL, int(price)): int(size) for price, size, _ in asks}

    def forget(self, side: Side, price: int) -> None:
        self.known.discard((side, price))
        for order_id in [key for key, level in self.held.items() if level == (side, price)]:
            self.engine.apply(cancel(order_id, 1))
            del self.held[order_id]


def empty_between(shown: dict[Level, int]) -> Iterator[Level]:
    """Levels that the book shows to be empty: on the grid of whole cents, between its own."""
    for side in Side:
        prices = [price for s, price in shown if s == side]
        for price in range(min(prices), max(prices), 100):
            if (side, price) not in shown:
                yield side, price


def test_every_level_whose_life_is_known_matches_row_by_row() -> None:
    messages, books = integers("message"), integers("orderbook")
    assert len(messages) == len(books) == 999
    replay = Replay()
    for message, book in zip(messages, books, strict=True):
        replay.take(message)
        shown = shown_levels(book)
        replay.compare(shown)
        replay.known.update(empty_between(shown))
    print(f"{replay.compared} comparisons, {replay.compared_with_orders} of levels with orders")
    print(f"{replay.executions} executions met their order")
    assert replay.compared_with_orders > 5_000
    assert replay.executions > 30
