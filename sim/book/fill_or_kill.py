"""Whether an order can trade whole, told before anything trades. Changes nothing but notes.

What trades is what `match` would do. Most of it is told by the sums of levels. Only reduce-only
orders may give less than they offer: where their account also has plain orders before them, these
use up the position that they may reduce. So where such orders decide, the queues are walked.
"""

from sim.book.arrays import BEST, INPUT_SEQ, LOST, PLAIN_AHEAD, WALK, Book, Records
from sim.book.events import BUY, REDUCE_ONLY
from sim.book.levels import level_at, next_price
from sim.book.queues import better, find_account
from sim.book.reduce_only import reducible_lots
from sim.book.rules import opposite_side, within
from sim.rows.kernels import Number, called, inlined

WALK_ORDERS_MAX = 10_000
"""Orders looked at for one fill-or-kill; what could only be known beyond is refused."""


@inlined
def best_own_price(book: Book, account: int, side: int) -> Number:
    """The best price at which the account itself rests on `side`, 0 where it does not."""
    best, slot = 0, book.accounts[account].head
    while slot != 0:
        order = book.orders[slot]
        rests = order.level != 0
        if rests and order.side == side and (best == 0 or better(order.price_ticks, best, side)):
            best = order.price_ticks
        slot = order.account_next
    return best


@inlined
def lots_ahead(book: Book, account: int, price_ticks: int, wanted: int) -> Number:
    """What a level offers before its first order of the account, counted to `wanted`."""
    lots, slot = 0, book.levels[level_at(book, price_ticks)].head
    while lots < wanted and book.orders[slot].account != account:
        lots += book.orders[slot].remaining_lots
        slot = book.orders[slot].next
    return lots


@inlined
def fillable(book: Book, command: Records, limit_ticks: int) -> Number:
    """Whether the whole quantity is certain to trade now.

    Counts until the first order of the same account, where self-trade prevention would stop.
    Costs levels and the account's own orders, a queue where an own order waits in it, and all
    of them up to WALK_ORDERS_MAX where it depends on reduce-only orders.
    """
    side, opposite = command.side, opposite_side(command.side)
    account = find_account(book, command.account_id)
    own_ticks = best_own_price(book, account, opposite)
    offered, reduce_only, price_ticks = 0, 0, book.state[BEST + opposite]
    while offered < command.quantity_lots:
        if price_ticks == 0 or not within(price_ticks, limit_ticks, side):
            return False
        level = book.levels[level_at(book, price_ticks)]
        reduce_only += level.reduce_only_lots
        if price_ticks == own_ticks:
            wanted = command.quantity_lots - offered
            if lots_ahead(book, account, price_ticks, wanted) < wanted:
                return False
            return reduce_only == 0 or walks_through(book, command, limit_ticks, account)
        offered += level.quantity_lots
        price_ticks = next_price(book, price_ticks, side == BUY)
    certain = offered - reduce_only >= command.quantity_lots
    return certain or walks_through(book, command, limit_ticks, account)


@called
def walks_through(book: Book, command: Records, limit_ticks: int, taker: int) -> Number:
    """The same order by order, as they would be met, each with what it would then give."""
    side, opposite = command.side, opposite_side(command.side)
    wanted, looks, price_ticks = command.quantity_lots, 0, book.state[BEST + opposite]
    while price_ticks != 0 and within(price_ticks, limit_ticks, side):
        slot = book.levels[level_at(book, price_ticks)].head
        while slot != 0:
            order = book.orders[slot]
            if order.account == taker or looks >= WALK_ORDERS_MAX:
                return False
            looks += 1
            lost = 0
            if order.flags & REDUCE_ONLY:
                lost, looked = lost_lots(book, slot, looks)
                looks = looked
            elif book.reduce_only[order.account, opposite] > 0:
                note(book, order.account, PLAIN_AHEAD, order.remaining_lots)
            wanted -= order.remaining_lots - lost
            if wanted <= 0:
                return True
            slot = order.next
        price_ticks = next_price(book, price_ticks, side == BUY)
    return False


@inlined
def note(book: Book, account: int, what: int, lots: int) -> None:
    """Add to what a walk notes of an account. Notes of an earlier walk are of another row: void."""
    notes = book.reduce_only[account]
    if notes[WALK] != book.state[INPUT_SEQ]:
        notes[WALK], notes[PLAIN_AHEAD], notes[LOST] = book.state[INPUT_SEQ], 0, 0
    notes[what] += lots


@inlined
def lost_lots(book: Book, slot: int, looks: int) -> Number:
    """What a reduce-only order would have lost when it is met, and how many were looked at then.

    Plain orders before it take what they trade off the position, so that so much of the account's
    reduce-only orders is cut, the newest first: some of it from those met before (LOST), and from
    this one what newer ones behind it do not bear.
    """
    order = book.orders[slot]
    note(book, order.account, LOST, 0)
    notes = book.reduce_only[order.account]
    position_lots = book.accounts[order.account].position_lots
    due = notes[order.side] + notes[PLAIN_AHEAD] - reducible_lots(position_lots, order.side)
    due -= notes[LOST]
    newer = book.accounts[order.account].tail
    while due > 0 and newer != slot and looks < WALK_ORDERS_MAX:
        other = book.orders[newer]
        behind = other.level != 0 and not better(other.price_ticks, order.price_ticks, order.side)
        if other.flags & REDUCE_ONLY and other.side == order.side and behind:
            due -= other.remaining_lots
        looks += 1
        newer = other.account_previous
    lost = min(max(0, due), order.remaining_lots)
    note(book, order.account, LOST, lost)
    return lost, looks
