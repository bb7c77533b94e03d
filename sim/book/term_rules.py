"""When an order with terms is refused: one that waits, ends at a time, or is linked.

Parts of the kernel of watching.py that read the book and change nothing.
"""

from sim.book.arrays import HEAP_LENGTH, HIGHEST_PRICE_TICKS, MAX_PRICE, Book, Records
from sim.book.events import (
    BUY,
    FOK,
    GTC,
    INVALID_COMMAND,
    INVALID_PRICE,
    LIMIT,
    LINK_REFUSED,
    NONE,
    POST_ONLY,
    REDUCE_ONLY,
    SELL,
    TOO_MANY_TRAILING,
    TRAILING,
    TRIGGER_ON_MARK,
)
from sim.book.heaps import TRAILING_STOPS
from sim.book.rules import closed, flag_refusal, refusal, value_refusal
from sim.book.terms import may_link
from sim.rows.kernels import Number, inlined
from sim.rows.messages import TRAILING_ORDERS_MAX
from sim.rows.order_types import (
    LAST_TYPE,
    may_have_terms,
    type_when_triggered,
    waits_for_trigger,
)


@inlined
def malformed_terms(command: Records) -> Number:
    """The same of a PLACE that `has_terms`: it must stand, and wait where it names a trigger."""
    is_waiting = waits_for_trigger(command.order_type)
    stands = may_have_terms(command.order_type, command.time_in_force)
    known_flags = POST_ONLY | REDUCE_ONLY | (TRIGGER_ON_MARK if is_waiting else 0)
    return (
        command.order_id == 0
        or command.side < BUY
        or command.side > SELL
        or not stands
        or command.order_type > LAST_TYPE
        or command.time_in_force < GTC
        or command.time_in_force > FOK
        or (command.flags & ~known_flags) != 0
        or command.expires_us < 0
        or (command.trigger_ticks != 0 and not is_waiting)
    )


@inlined
def trigger_refusal(book: Book, command: Records) -> Number:
    """INVALID_PRICE of an order that waits for no price that there is, or NONE."""
    if command.trigger_ticks < 1 or command.trigger_ticks > book.state[MAX_PRICE]:
        return INVALID_PRICE
    return NONE


@inlined
def waiting_refusal(book: Book, command: Records) -> Number:
    """The same of an order that waits; what it would meet is seen when it is triggered."""
    is_limit = type_when_triggered(command.order_type) == LIMIT
    reason = value_refusal(book, command, is_limit)
    if reason == NONE:
        reason = trigger_refusal(book, command)
    if reason == NONE:
        out_of_reach = 0 if command.side == BUY else HIGHEST_PRICE_TICKS + 1
        reason = flag_refusal(book, command, out_of_reach, is_limit)
    return reason


@inlined
def terms_refusal(book: Book, command: Records, limit_ticks: int) -> Number:
    """The same of a PLACE that `has_terms`."""
    if malformed_terms(command):
        return INVALID_COMMAND
    reason = closed(book)
    if reason != NONE:
        return reason
    is_waiting = waits_for_trigger(command.order_type)
    if is_waiting:
        reason = waiting_refusal(book, command)
    else:
        reason = refusal(book, command, limit_ticks)
    if reason != NONE:
        return reason
    if not may_link(book, command, is_waiting):
        return LINK_REFUSED
    trailing = book.state[HEAP_LENGTH + TRAILING_STOPS]
    too_many = command.order_type == TRAILING and trailing >= TRAILING_ORDERS_MAX
    return TOO_MANY_TRAILING if too_many else NONE
