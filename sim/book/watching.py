"""The kernel of a market in which orders have terms: they wait, end at a time, or are linked.

It does what that of applying.py does, with the very same parts, and more: between rows it ends
the orders whose time has come and triggers those that are due. While no order has terms, no row
comes here.
"""

from sim.book import applying as plain_rows
from sim.book import heaps as next_turns
from sim.book import term_rules
from sim.book import terms as order_terms
from sim.book import triggering as second_comings
from sim.book import waiting as waiting_orders
from sim.book.applying import apply_other, move_lots
from sim.book.arrays import (
    CURSOR,
    EVENT_COUNT,
    EVENTS_WANTED,
    HEAP_LENGTH,
    INPUT_SEQ,
    IS_TRIGGERED,
    ORDER_LIVE,
    REDUCE_ONLY_COUNT,
    STATUS,
    TERMS_LIVE,
    TO_EXPIRE,
    TO_TRIGGER,
    Book,
    Integers,
    Records,
)
from sim.book.events import (
    ACTIVE,
    AMEND,
    CANCEL_ALL,
    EXPIRED,
    MARKET,
    NONE,
    PLACE,
    REJECTED,
    SET_MARK,
    TIME,
    tell_of_command,
)
from sim.book.heaps import DUE, MARK_SOURCE, first
from sim.book.queues import (
    DONE,
    EVENTS_FULL,
    TERMS_FULL,
    WITHOUT_TERMS,
    find_account,
    shortage,
)
from sim.book.rules import asks_for_terms, has_terms, limit_price, refusal
from sim.book.term_rules import terms_refusal
from sim.book.terms import cut_any, drop_any, expire_next
from sim.book.triggering import amend, come_in, leave_to_trigger
from sim.book.waiting import come_to_wait, tell_price
from sim.rows import order_types
from sim.rows.kernels import Number, cached_kernel, called, inlined
from sim.rows.messages import EXPIRED_A_ROW_MAX, TRIGGERED_A_ROW_MAX

KERNEL_MODULES = (
    *plain_rows.KERNEL_MODULES,
    next_turns,
    order_terms,
    order_types,
    plain_rows,
    second_comings,
    term_rules,
    waiting_orders,
)


@called
def is_accepted(book: Book, events: Integers, command: Records) -> Number:
    """Whether an order comes in now. One that is rejected, ended by its time, or waits does not."""
    limit_ticks, lots = limit_price(book, command), command.quantity_lots
    if has_terms(command):
        reason = terms_refusal(book, command, limit_ticks)
    else:
        reason = refusal(book, command, limit_ticks)
    if reason != NONE:
        tell_of_command(book, events, command, REJECTED, reason, lots)
    elif command.expires_us != 0 and command.expires_us <= command.time_us:
        tell_of_command(book, events, command, EXPIRED, TIME, lots)
    elif command.order_type > MARKET:
        come_to_wait(book, events, command)
    else:
        book.incoming[0] = command
        return True
    return False


@inlined
def begin_row(book: Book, events: Integers, command: Records) -> Number:
    """One COMMAND row, but for the order that comes in with it, which `book.incoming` then is;
    whether one does."""
    book.state[INPUT_SEQ] += 1
    if command.kind == PLACE:
        return is_accepted(book, events, command)
    if command.kind == AMEND:
        return amend(book, events, command)
    apply_other(book, events, command, drop_any)
    if command.kind == SET_MARK and command.price_ticks > 0:
        tell_price(book, MARK_SOURCE, command.price_ticks)
    return False


@inlined
def most_events(book: Book, lots: int) -> Number:
    """An upper bound of the events of an order of so many lots that comes in, or in again.

    As in `applying.events_wanted`; and each order with terms may be canceled.
    """
    trades = min(max(0, lots), book.state[ORDER_LIVE])
    return 6 + 3 * trades + book.state[REDUCE_ONLY_COUNT] + book.state[TERMS_LIVE]


