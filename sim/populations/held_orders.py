"""What traders hold and have resting, as kernels keep it: a row a trader, a slot an order.

The orders of a trader are a ring of slots, oldest first; the trader's row names the newest,
whose `next` is the oldest. A trader has few orders, so an order is found by walking its ring.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from sim.populations.command_rows import write_cancel
from sim.rows import columns, kernels, messages
from sim.rows import packed as packed_events
from sim.rows.columns import kind_of, price_of, side_of
from sim.rows.kernels import Number, cached_kernel, inlined, prefetch
from sim.rows.messages import EventKind, Side
from sim.rows.packed import CODES, LOTS, ORDER, WHOSE, maker_of, owner_of

Integers = npt.NDArray[np.int64]

TRADER: np.dtype[np.void] = np.dtype(
    [
        ("position_lots", "<i8"),
        ("buying_lots", "<i8"),
        ("selling_lots", "<i8"),
        ("newest", "<u4"),
        ("orders", "<u4"),
    ]
)
"""One trader in one market, 32 bytes: position (long positive), lots resting on either side, the
slot of its newest order (0 for none), how many it has."""

HELD_ORDER: np.dtype[np.void] = np.dtype(
    [
        ("order_id", "<i8"),
        ("remaining_lots", "<i8"),
        ("price_ticks", "<i4"),
        ("trader", "<u4"),
        ("next", "<u4"),
        ("side", "<u4"),
    ]
)
"""One resting order, 32 bytes. Slot 0 is nobody's. In a free slot `next` is the next free one."""

FREE, USED, LIVE = range(3)
"""Places in the counters of an order array: first free slot, slots ever used, orders now."""
COUNTERS = 3

RESTED, TRADE = int(EventKind.RESTED), int(EventKind.TRADE)
CANCELED, EXPIRED = int(EventKind.CANCELED), int(EventKind.EXPIRED)
CANCEL_REJECTED, REDUCED = int(EventKind.CANCEL_REJECTED), int(EventKind.REDUCED)
BUY, SELL = int(Side.BUY), int(Side.SELL)

LARGE_CROWD = 4_096
"""Fewer traders live in the processor's caches anyway."""

TRADERS_AHEAD, ORDERS_AHEAD = 16, 8
"""How many events ahead memory is asked for: a trader's row, then its newest order."""


@inlined
def shift_open(trader: Any, side: int, lots: int) -> None:
    """More (or less) rests on a side."""
    if side == BUY:
        trader.buying_lots += lots
    else:
        trader.selling_lots += lots


@inlined
def add_order(
    traders: Any, orders: Any, counters: Integers, place: int, order_id: int, lots: int, codes: int
) -> None:
    """A trader's newest order. The caller has made sure that there is a slot."""
    slot = counters[FREE]
    if slot == 0:
        counters[USED] += 1
        slot = counters[USED]
    else:
        counters[FREE] = orders[slot].next
    counters[LIVE] += 1
    order, trader = orders[slot], traders[place]
    order.order_id, order.remaining_lots, order.trader = order_id, lots, place
    order.price_ticks, order.side = price_of(codes), side_of(codes)
    newest = trader.newest
    order.next = slot if newest == 0 else orders[newest].next
    orders[newest].next = slot
    trader.newest = slot
    trader.orders += 1
    shift_open(trader, order.side, lots)


@inlined
def slot_before(trader: Any, orders: Any, order_id: int) -> Number:
    """The slot before that of an order in its trader's ring; 0 where it is not there."""
    before = np.int64(trader.newest)
    for _ in range(trader.orders):
        slot = np.int64(orders[before].next)
        if orders[slot].order_id == order_id:
            return before
        before = slot
    return 0


@inlined
def drop_order(trader: Any, orders: Any, counters: Integers, before: int) -> None:
    """The order behind `before` in a ring is open no longer."""
    slot = np.int64(orders[before].next)
    order = orders[slot]
    shift_open(trader, order.side, -order.remaining_lots)
    trader.orders -= 1
    orders[before].next = order.next
    if trader.newest == slot:
        trader.newest = 0 if trader.orders == 0 else before
    order.next = counters[FREE]
    counters[FREE] = slot
    counters[LIVE] -= 1


