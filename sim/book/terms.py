"""The terms of orders: until when they stand, and which two cancel each other.

Parts of the matching kernel. An order whose terms have all lapsed has none, so that books that
behave alike are alike.
"""

import numpy as np

from sim.book.arrays import INPUT_SEQ, TERMS_FREE, TERMS_LIVE, WAITS, Book, Integers, Records
from sim.book.events import CANCELED, EXPIRED, LINKED, REDUCE_ONLY, TIME, tell_of_order
from sim.book.heaps import EXPIRY, TRAILING_STOPS, first, pull, push
from sim.book.index import remove
from sim.book.queues import drop_order, find_order, give_slot, leave_account, waits
from sim.book.reduce_only import cut_excess
from sim.rows.kernels import Number, called, inlined


@inlined
def terms_of(book: Book, slot: int) -> Number:
    """The row of an order's terms, made if there is none yet. The caller has room for one."""
    if book.orders[slot].terms != 0:
        return np.int64(book.orders[slot].terms)
    state = book.state
    row = state[TERMS_FREE]
    state[TERMS_LIVE] += 1
    if row == 0:
        row = state[TERMS_LIVE]
    else:
        state[TERMS_FREE] = book.terms[row].partner
    terms = book.terms[row]
    terms.expires_us, terms.due_no = 0, 0
    terms.slot, terms.partner = slot, 0
    terms.trigger_ticks, terms.best_ticks = 0, 0
    terms.trigger_at, terms.expiry_at, terms.trailing_at = 0, 0, 0
    terms.heap, terms.order_type, terms.time_in_force, terms.is_linked = 0, 0, 0, 0
    book.orders[slot].terms = row
    return row


@inlined
def give_terms(book: Book, slot: int) -> None:
    """An order has no terms any more."""
    row = book.orders[slot].terms
    book.orders[slot].terms = 0
    book.terms[row].slot, book.terms[row].partner = 0, book.state[TERMS_FREE]
    book.state[TERMS_FREE] = row
    book.state[TERMS_LIVE] -= 1


@inlined
def let_lapse(book: Book, slot: int) -> None:
    """Terms that say nothing are given back."""
    terms = book.terms[book.orders[slot].terms]
    if terms.order_type == 0 and terms.expires_us == 0 and terms.is_linked == 0:
        give_terms(book, slot)


@inlined
def unlink(book: Book, slot: int) -> Number:
    """An order is linked no more, nor is its partner, whose slot is the answer, 0 for none."""
    terms = book.terms[book.orders[slot].terms]
    partner = np.int64(terms.partner)
    terms.is_linked, terms.partner = 0, 0
    if partner != 0:
        others = book.terms[book.orders[partner].terms]
        others.is_linked, others.partner = 0, 0
    return partner


@called
def end_terms(book: Book, slot: int) -> None:
    """Before an order leaves: its partner stands alone from here on."""
    row: Number = np.int64(book.orders[slot].terms)
    partner = unlink(book, slot)
    if partner != 0:
        let_lapse(book, partner)
    if book.terms[row].trigger_at != 0:
        heap: Number = np.int64(book.terms[row].heap)
        pull(book, heap, row)
    pull(book, EXPIRY, row)
    pull(book, TRAILING_STOPS, row)
    give_terms(book, slot)


@inlined
def drop_waiting(book: Book, slot: int) -> None:
    """An order that waits leaves; it stands in no queue."""
    order = book.orders[slot]
    end_terms(book, slot)
    if order.flags & REDUCE_ONLY:
        book.reduce_only[order.account, WAITS + order.side] -= 1
    remove(book.order_index, book.orders, order.order_id, slot)
    leave_account(book, slot)
    give_slot(book, slot)


@called
def drop_any(book: Book, slot: int) -> None:
    """An order leaves, whether it rests or waits, with terms or without."""
    if waits(book, slot):
        drop_waiting(book, slot)
        return
    if book.orders[slot].terms != 0:
        end_terms(book, slot)
    drop_order(book, slot)


@called
def cut_any(book: Book, events: Integers, time_us: int, account: int) -> None:
    """`cut_excess` in any book."""
    cut_excess(book, events, time_us, account, drop_any)


@called
def use_link(book: Book, events: Integers, time_us: int, slot: int) -> None:
    """An order has traded or was triggered: the one that it is linked with is canceled."""
    if book.terms[book.orders[slot].terms].is_linked == 0:
        return
    partner = unlink(book, slot)
    let_lapse(book, slot)
    if partner != 0:
        lots = book.orders[partner].remaining_lots
        tell_of_order(book, events, time_us, partner, CANCELED, LINKED, lots)
        drop_any(book, partner)


@inlined
def may_link(book: Book, command: Records, will_wait: bool) -> Number:
    """Whether an order may be the first of two, or the second of the one that it names.

    Two that both rest stand on two sides: of two on one side the better is always met first.
    """
    if command.link_id == 0 or command.link_id == command.order_id:
        return True
    slot = find_order(book, command.link_id)
    order = book.orders[slot]
    if slot == 0 or order.terms == 0:
        return False
    if book.accounts[order.account].account_id != command.account_id:
        return False
    terms = book.terms[order.terms]
    if terms.is_linked == 0 or terms.partner != 0:
        return False
    return will_wait or waits(book, slot) or order.side != command.side


@inlined
def expire_at(book: Book, slot: int, expires_us: int) -> None:
    """An order stands until a time."""
    row = terms_of(book, slot)
    book.terms[row].expires_us = expires_us
    push(book, EXPIRY, row)


@inlined
def link(book: Book, slot: int, link_id: int) -> None:
    """An order that `may_link` is linked."""
    row = terms_of(book, slot)
    book.terms[row].is_linked = 1
    if link_id != book.orders[slot].order_id:
        other = find_order(book, link_id)
        book.terms[row].partner = other
        book.terms[book.orders[other].terms].partner = slot


@called
def take_terms(book: Book, events: Integers, command: Records, traded_lots: int) -> None:
    """What a GTC order with terms has of them, now that it has come in.

    One that has traded at once has used its link.
    """
    slot = find_order(book, command.order_id)
    if traded_lots > 0 and command.link_id != 0 and command.link_id != command.order_id:
        other = find_order(book, command.link_id)
        if other != 0 and book.orders[other].terms != 0:
            use_first(book, events, command.time_us, other)
    if slot != 0 and command.expires_us != 0:
        expire_at(book, slot, command.expires_us)
    if slot != 0 and traded_lots == 0 and command.link_id != 0:
        link(book, slot, command.link_id)


@inlined
def use_first(book: Book, events: Integers, time_us: int, slot: int) -> None:
    """The second of two has traded as it came in: the first is canceled."""
    if book.terms[book.orders[slot].terms].is_linked != 0:
        lots = book.orders[slot].remaining_lots
        tell_of_order(book, events, time_us, slot, CANCELED, LINKED, lots)
        drop_any(book, slot)


@inlined
def expire_next(book: Book, events: Integers, time_us: int) -> Number:
    """End the order whose time has come first, with the row to come; answers whether there was
    one."""
    row = first(book, EXPIRY)
    if row == 0 or book.terms[row].expires_us > time_us:
        return False
    slot: Number = np.int64(book.terms[row].slot)
    lots = book.orders[slot].remaining_lots
    book.state[INPUT_SEQ] += 1
    tell_of_order(book, events, time_us, slot, EXPIRED, TIME, lots)
    book.state[INPUT_SEQ] -= 1
    drop_any(book, slot)
    return True
