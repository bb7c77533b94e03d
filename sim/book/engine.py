"""MarketEngine: COMMAND rows in, EVENT rows out; snapshot, restore and state hash.

The engine holds the arrays of one market's book and makes them grow; what the
rows mean is in applying.py. Beyond the docstrings of messages.py it keeps to these rules:

* A row that is refused still counts in `input_seq`. A CANCEL of order 0 is ORDER_NOT_OPEN.
* An order has one ending: its last TRADE, or one of REJECTED, CANCELED and EXPIRED.
* Resting reduce-only orders never ask for more than their position allows: in the row that
  changes it they are REDUCED, the newest first, or CANCELED with REDUCE_ONLY_EXCESS. One that
  comes in trades at most its position; of the rest it keeps what the others leave.
* FOK trades whole or expires: nothing counts behind an order of its own account, nor beyond its
  own position if reduce-only. Where it depends on others' reduce-only orders, it expires as well
  if more than WALK_ORDERS_MAX orders would have to be looked at.
* No order takes beyond the price band around the last mark it was told, on the side where that
  costs its owner; what would rest beyond is CANCELED with PRICE_BAND. Before a mark all prices do.
* An order of less than the market's least quantity or above its highest price is rejected; a
  reduce-only one may be of any quantity, so that the smallest position can be closed.
* An order that waits is accepted with WAITING and stands outside of the visible book. The price
  it waits for is looked at when it comes, at every trade and with every SET_MARK; what is met is
  TRIGGERED behind the row that did it, in the order in which it was met, and comes in as a PLACE
  would: post-only that would take is CANCELED. A closed market triggers nothing meanwhile.
* A reduce-only order that waits ends with the position, and is cut when it is triggered.
* AMEND is refused whole or done whole: less at the same price is REDUCED, for the reason
  REQUESTED, and stays; whatever else is AMENDED, leaves its place and comes in anew: reduce-only
  or not as AMEND says, else as it was. As a PLACE it becomes so only if there is what to reduce.
* Of two linked orders the first names itself, the second the first. It is refused where the first
  has gone, traded or been triggered, has its second, or would rest beside it on one side.
* CANCEL_REJECTED, AMEND_REJECTED and STATUS_CHANGED carry no price, side or flags.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from sys import getrefcount

import numpy as np
import numpy.typing as npt
from numpy.lib.recfunctions import repack_fields

from sim.book import applying, watching
from sim.book.arrays import (
    ACCOUNT_LIVE,
    BEST,
    COUNT,
    CURSOR,
    EVENT_COUNT,
    EVENT_SEQ,
    EVENTS_WANTED,
    HEAP_LENGTH,
    INPUT_SEQ,
    LAST_PRICE,
    MARK,
    ORDER_LIVE,
    POSITION,
    REDUCE_ONLY_COUNT,
    RESTING,
    STATUS,
    TERMS_LIVE,
    TERMS_SPARE,
    Book,
    memory_bytes,
    new_book,
)
from sim.book.events import BUY, SELL
from sim.book.growth import grown
from sim.book.heaps import DUE, EXPIRY, FALLING_MARK, RISING_MARK
from sim.book.open_orders import by_acceptance, orders_with_terms, without_facts
from sim.book.queues import DONE, EVENTS_FULL, WITH_TERMS, WITHOUT_TERMS
from sim.book.rules import move_band
from sim.book.snapshots import Counted, header_bytes, read_snapshot
from sim.book.term_walks import refill_open, refill_terms
from sim.book.walks import position_of, refill, write_depth, write_resting
from sim.market import BTC_PERP, QUANTITY_LOTS_MAX, MarketSpec
from sim.rows.columns import EVENT_WORDS
from sim.rows.messages import COMMAND, EVENT, MarketStatus, OrderType, Rows, joined

EVENTS_SPARE = 64
EVENTS_KEPT_MAX = 100_000
REFERENCES_OF_OUR_OWN = 2
"""The engine's attribute, and the argument of getrefcount itself."""


