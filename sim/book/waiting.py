"""Orders that wait for a trigger: how one comes to wait, and which a price makes due.

Parts of the matching kernel. Orders come due in the order in which a price meets their triggers,
and stand in that order until they are triggered (see triggering.py).
"""

import numpy as np

from sim.book.arrays import (
    DUE_NO,
    HEAP_LENGTH,
    INPUT_SEQ,
    LAST_PRICE,
    MARK,
    WAITS,
    Book,
    Integers,
    Records,
)
from sim.book.events import (
    BUY,
    NONE,
    REDUCE_ONLY,
    TRAILING,
    TRIGGER_ON_MARK,
    WAITING,
    tell_of_command,
)
from sim.book.heaps import (
    DUE,
    EXPIRY,
    LAST_SOURCE,
    MARK_SOURCE,
    TRAILING_STOPS,
    first,
    pull,
    push,
    row_at,
    turn,
)
from sim.book.index import insert
from sim.book.queues import fill_slot, join_account, take_slot
from sim.book.terms import link, terms_of
from sim.rows.kernels import Number, called, inlined
from sim.rows.order_types import is_stop


@inlined
def source_of(flags: int) -> Number:
    """Which price an order with these flags waits for."""
    return MARK_SOURCE if flags & TRIGGER_ON_MARK else LAST_SOURCE


@inlined
def price_of(book: Book, source: int) -> Number:
    """The last price of a source, 0 for none."""
    return book.state[MARK] if source == MARK_SOURCE else book.state[LAST_PRICE]


@inlined
def heap_of(side: int, order_type: int, source: int) -> Number:
    """Where a trigger stands: a stop of a BUY is met by a rising price, as a profit of a SELL."""
    return source if (side == BUY) == is_stop(order_type) else source + 1


@inlined
def is_met(book: Book, heap: int, row: int, price_ticks: int) -> Number:
    """Whether a price meets a trigger in its heap."""
    return turn(book, heap, row) <= (price_ticks if heap == heap & ~1 else -price_ticks)


@inlined
def come_due(book: Book, row: int) -> None:
    """An order is due, behind those that are due already."""
    book.state[DUE_NO] += 1
    book.terms[row].due_no = book.state[DUE_NO]
    push(book, DUE, row)


@inlined
def watch_trigger(book: Book, row: int) -> None:
    """A trigger begins to watch its source; one that is met already is due at once."""
    terms = book.terms[row]
    order = book.orders[terms.slot]
    source = source_of(order.flags)
    price_ticks = price_of(book, source)
    if terms.order_type == TRAILING:
        if terms.best_ticks == 0:
            terms.best_ticks = price_ticks
        if terms.best_ticks == 0:
            return
    heap = heap_of(order.side, terms.order_type, source)
    if price_ticks != 0 and is_met(book, heap, row, price_ticks):
        come_due(book, row)
    else:
        push(book, heap, row)


@inlined
def enter_waiting(
    book: Book, source: Records, lots: int, accepted_seq: int, best_ticks: int
) -> Number:
    """An order joins its account and waits, outside of the book; the row of its terms.

    `source` is a COMMAND or a WAITING row: same names. Its trigger is not watched yet.
    """
    slot = take_slot(book)
    fill_slot(book, slot, source, lots, accepted_seq)
    book.orders[slot].level = 0
    insert(book.order_index, book.orders, source.order_id, slot)
    join_account(book, slot)
    if source.flags & REDUCE_ONLY:
        book.reduce_only[book.orders[slot].account, WAITS + source.side] += 1
    row = terms_of(book, slot)
    terms = book.terms[row]
    terms.order_type, terms.time_in_force = source.order_type, source.time_in_force
    terms.trigger_ticks, terms.best_ticks = source.trigger_ticks, best_ticks
    terms.expires_us = source.expires_us
    if source.expires_us != 0:
        push(book, EXPIRY, row)
    if source.order_type == TRAILING:
        push(book, TRAILING_STOPS, row)
    return row


@called
def come_to_wait(book: Book, events: Integers, command: Records) -> None:
    """An accepted order waits for its trigger."""
    tell_of_command(book, events, command, WAITING, NONE, command.quantity_lots)
    row = enter_waiting(book, command, command.quantity_lots, book.state[INPUT_SEQ], 0)
    if command.link_id != 0:
        slot: Number = np.int64(book.terms[row].slot)
        link(book, slot, command.link_id)
    watch_trigger(book, row)


@inlined
def follow(book: Book, source: int, price_ticks: int) -> None:
    """Trailing stops of a source follow a price that is better for them."""
    for place in range(1, book.state[HEAP_LENGTH + TRAILING_STOPS] + 1):
        row = row_at(book, TRAILING_STOPS, place)
        terms = book.terms[row]
        order = book.orders[terms.slot]
        if source_of(order.flags) != source or (terms.trigger_at != 0 and terms.heap == DUE):
            continue
        is_lower = price_ticks < terms.best_ticks
        if terms.best_ticks != 0 and (is_lower if order.side != BUY else not is_lower):
            continue
        heap = heap_of(order.side, TRAILING, source)
        pull(book, heap, row)
        terms.best_ticks = price_ticks
        push(book, heap, row)


@inlined
def make_due(book: Book, heap: int, price_ticks: int) -> None:
    """What a price meets comes due, the nearest trigger first, then the oldest."""
    row = first(book, heap)
    while row != 0 and is_met(book, heap, row, price_ticks):
        pull(book, heap, row)
        come_due(book, row)
        row = first(book, heap)


@called
def tell_price(book: Book, source: int, price_ticks: int) -> None:
    """A source has this price now. Triggers that rising prices meet come first."""
    follow(book, source, price_ticks)
    make_due(book, source, price_ticks)
    make_due(book, source + 1, price_ticks)
