"""Resting reduce-only orders never ask for more than the position of their account allows.

Parts of the matching kernel. Whoever changes a position has them cut in the same row, the newest
first: what is too many is REDUCED away, and an order of which nothing is left is CANCELED.
"""

from sim.book.arrays import Book, Integers
from sim.book.events import (
    BUY,
    CANCELED,
    REDUCE_ONLY,
    REDUCE_ONLY_EXCESS,
    REDUCED,
    SELL,
    write_about_order,
)
from sim.book.queues import drop_order, take_lots
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
def rests_too_much(book: Book, account: int) -> Number:
    """Whether an account's reduce-only orders must be cut."""
    return room_lots(book, account, BUY) < 0 or room_lots(book, account, SELL) < 0


@inlined
def cut_order(book: Book, events: Integers, time_us: int, slot: int, lots: int) -> None:
    """A resting order loses so many lots, and leaves where it has no more."""
    order = book.orders[slot]
    if lots < order.remaining_lots:
        write_about_order(book, events, time_us, slot, REDUCED, REDUCE_ONLY_EXCESS, lots)
        take_lots(book, slot, lots)
        return
    lots = order.remaining_lots
    write_about_order(book, events, time_us, slot, CANCELED, REDUCE_ONLY_EXCESS, lots)
    drop_order(book, slot)


@called
def cut_excess(book: Book, events: Integers, time_us: int, account: int) -> None:
    """An account's reduce-only orders are cut to what its position allows, newest first.

    Both sides: in a book from before orders were cut like this, both may rest too much.
    """
    slot = book.accounts[account].tail
    while slot != 0 and rests_too_much(book, account):
        order = book.orders[slot]
        older = order.account_previous
        if order.flags & REDUCE_ONLY:
            lots = -room_lots(book, account, order.side)
            if lots > 0:
                cut_order(book, events, time_us, slot, lots)
        slot = older
