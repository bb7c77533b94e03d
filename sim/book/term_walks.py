"""Kernels that refill a book in which orders have terms. None is on the hot path."""

from sim.book import heaps as next_turns
from sim.book import terms as order_terms
from sim.book import waiting as waiting_orders
from sim.book import walks
from sim.book.arrays import CURSOR, DUE_NO, Book, Records
from sim.book.events import TRAILING
from sim.book.heaps import DUE, push
from sim.book.queues import DONE, find_order, rest_order, shortage
from sim.book.terms import expire_at, terms_of
from sim.book.waiting import enter_waiting, heap_of, source_of
from sim.rows import order_types
from sim.rows.kernels import Number, cached_kernel, inlined

KERNEL_MODULES = (*walks.KERNEL_MODULES, next_turns, order_terms, order_types, waiting_orders)


@cached_kernel(*KERNEL_MODULES)
def refill_open(book: Book, orders: Records) -> Number:
    """Enter WAITING rows, oldest first, from state[CURSOR] on; there is room for their terms.

    Answers DONE, or what must grow before the row at CURSOR.
    """
    while book.state[CURSOR] < len(orders):
        short = shortage(book)
        if short != DONE:
            return short
        order = orders[book.state[CURSOR]]
        if order.order_type == 0:
            rest_order(book, order, order.remaining_lots, order.accepted_seq)
        else:
            wait_again(book, order)
        book.state[CURSOR] += 1
    return DONE


@inlined
def wait_again(book: Book, order: Records) -> None:
    """A WAITING row of an order that waits; its trigger watches on from where it stood."""
    row = enter_waiting(book, order, order.remaining_lots, order.accepted_seq, order.best_ticks)
    if order.due_no != 0:
        book.terms[row].due_no = order.due_no
        book.state[DUE_NO] = max(book.state[DUE_NO], order.due_no)
        push(book, DUE, row)
    elif order.order_type != TRAILING or order.best_ticks != 0:
        push(book, heap_of(order.side, order.order_type, source_of(order.flags)), row)


@cached_kernel(*KERNEL_MODULES)
def refill_terms(book: Book, rows: Records) -> None:
    """What WAITING rows say of links, and of the times of those that rest. All are in the book."""
    for place in range(len(rows)):
        row = rows[place]
        slot = find_order(book, row.order_id)
        if row.order_type == 0 and row.expires_us != 0:
            expire_at(book, slot, row.expires_us)
        if row.link_id != 0:
            terms = book.terms[terms_of(book, slot)]
            terms.is_linked = 1
            if row.link_id != row.order_id:
                terms.partner = find_order(book, row.link_id)
