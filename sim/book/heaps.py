"""What happens next among orders that wait or end: binary heaps of rows of TERMS.

Each heap has the row on top whose turn is first; equals go by acceptance. A row knows its places,
so that an order which is taken back leaves at once. Heaps of triggers stand by source and by
whether a rising price meets them.
"""

import numpy as np

from sim.book.arrays import HEAP_LENGTH, Book
from sim.rows.kernels import Number, called, inlined
from sim.rows.messages import OrderType, Side

RISING_LAST, FALLING_LAST, RISING_MARK, FALLING_MARK, DUE, EXPIRY, TRAILING_STOPS = range(7)
LAST_SOURCE, MARK_SOURCE = RISING_LAST, RISING_MARK
"""A source is its first heap, the one of rising prices; behind it stands that of falling ones."""

BUY, TRAILING = int(Side.BUY), int(OrderType.TRAILING)


@inlined
def trigger_price(book: Book, row: int) -> Number:
    """The price at which an order's turn comes; a trailing stop's lies behind the best one."""
    terms = book.terms[row]
    if terms.order_type != TRAILING:
        return terms.trigger_ticks
    if book.orders[terms.slot].side == BUY:
        return terms.best_ticks + terms.trigger_ticks
    return terms.best_ticks - terms.trigger_ticks


@inlined
def turn(book: Book, heap: int, row: int) -> Number:
    """The number that decides whose turn is first: the smallest."""
    if heap == DUE:
        return book.terms[row].due_no
    if heap == EXPIRY:
        return book.terms[row].expires_us
    if heap == TRAILING_STOPS:
        return 0
    price_ticks = trigger_price(book, row)
    return price_ticks if heap in (RISING_LAST, RISING_MARK) else -price_ticks


@inlined
def is_before(book: Book, heap: int, row: int, other: int) -> Number:
    ours, theirs = turn(book, heap, row), turn(book, heap, other)
    if ours != theirs:
        return ours < theirs
    terms, others = book.terms[row], book.terms[other]
    return book.orders[terms.slot].accepted_seq < book.orders[others.slot].accepted_seq


@inlined
def place_in(book: Book, heap: int, row: int) -> Number:
    """Where a row stands in a heap, 0 for nowhere."""
    terms = book.terms[row]
    if heap == EXPIRY:
        return terms.expiry_at
    if heap == TRAILING_STOPS:
        return terms.trailing_at
    return terms.trigger_at if terms.heap == heap else 0


@inlined
def row_at(book: Book, heap: int, place: int) -> Number:
    """The row at a place, as wide as every row is: one width, one compiled text."""
    return np.int64(book.heaps[heap, place])


@inlined
def put_at(book: Book, heap: int, place: int, row: int) -> None:
    book.heaps[heap, place] = row
    terms = book.terms[row]
    if heap == EXPIRY:
        terms.expiry_at = place
    elif heap == TRAILING_STOPS:
        terms.trailing_at = place
    else:
        terms.trigger_at = place
        terms.heap = heap


@inlined
def rise(book: Book, heap: int, place: int, row: int) -> None:
    """Put a row at a place, or above it as far as its turn is earlier."""
    while place > 1 and is_before(book, heap, row, row_at(book, heap, place >> 1)):
        put_at(book, heap, place, row_at(book, heap, place >> 1))
        place = place >> 1
    put_at(book, heap, place, row)


@inlined
def sink(book: Book, heap: int, place: int, row: int) -> None:
    """Put a row at a place, or below it as far as its turn is later."""
    count = book.state[HEAP_LENGTH + heap]
    while 2 * place <= count:
        below = 2 * place
        if below < count:
            left, right = row_at(book, heap, below), row_at(book, heap, below + 1)
            below += is_before(book, heap, right, left)
        if not is_before(book, heap, row_at(book, heap, below), row):
            break
        put_at(book, heap, place, row_at(book, heap, below))
        place = below
    put_at(book, heap, place, row)


@called
def push(book: Book, heap: int, row: int) -> None:
    """A row joins a heap."""
    book.state[HEAP_LENGTH + heap] += 1
    rise(book, heap, book.state[HEAP_LENGTH + heap], row)


@called
def pull(book: Book, heap: int, row: int) -> None:
    """A row leaves a heap; one that is not in it stays where it is."""
    place: Number = np.int64(place_in(book, heap, row))
    if place == 0:
        return
    put_at(book, heap, 0, row)
    count = book.state[HEAP_LENGTH + heap]
    last = row_at(book, heap, count)
    book.state[HEAP_LENGTH + heap] = count - 1
    if place == count:
        return
    if place > 1 and is_before(book, heap, last, row_at(book, heap, place >> 1)):
        rise(book, heap, place, last)
    else:
        sink(book, heap, place, last)


@inlined
def first(book: Book, heap: int) -> Number:
    """The row whose turn is first, 0 for none."""
    return row_at(book, heap, 1) if book.state[HEAP_LENGTH + heap] > 0 else 0