class MarketEngine:
    """One market's book, positions and counters."""

    def __init__(
        self, spec: MarketSpec, capacity_orders: int = 1024, capacity_terms: int = TERMS_SPARE
    ) -> None:
        assert 0 < spec.max_quantity_lots <= QUANTITY_LOTS_MAX, "max_quantity_lots out of range"
        assert spec.min_quantity_lots > 0, "min_quantity_lots out of range"
        self.spec = spec
        self._book = new_book(spec, capacity_orders, capacity_terms)
        self._events = np.empty((EVENTS_SPARE, EVENT_WORDS), np.int64)

    def apply(self, commands: Rows) -> Rows:
        """Apply COMMAND rows in order; answers their EVENT rows in an array of the caller's own."""
        assert commands.dtype == COMMAND, f"not COMMAND rows: {commands.dtype}"
        rows = np.ascontiguousarray(commands).view()
        rows.flags.writeable = False
        full, events = [], self._event_room(self._events_expected(len(rows)))
        run = applying.run
        while (short := run(self._book, rows, events)) != DONE:
            if short in (WITH_TERMS, WITHOUT_TERMS):
                run = watching.run_with_terms if short == WITH_TERMS else applying.run
            elif short == EVENTS_FULL:
                full.append(self._written(events))
                del events
                left = len(rows) - int(self._book.state[CURSOR])
                events = self._event_room(left + int(self._book.state[EVENTS_WANTED]))
            else:
                self._book = grown(self._book, short)
        self._book.state[CURSOR] = 0
        last = self._written(events)
        return joined([*full, last]) if full else last

    def _events_expected(self, rows: int) -> int:
        """Room that is seldom too small: half a trade a row, and one row that meets many orders."""
        met_by_one = min(2 * self.open_order_count, 2 * rows)
        return rows + rows // 2 + met_by_one + EVENTS_SPARE

    def _event_room(self, count: int) -> npt.NDArray[np.int64]:
        """A buffer for at least `count` events: the last one where no caller holds rows of it.

        Memory that was never touched costs more than the events written into it.
        """
        held_elsewhere = getrefcount(self._events) > REFERENCES_OF_OUR_OWN
        if held_elsewhere or not count <= len(self._events) <= EVENTS_KEPT_MAX:
            self._events = np.empty((count + EVENTS_SPARE, EVENT_WORDS), np.int64)
        return self._events

    def _written(self, events: npt.NDArray[np.int64]) -> Rows:
        """The EVENT rows of a buffer; copied where they would keep a much larger one alive."""
        count = int(self._book.state[EVENT_COUNT])
        self._book.state[EVENT_COUNT] = 0
        written = events[:count]
        if 4 * count < len(events):
            written = written.copy()
        return written.view(EVENT).reshape(count)

    @property
    def best_bid_ticks(self) -> int:
        """Highest price somebody wants to buy at, 0 for none."""
        return int(self._book.state[BEST + BUY])

    @property
    def best_ask_ticks(self) -> int:
        """Lowest price somebody wants to sell at, 0 for none."""
        return int(self._book.state[BEST + SELL])

    @property
    def last_price_ticks(self) -> int:
        """Price of the last trade, 0 before the first."""
        return int(self._book.state[LAST_PRICE])

    @property
    def mark_ticks(self) -> int:
        """The mark around which the price band lies, 0 before it was told one."""
        return int(self._book.state[MARK])

    @property
    def status(self) -> MarketStatus:
        """Which commands the market takes."""
        return MarketStatus(int(self._book.state[STATUS]))

    @property
    def event_seq(self) -> int:
        """How many events there have ever been; the number of the last."""
        return int(self._book.state[EVENT_SEQ])

    @property
    def input_seq(self) -> int:
        """How many rows were ever applied."""
        return int(self._book.state[INPUT_SEQ])

    @property
    def open_order_count(self) -> int:
        """How many orders rest or wait."""
        return int(self._book.state[ORDER_LIVE])

    @property
    def has_terms(self) -> bool:
        """Whether any order waits, ends at a time or is linked."""
        return bool(self._book.state[TERMS_LIVE])

    @property
    def next_expiry_us(self) -> int:
        """When the first order ends by its time, 0 for none."""
        book = self._book
        if book.state[HEAP_LENGTH + EXPIRY] == 0:
            return 0
        return int(book.terms["expires_us"][book.heaps[EXPIRY, 1]])

    @property
    def waits_on_mark(self) -> bool:
        """Whether an order waits for the mark to move."""
        state = self._book.state
        return bool(state[HEAP_LENGTH + RISING_MARK] + state[HEAP_LENGTH + FALLING_MARK])

    def is_due(self, time_us: int) -> bool:
        """Whether a TICK at this time would end or trigger an order."""
        triggers = self._book.state[HEAP_LENGTH + DUE] > 0 and self.status == MarketStatus.ACTIVE
        return triggers or 0 < self.next_expiry_us <= time_us

    @property
    def memory_bytes(self) -> int:
        """Bytes of the book's arrays as allocated, room to grow included."""
        return memory_bytes(self._book)

    def position_lots(self, account_id: int) -> int:
        """What an account has bought less what it has sold here."""
        return int(position_of(self._book, account_id))

    def tell_mark(self, mark_ticks: int) -> None:
        """What a SET_MARK row does, for a market that keeps no journal of its rows.

        The orders that it makes due are triggered behind the next row.
        """
        assert mark_ticks > 0, "a mark is a price"
        self._book.state[INPUT_SEQ] += 1
        move_band(self._book.state, mark_ticks)
        if self.has_terms:
            watching.tell_mark(self._book, mark_ticks)

    def transfer(
        self, from_account_id: int, to_account_id: int, signed_lots: int, time_us: int
    ) -> Rows:
        """Move lots from one position to another without an order; both have traded here.

        Answers EVENT rows, of the last row's input_seq, for the reduce-only orders that this cuts.
        """
        events = self._event_room(self._transfer_events())
        move = watching.transfer_with_terms if self._book.state[TERMS_LIVE] else applying.transfer
        move(self._book, events, from_account_id, to_account_id, signed_lots, time_us)
        return self._written(events)

    def _transfer_events(self) -> int:
        """Every reduce-only order and every one with terms may end, and two lose a part."""
        state = self._book.state
        return 2 + int(state[REDUCE_ONLY_COUNT]) + int(state[TERMS_LIVE])

    def positions(self) -> npt.NDArray[np.void]:
        """POSITION rows of all accounts that are not flat, by account id."""
        live = self._book.accounts[1 : int(self._book.state[ACCOUNT_LIVE]) + 1]
        ids, lots = live["account_id"], live["position_lots"]
        held = np.flatnonzero(lots)
        held = held[np.argsort(ids[held])]
        rows = np.zeros(len(held), POSITION)
        rows["account_id"], rows["position_lots"] = ids[held], lots[held]
        return rows

    def depth(self, levels: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """At most `levels` levels of bids and of asks, best first: (n, 3) int64 each.

        Columns: price_ticks, quantity_lots, order_count.
        """
        return self._depth_of(BUY, levels), self._depth_of(SELL, levels)

    def _depth_of(self, side: int, levels: int) -> npt.NDArray[np.int64]:
        rows = np.empty((min(levels, int(self._book.state[COUNT + side])), 3), np.int64)
        return rows[: write_depth(self._book, side, rows)]

    def resting_orders(self) -> npt.NDArray[np.void]:
        """RESTING rows: bids best first, then asks best first, oldest first at a price."""
        bids, asks = (int(self._book.state[COUNT + side]) for side in (BUY, SELL))
        rows = np.zeros(bids + asks, RESTING)
        write_resting(self._book, BUY, rows[:bids])
        write_resting(self._book, SELL, rows[bids:])
        return rows

    def waiting_orders(self) -> npt.NDArray[np.void]:
        """WAITING rows of the orders that wait for their trigger, oldest first."""
        rows = orders_with_terms(self._book)
        return rows[rows["order_type"] > 0]

    def open_orders(self) -> npt.NDArray[np.void]:
        """order_id and account_id of all orders that rest, in price-time order, then of those that
        wait."""
        names = ["order_id", "account_id"]
        rows = (self.resting_orders(), self.waiting_orders())
        return np.concatenate([repack_fields(one[names]) for one in rows])

    def snapshot(self) -> bytes:
        """All that matters of the state: equal states give equal bytes, however they came to be."""
        orders, positions = self.resting_orders(), self.positions()
        terms = without_facts(orders_with_terms(self._book))
        counted = Counted(
            self.event_seq,
            self.input_seq,
            self.last_price_ticks,
            self.status,
            len(orders),
            len(positions),
        )
        header = header_bytes(counted, self.mark_ticks, len(terms))
        return header + orders.tobytes() + positions.tobytes() + terms.tobytes()

    def state_hash(self) -> bytes:
        """32 bytes that two engines share exactly when they will behave alike for ever."""
        return blake2b(self.snapshot(), digest_size=32).digest()

    def _refill(self, kernel: Callable[[Book], int]) -> None:
        """Let a kernel enter its rows, growing as it asks."""
        while (short := kernel(self._book)) != DONE:
            self._book = grown(self._book, short)
        self._book.state[CURSOR] = 0

    @classmethod
    def restore(cls, spec: MarketSpec, data: bytes) -> MarketEngine:
        """The engine a snapshot was taken of. Raises DamagedState where `data` can be of none."""
        header, orders, positions, terms = read_snapshot(data)
        engine = cls(spec, max(1024, len(orders) + len(terms)), len(terms) + TERMS_SPARE)
        state = engine._book.state
        state[EVENT_SEQ], state[INPUT_SEQ] = header["event_seq"], header["input_seq"]
        state[LAST_PRICE], state[STATUS] = header["last_price_ticks"], header["status"]
        if header["mark_ticks"]:
            move_band(state, int(header["mark_ticks"]))
        first = orders[:0] if len(terms) else orders[np.argsort(orders["accepted_seq"])]
        engine._refill(lambda book: refill(book, first, positions))
        if len(terms):
            every = by_acceptance(orders, terms)
            engine._refill(lambda book: refill_open(book, every))
            refill_terms(engine._book, terms)
        return engine


WARM_UP_ORDERS = 80
"""More than a new book has room for, of orders and of accounts."""


def warm_up(spec: MarketSpec = BTC_PERP) -> None:
    """Compile every kernel for orders without terms, or load it from the cache on disk: once,
    before actors start."""
    commands = np.zeros(WARM_UP_ORDERS, COMMAND)
    commands["kind"], commands["order_type"], commands["time_in_force"] = 1, 1, 1
    commands["order_id"] = commands["account_id"] = np.arange(1, WARM_UP_ORDERS + 1)
    commands["side"], commands["price_ticks"], commands["quantity_lots"] = 1, 1, 2
    commands["side"][1], commands["quantity_lots"][1] = 2, 1
    engine = MarketEngine(spec, capacity_orders=1)
    engine.apply(commands)
    engine.depth(1)
    engine.position_lots(1)
    engine.transfer(1, 2, 0, 0)
    MarketEngine.restore(spec, engine.snapshot())


def warm_up_terms(spec: MarketSpec = BTC_PERP) -> None:
    """The same of the kernels for orders with terms, which simulated traders do not place."""
    commands = np.zeros(3, COMMAND)
    commands["kind"], commands["order_type"], commands["time_in_force"] = 1, 1, 1
    commands["order_id"] = commands["account_id"] = np.arange(1, 4)
    commands["side"], commands["price_ticks"], commands["quantity_lots"] = [1, 2, 1], 1, 2
    commands["order_type"][2] = OrderType.STOP
    commands["trigger_ticks"][2], commands["expires_us"][2] = 2, 1
    engine = MarketEngine(spec)
    engine.apply(commands)
    engine.tell_mark(1)
    engine.transfer(1, 2, 0, 0)
    MarketEngine.restore(spec, engine.snapshot())
