"""Orders that come in again: those that are triggered, and those that are amended.

Parts of the matching kernel. Either leaves its place and comes in as an order of the same id.
"""

import numpy as np

from sim.book.arrays import (
    INPUT_SEQ,
    IS_TRIGGERED,
    STATUS,
    Book,
    Integers,
    Records,
)
from sim.book.events import (
    ACTIVE,
    AMEND_REJECTED,
    AMENDED,
    CANCELED,
    HALTED,
    INVALID_COMMAND,
    LIMIT,
    MARKET_CANCEL_ONLY,
    MARKET_HALTED,
    MAY_OPEN,
    NONE,
    ORDER_NOT_OPEN,
    PLACE,
    POST_ONLY,
    POST_ONLY_WOULD_TAKE,
    REDUCE_ONLY,
    REDUCE_ONLY_WOULD_INCREASE,
    REDUCED,
    REQUESTED,
    SELF_TRADE_PREVENTION,
    TRIGGERED,
    USER_MISMATCH,
    tell_of_command,
    tell_of_order,
    write_bare,
)
from sim.book.heaps import DUE, LAST_SOURCE, first
from sim.book.matching import enter, match
from sim.book.queues import find_order, take_lots, waits
from sim.book.reduce_only import keep_reducing, reducible_lots
from sim.book.rules import crosses, has_terms, limit_price, value_refusal
from sim.book.term_rules import trigger_refusal
from sim.book.terms import cut_any, drop_any, take_terms, use_link
from sim.book.waiting import come_to_wait, tell_price
from sim.rows.kernels import Number, called, inlined
from sim.rows.messages import TimeInForce
from sim.rows.order_types import type_when_triggered

GTC = int(TimeInForce.GTC)


@called
def write_command(book: Book, slot: int, time_us: int) -> None:
    """An open order as the PLACE that it would be now, with its terms, into `book.incoming`."""
    order, command = book.orders[slot], book.incoming[0]
    command.time_us, command.order_id = time_us, order.order_id
    command.account_id = book.accounts[order.account].account_id
    command.quantity_lots, command.price_ticks = order.remaining_lots, order.price_ticks
    command.kind, command.side, command.flags = PLACE, order.side, order.flags
    command.order_type, command.time_in_force = LIMIT, GTC
    command.trigger_ticks, command.expires_us, command.link_id = 0, 0, 0
    if order.terms != 0:
        terms = book.terms[order.terms]
        command.expires_us, command.trigger_ticks = terms.expires_us, terms.trigger_ticks
        if terms.order_type != 0:
            command.order_type, command.time_in_force = terms.order_type, terms.time_in_force
        if terms.is_linked:
            command.link_id = order.order_id
            if terms.partner != 0:
                command.link_id = book.orders[terms.partner].order_id


@inlined
def follow_trade(book: Book, events: Integers, command: Records, slot: int, account: int) -> None:
    """After a trade, where orders have terms: the maker's link, its end, and who waits for the
    price."""
    order = book.orders[slot]
    price_ticks = order.price_ticks
    if order.terms != 0:
        use_link(book, events, command.time_us, slot)
    if order.remaining_lots == 0:
        drop_any(book, slot)
    keep_reducing(book, events, command.time_us, account, cut_any)
    tell_price(book, LAST_SOURCE, price_ticks)


@called
def pass_when_triggered(book: Book, events: Integers, command: Records, slot: int) -> Number:
    """What would stop an order that was triggered gives way to it: the order has waited to protect
    its owner, who could not know what it would meet. Before any other order it stays."""
    if book.state[IS_TRIGGERED] == 0:
        return False
    lots = book.orders[slot].remaining_lots
    tell_of_order(book, events, command.time_us, slot, CANCELED, SELF_TRADE_PREVENTION, lots)
    drop_any(book, slot)
    return True


@inlined
def match_with_terms(
    book: Book, events: Integers, command: Records, limit_ticks: int, wanted: int
) -> Number:
    follow, cut = follow_trade, cut_any
    return match(book, events, command, limit_ticks, wanted, True, follow, cut, pass_when_triggered)


@inlined
def come_in(book: Book, events: Integers, command: Records) -> None:
    """An accepted order comes in, or in again, and has its terms where it rests.

    One that was accepted before may be post-only and take by now: then it is canceled.
    """
    limit_ticks = limit_price(book, command)
    if command.flags & POST_ONLY and crosses(book, command.side, limit_ticks):
        lots = command.quantity_lots
        tell_of_command(book, events, command, CANCELED, POST_ONLY_WOULD_TAKE, lots)
        return
    traded_lots = enter(book, events, command, limit_ticks, match_with_terms)
    if has_terms(command):
        take_terms(book, events, command, traded_lots)


@called
def leave_to_trigger(book: Book, events: Integers, time_us: int) -> None:
    """The order that is due first is triggered: a row of its own, behind the one that did it.

    It leaves, and `book.incoming` is what comes in.
    """
    slot: Number = np.int64(book.terms[first(book, DUE)].slot)
    book.state[INPUT_SEQ] += 1
    lots = book.orders[slot].remaining_lots
    tell_of_order(book, events, time_us, slot, TRIGGERED, NONE, lots)
    use_link(book, events, time_us, slot)
    write_command(book, slot, time_us)
    command = book.incoming[0]
    command.order_type, command.trigger_ticks = type_when_triggered(command.order_type), 0
    command.flags, command.link_id = command.flags & (POST_ONLY | REDUCE_ONLY), 0
    drop_any(book, slot)