@inlined
def room(book: Book, events: Integers, wanted: int) -> Number:
    """What must grow before so many events and one more order; DONE when nothing."""
    if book.state[EVENT_COUNT] + wanted > len(events):
        book.state[EVENTS_WANTED] = wanted
        return EVENTS_FULL
    if book.state[TERMS_LIVE] + 1 >= len(book.terms):
        return TERMS_FULL
    return shortage(book)


@inlined
def room_for_row(book: Book, events: Integers, command: Records) -> Number:
    """What must grow before this row can be applied; DONE when nothing."""
    if command.kind == CANCEL_ALL:
        count = book.accounts[find_account(book, command.account_id)].order_count
        return room(book, events, 1 + count)
    lots = book.state[ORDER_LIVE] if command.kind == AMEND else command.quantity_lots
    return room(book, events, most_events(book, lots) if command.kind in (PLACE, AMEND) else 1)


@inlined
def may_trigger(book: Book) -> Number:
    """Whether the order that is due first is triggered behind the last row."""
    state = book.state
    return state[TO_TRIGGER] > 0 and state[STATUS] == ACTIVE and state[HEAP_LENGTH + DUE] > 0


@inlined
def room_to_trigger(book: Book, events: Integers) -> Number:
    """What must grow before the order that is due first comes in; DONE when nothing."""
    order = book.orders[book.terms[first(book, DUE)].slot]
    give_way = book.accounts[order.account].order_count
    return room(book, events, most_events(book, order.remaining_lots) + give_way)


@inlined
def expire_due(book: Book, events: Integers, time_us: int) -> Number:
    """Orders whose time has come end, as many as may before one row; DONE, or what must grow."""
    state = book.state
    while state[TO_EXPIRE] > 0:
        short = room(book, events, 1)
        if short != DONE:
            return short
        if not expire_next(book, events, time_us):
            break
        state[TO_EXPIRE] -= 1
    return DONE


@inlined
def room_for_next(book: Book, events: Integers, command: Records) -> Number:
    """End what is due before a row; what must grow before the row, DONE when nothing."""
    short = expire_due(book, events, command.time_us)
    return short if short != DONE else room_for_row(book, events, command)


@cached_kernel(*KERNEL_MODULES)
def run_with_terms(book: Book, commands: Records, events: Integers) -> Number:
    """Apply rows from state[CURSOR] on, as `applying.run`: a row, or an order that is due.

    Answers WITHOUT_TERMS where the row at CURSOR, and so the rows behind it, are for that kernel.
    """
    state = book.state
    while True:
        cursor = state[CURSOR]
        triggers = cursor > 0 and may_trigger(book)
        if cursor >= len(commands) and not triggers:
            return DONE
        command = commands[cursor - 1 if triggers else cursor]
        if state[TERMS_LIVE] == 0 and not asks_for_terms(command):
            return WITHOUT_TERMS
        if triggers:
            short = room_to_trigger(book, events)
        else:
            short = room_for_next(book, events, command)
        if short != DONE:
            return short
        if triggers:
            state[TO_TRIGGER] -= 1
            leave_to_trigger(book, events, command.time_us)
            comes_in = True
        else:
            comes_in = begin_row(book, events, command)
            state[CURSOR] += 1
            state[TO_TRIGGER], state[TO_EXPIRE] = TRIGGERED_A_ROW_MAX, EXPIRED_A_ROW_MAX
        state[IS_TRIGGERED] = triggers
        if comes_in:
            come_in(book, events, book.incoming[0])


@cached_kernel(*KERNEL_MODULES)
def tell_mark(book: Book, mark_ticks: int) -> None:
    """What waits for this mark comes due; the next row triggers it."""
    tell_price(book, MARK_SOURCE, mark_ticks)


@cached_kernel(*KERNEL_MODULES)
def transfer_with_terms(
    book: Book, events: Integers, giver_id: int, taker_id: int, signed_lots: int, time_us: int
) -> None:
    """`move_lots` in any book.

    events (m, EVENT_WORDS) as for `run`, with room for each order that is reduce-only or has
    terms, and two more.
    """
    move_lots(book, events, giver_id, taker_id, signed_lots, time_us, cut_any)
