"""A batch that was kept, applied again; one of before as its events tell it.

Rules change, and what has happened stays. Batches of rows of 56 bytes were decided by rules of
before: reduce-only orders could rest for more than their position, and fill-or-kill counted them.
Where today's rules come to something else, the book after such a batch is made of the book before
it and of its events.
"""

import numpy as np

from sim.book.arrays import POSITION, RESTING
from sim.book.damage import DamagedState
from sim.book.engine import MarketEngine
from sim.book.snapshots import Counted, header_bytes, read_snapshot
from sim.market import MarketSpec
from sim.rows.layouts import is_short, kept_rows
from sim.rows.messages import EVENT, CommandKind, EventKind, Rows, Side

NOT_AS_IT_WAS = "does not replay as it was"
REFUSALS = (EventKind.REJECTED, EventKind.CANCEL_REJECTED)


def replayed(engine: MarketEngine, inputs: bytes, events: bytes) -> MarketEngine:
    """The engine after a kept batch: the same one, or another where the batch had to be retold.

    Raises DamagedState where the batch comes to other events than those that were kept with it.
    """
    before = engine.snapshot() if is_short(inputs) else None
    rows = kept_rows(inputs)
    if engine.apply(rows).tobytes() == events:
        return engine
    if before is None:
        raise DamagedState(NOT_AS_IT_WAS)
    try:
        return retold(engine.spec, before, rows, np.frombuffer(events, EVENT))
    except ValueError as error:
        raise DamagedState(f"{NOT_AS_IT_WAS}: {error}") from None


def retold(spec: MarketSpec, before: bytes, rows: Rows, events: Rows) -> MarketEngine:
    """The engine whose snapshot was `before`, after these rows and what they came to.

    Raises DamagedState where that cannot have happened to it.
    """
    book = ToldBook(before)
    for event in events:
        book.learn(event)
    return MarketEngine.restore(spec, book.snapshot_after(rows))


class ToldBook:
    """What rests and who holds what, event by event. None of before has an order with terms."""

    def __init__(self, before: bytes) -> None:
        self._header, orders, positions, terms = read_snapshot(before)
        possible_if(len(terms) == 0, "an order has terms that its batch knows nothing of")
        self._orders = {int(order["order_id"]): order for order in orders.copy()}
        self._positions = {int(one["account_id"]): int(one["position_lots"]) for one in positions}
        self._event_seq = int(self._header["event_seq"])
        self._last_price_ticks = int(self._header["last_price_ticks"])
        self._status = int(self._header["status"])

    def learn(self, event: np.void) -> None:
        """One more thing has happened."""
        self._event_seq += 1
        possible_if(int(event["event_seq"]) == self._event_seq, "an event is missing")
        kind, order_id = int(event["kind"]), int(event["order_id"])
        if kind == EventKind.RESTED:
            possible_if(order_id not in self._orders, "an order rests twice")
            self._orders[order_id] = resting(event)
        elif kind == EventKind.TRADE:
            self._trade(event)
        elif kind in (EventKind.CANCELED, EventKind.EXPIRED):
            self._orders.pop(order_id, None)
        elif kind == EventKind.REDUCED:
            self._take(order_id, int(event["quantity_lots"]))
        elif kind == EventKind.STATUS_CHANGED:
            self._status = int(event["quantity_lots"])
        else:
            possible_if(kind in REFUSALS, "an event is of a kind that there was not")

    def _trade(self, event: np.void) -> None:
        lots, maker_order_id = int(event["quantity_lots"]), int(event["maker_order_id"])
        possible_if(maker_order_id in self._orders, "an order trades that does not rest")
        self._take(maker_order_id, lots)
        signed = lots if event["side"] == Side.BUY else -lots
        self._move(int(event["account_id"]), signed)
        self._move(int(event["maker_account_id"]), -signed)
        self._last_price_ticks = int(event["price_ticks"])

    def _take(self, order_id: int, lots: int) -> None:
        """A resting order loses lots; one that comes in loses them before it rests."""
        order = self._orders.get(order_id)
        if order is None:
            return
        possible_if(lots <= order["remaining_lots"], "an order loses more than it has")
        order["remaining_lots"] -= lots
        if order["remaining_lots"] == 0:
            del self._orders[order_id]

    def _move(self, account_id: int, signed_lots: int) -> None:
        self._positions[account_id] = self._positions.get(account_id, 0) + signed_lots

    def snapshot_after(self, rows: Rows) -> bytes:
        """The snapshot of the market, once it has taken these rows in."""
        orders, positions = self._resting_orders(), self._held()
        counted = Counted(
            self._event_seq,
            int(self._header["input_seq"]) + len(rows),
            self._last_price_ticks,
            self._status,
            len(orders),
            len(positions),
        )
        marks = rows["price_ticks"][rows["kind"] == CommandKind.SET_MARK]
        told = marks[marks > 0]
        mark_ticks = int(told[-1] if len(told) else self._header["mark_ticks"])
        return header_bytes(counted, mark_ticks, 0) + orders.tobytes() + positions.tobytes()

    def _resting_orders(self) -> Rows:
        """RESTING rows in the order of a snapshot: bids, then asks, by price and time."""
        orders = np.array(list(self._orders.values()), RESTING)
        prices, sides = orders["price_ticks"].astype(np.int64), orders["side"]
        worse = np.where(sides == Side.BUY, -prices, prices)
        return orders[np.lexsort((orders["accepted_seq"], worse, sides))]

    def _held(self) -> Rows:
        """POSITION rows by account."""
        held = sorted((account, lots) for account, lots in self._positions.items() if lots)
        return np.array(held, POSITION)


def possible_if(holds: object, what: str) -> None:
    if not holds:
        raise DamagedState(what)


def resting(event: np.void) -> np.void:
    """The RESTING row of an order that has come to rest."""
    order: np.void = np.zeros(1, RESTING)[0]
    for name in ("order_id", "account_id", "price_ticks", "side", "flags"):
        order[name] = event[name]
    order["remaining_lots"], order["accepted_seq"] = event["quantity_lots"], event["input_seq"]
    return order