@inlined
def fill_order(trader: Any, orders: Any, counters: Integers, order_id: int, lots: int) -> None:
    """A resting order has traded or was cut; one that is not known is passed over."""
    before = slot_before(trader, orders, order_id)
    if before == 0:
        return
    order = orders[orders[before].next]
    if order.remaining_lots > lots:
        order.remaining_lots -= lots
        shift_open(trader, order.side, -lots)
    else:
        drop_order(trader, orders, counters, before)


@inlined
def look_ahead_of(acting: Integers, traders: Any, orders: Any, row: int) -> None:
    """Ask for the memory of traders whose turn comes soon, and of their newest order."""
    if row + TRADERS_AHEAD < len(acting):
        prefetch(traders, acting[row + TRADERS_AHEAD])
    if row + ORDERS_AHEAD < len(acting):
        prefetch(orders, np.int64(traders[acting[row + ORDERS_AHEAD]].newest))


@inlined
def look_ahead(traders: Any, orders: Any, packed: Integers, row: int) -> None:
    """Ask for the memory of events to come."""
    if row + TRADERS_AHEAD < len(packed):
        whose = packed[row + TRADERS_AHEAD, WHOSE]
        prefetch(traders, max(owner_of(whose), 0))
        prefetch(traders, max(maker_of(whose), 0))
    if row + ORDERS_AHEAD < len(packed):
        whose = packed[row + ORDERS_AHEAD, WHOSE]
        prefetch(orders, np.int64(traders[max(owner_of(whose), 0)].newest))
        prefetch(orders, np.int64(traders[max(maker_of(whose), 0)].newest))


@cached_kernel(columns, kernels, messages, packed_events)
def learn_events(
    traders: Any, orders: Any, counters: Integers, packed: Integers, begin: int
) -> Number:
    """Take in packed events, (n, 4), from row `begin` on. Answers the row before which there is
    no slot left, n where all are done."""
    large = len(traders) > LARGE_CROWD
    for row in range(begin, len(packed)):
        if counters[LIVE] + 1 >= len(orders):
            return row
        if large:
            look_ahead(traders, orders, packed, row)
        order_id, lots, codes = packed[row, ORDER], packed[row, LOTS], packed[row, CODES]
        kind, place = kind_of(codes), owner_of(packed[row, WHOSE])
        if kind == TRADE:
            signed = lots if side_of(codes) == BUY else -lots
            if place >= 0:
                traders[place].position_lots += signed
            maker = maker_of(packed[row, WHOSE])
            if maker >= 0:
                traders[maker].position_lots -= signed
                fill_order(traders[maker], orders, counters, order_id, lots)
        elif place >= 0 and kind == RESTED:
            add_order(traders, orders, counters, place, order_id, lots, codes)
        elif place >= 0 and kind == REDUCED:
            fill_order(traders[place], orders, counters, order_id, lots)
        elif place >= 0 and kind in (CANCELED, EXPIRED, CANCEL_REJECTED):
            before = slot_before(traders[place], orders, order_id)
            if before != 0:
                drop_order(traders[place], orders, counters, before)
    return len(packed)


@inlined
def withdraw_all(rows: Integers, count: int, trader: Any, orders: Any, account: int) -> Number:
    """Write a CANCEL for each order of a trader, oldest first; how many rows there are then."""
    slot = np.int64(trader.newest)
    for _ in range(trader.orders):
        slot = np.int64(orders[slot].next)
        write_cancel(rows, count, account, orders[slot].order_id)
        count += 1
    return count


@cached_kernel(kernels)
def list_orders(traders: Any, orders: Any, chosen: Integers, listed: Integers) -> Number:
    """Write the orders of the traders at `chosen`, oldest first of each, into (n, 6) int64:
    trader, its row in `chosen`, id, side, price_ticks, remaining_lots. Answers how many."""
    count = 0
    for row in range(len(chosen)):
        trader = traders[chosen[row]]
        slot = np.int64(trader.newest)
        for _ in range(trader.orders):
            slot = np.int64(orders[slot].next)
            order = orders[slot]
            listed[count, 0], listed[count, 1], listed[count, 2] = chosen[row], row, order.order_id
            listed[count, 3], listed[count, 4] = order.side, order.price_ticks
            listed[count, 5] = order.remaining_lots
            count += 1
    return count
