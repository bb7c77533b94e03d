"""Resting reduce-only orders never ask for more than the position of their account allows.

Parts of the matching kernel. Whoever changes a position has them cut in the same row, the newest
first: what is too many is REDUCED away, and an order of which nothing is left is CANCELED. Those
that wait for a trigger ask for nothing yet: they end with the position.
"""

from sim.book.arrays import WAITS, Book, Integers
from sim.book.events import (
    BUY,
    CANCELED,
    REDUCE_ONLY,
    REDUCE_ONLY_EXCESS,
    REDUCED,
    SELL,
    tell_of_order,
)
from sim.book.queues import drop_order, take_lots, waits
from sim.rows.kernels import Number, called, inlined


@inlined
def reducible_lots(position_lots: int, side: int) -> Number:
    """How much an order of `side` can take off a position before it is flat."""
    return max(0, -position_lots if side == BUY else position_lots)


@inlined
def room_lots(book: Book, account: int, side: int) -> Number:
    """What more of an account's reduce-only orders may rest on a side; below 0, rests too much."""
    position_lots = book.accounts[account].position_lots
    return reducible_lots(position_lots, side) - book.reduce_only[account, side]


@inlined
def wait_for_nothing(book: Book, account: int, side: int) -> Number:
    """Whether reduce-only orders wait that have no position to reduce."""
    position_lots = book.accounts[account].position_lots
    waiting = book.reduce_only[account, WAITS + side]
    return waiting > 0 and reducible_lots(position_lots, side) == 0


@inlined
def rests_too_much(book: Book, account: int) -> Number:
    """Whether an account's reduce-only orders must be cut."""
    if room_lots(book, account, BUY) < 0 or room_lots(book, account, SELL) < 0:
        return True
    return wait_for_nothing(book, account, BUY) or wait_for_nothing(book, account, SELL)


@inlined
def excess_lots(book: Book, slot: int) -> Number:
    """What a reduce-only order must lose, counted beyond what it has; below 1 for nothing."""
    order = book.orders[slot]
    if waits(book, slot):
        none_left = wait_for_nothing(book, order.account, order.side)
        return order.remaining_lots if none_left else 0
    return -room_lots(book, order.account, order.side)


@inlined
def cut_order(
    book: Book, events: Integers, time_us: int, slot: int, lots: int, drop: Number
) -> None:
    """A resting order loses so many lots, and leaves where it has no more."""
    order = book.orders[slot]
    if lots < order.remaining_lots:
        tell_of_order(book, events, time_us, slot, REDUCED, REDUCE_ONLY_EXCESS, lots)
        take_lots(book, slot, lots)
        return
    lots = order.remaining_lots
    tell_of_order(book, events, time_us, slot, CANCELED, REDUCE_ONLY_EXCESS, lots)
    drop(book, slot)


@inlined
def cut_excess(book: Book, events: Integers, time_us: int, account: int, drop: Number) -> None:
    """An account's reduce-only orders are cut to what its position allows, newest first.

    drop   the part that takes an order out

    Both sides: in a book from before orders were cut like this, both may rest too much.
    """
    slot = book.accounts[account].tail
    while slot != 0 and rests_too_much(book, account):
        order = book.orders[slot]
        older = order.account_previous
        if order.flags & REDUCE_ONLY:
            lots = excess_lots(book, slot)
            if lots > 0:
                cut_order(book, events, time_us, slot, lots, drop)
        slot = older


@called
def cut_plain(book: Book, events: Integers, time_us: int, account: int) -> None:
    """`cut_excess` in a book in which no order has terms."""
    cut_excess(book, events, time_us, account, drop_order)


@inlined
def keep_reducing(book: Book, events: Integers, time_us: int, account: int, cut: Number) -> None:
    """A position has changed: its reduce-only orders follow.

    cut   `cut_plain`, or `cut_any` where orders have terms
    """
    if rests_too_much(book, account):
        cut(book, events, time_us, account)