@inlined
def who_may_not(book: Book, command: Records, slot: int) -> Number:
    """Why an AMEND is refused whatever its order is to become; NONE where it is not."""
    if command.flags != 0 and command.flags != MAY_OPEN and command.flags != REDUCE_ONLY:
        return INVALID_COMMAND
    if book.state[STATUS] != ACTIVE:
        return MARKET_HALTED if book.state[STATUS] == HALTED else MARKET_CANCEL_ONLY
    if slot == 0:
        return ORDER_NOT_OPEN
    if book.accounts[book.orders[slot].account].account_id != command.account_id:
        return USER_MISMATCH
    return NONE


@inlined
def wrong_terms(book: Book, amended: Records, is_waiting: bool) -> Number:
    """Why no order may be what one would be amended to; NONE where it may."""
    if not is_waiting:
        return INVALID_COMMAND if amended.trigger_ticks != 0 else value_refusal(book, amended, True)
    reason = trigger_refusal(book, amended)
    if reason != NONE:
        return reason
    is_limit = type_when_triggered(amended.order_type) == LIMIT
    return value_refusal(book, amended, is_limit)


@inlined
def why_not(
    book: Book, amended: Records, slot: int, is_waiting: bool, is_to_reduce: bool
) -> Number:
    """Why an order may not become what it would be amended to; NONE where it may.

    is_to_reduce   whether it is to be reduce-only from now on
    """
    reason = wrong_terms(book, amended, is_waiting)
    if reason != NONE:
        return reason
    position_lots = book.accounts[book.orders[slot].account].position_lots
    if is_to_reduce and reducible_lots(position_lots, amended.side) == 0:
        return REDUCE_ONLY_WOULD_INCREASE
    if is_waiting or amended.flags & POST_ONLY == 0:
        return NONE
    would_take = crosses(book, amended.side, limit_price(book, amended))
    return POST_ONLY_WOULD_TAKE if would_take else NONE


@called
def amend(book: Book, events: Integers, command: Records) -> Number:
    """An open order is made smaller in its place; or it leaves it, and comes in anew.

    What is refused leaves the order as it was. Whether `book.incoming` comes in now.
    """
    slot = find_order(book, command.order_id)
    reason = who_may_not(book, command, slot)
    if reason != NONE:
        write_bare(book, events, command, AMEND_REJECTED, reason, 0)
        return False
    write_command(book, slot, command.time_us)
    amended, is_waiting = book.incoming[0], waits(book, slot)
    moves = take_wishes(book, amended, command, slot, is_waiting)
    is_to_reduce = moves and command.flags & REDUCE_ONLY != 0
    reason = why_not(book, amended, slot, is_waiting, is_to_reduce)
    if reason != NONE:
        write_bare(book, events, command, AMEND_REJECTED, reason, 0)
    elif moves:
        move(book, events, amended, slot, is_waiting)
        return not is_waiting
    else:
        shrink(book, events, amended, slot, is_waiting)
    return False


@inlined
def take_wishes(
    book: Book, amended: Records, command: Records, slot: int, is_waiting: bool
) -> Number:
    """`amended`, which is the order as it is, becomes what an AMEND asks for; whether the order
    leaves its place for that. Only then it changes whether it is reduce-only."""
    order = book.orders[slot]
    amended.quantity_lots += command.quantity_lots
    if command.price_ticks != 0:
        amended.price_ticks = command.price_ticks
    moves = amended.price_ticks != order.price_ticks or amended.quantity_lots > order.remaining_lots
    if command.trigger_ticks != 0:
        moves = moves or not is_waiting or amended.trigger_ticks != command.trigger_ticks
        amended.trigger_ticks = command.trigger_ticks
    if moves and command.flags == MAY_OPEN:
        amended.flags = amended.flags & ~REDUCE_ONLY
    elif moves:
        amended.flags = amended.flags | command.flags
    return moves


@inlined
def shrink(book: Book, events: Integers, amended: Records, slot: int, is_waiting: bool) -> None:
    """An order becomes smaller and keeps its place; one that stays as it is is told so."""
    lots = book.orders[slot].remaining_lots - amended.quantity_lots
    if lots == 0:
        tell_of_command(book, events, amended, AMENDED, NONE, amended.quantity_lots)
        return
    tell_of_order(book, events, amended.time_us, slot, REDUCED, REQUESTED, lots)
    if is_waiting:
        book.orders[slot].remaining_lots -= lots
    else:
        take_lots(book, slot, lots)


@inlined
def move(book: Book, events: Integers, amended: Records, slot: int, is_waiting: bool) -> None:
    """An order leaves its place to come in as it is amended; one that waits waits anew."""
    tell_of_command(book, events, amended, AMENDED, NONE, amended.quantity_lots)
    if amended.link_id != 0 and amended.link_id != amended.order_id:
        await_second(book, slot)
    drop_any(book, slot)
    if is_waiting:
        come_to_wait(book, events, amended)


@inlined
def await_second(book: Book, slot: int) -> None:
    """The partner of an order that leaves only to come in again waits for it."""
    terms = book.terms[book.orders[slot].terms]
    partner = terms.partner
    terms.partner, terms.is_linked = 0, 0
    book.terms[book.orders[partner].terms].partner = 0
