"""The order book: FIFO queues of orders at price levels, linked by slot numbers.

These are the parts of kernels; matching.py has the rules of orders, walks.py
the kernels that read a whole book. Sides are 1 (buy) and 2 (sell) as in Side.
"""

from sim.book.arrays import (
    ACCOUNT_LIVE,
    BEST,
    COUNT,
    LEAF_LIVE,
    NODE_LIVE,
    ORDER_FREE,
    ORDER_LIVE,
    REDUCE_ONLY_COUNT,
    Book,
    Records,
)
from sim.book.index import find, insert, remove
from sim.book.levels import close_level, level_at, next_price, open_level
from sim.rows.kernels import Number, inlined, prefetch
from sim.rows.messages import OrderFlag, Side

(DONE, ORDERS_FULL, ACCOUNTS_FULL, LEAVES_FULL, NODES_FULL, EVENTS_FULL, TERMS_FULL) = range(7)
(WITH_TERMS, WITHOUT_TERMS) = (7, 8)
"""What a kernel answers: all rows done, or what must grow before the next one; or that the next
one is for the kernel that knows terms, or for the faster one that does not."""

BUY, SELL = int(Side.BUY), int(Side.SELL)
REDUCE_ONLY = int(OrderFlag.REDUCE_ONLY)


@inlined
def shortage(book: Book) -> Number:
    """What must grow before one more order can rest; DONE when nothing."""
    state = book.state
    if state[ORDER_LIVE] + 1 >= len(book.orders):
        return ORDERS_FULL
    if state[ACCOUNT_LIVE] + 1 >= len(book.accounts):
        return ACCOUNTS_FULL
    if state[LEAF_LIVE] + 1 >= len(book.leaf_masks):
        return LEAVES_FULL
    return NODES_FULL if state[NODE_LIVE] + 2 >= len(book.nodes) else DONE


@inlined
def find_order(book: Book, order_id: int) -> Number:
    """Slot of a resting order, 0 if none has this id."""
    return find(book.order_index, book.orders, book.order_words, order_id)


@inlined
def find_account(book: Book, account_id: int) -> Number:
    """Row of an account, 0 if it has never traded or rested here."""
    return find(book.account_index, book.accounts, book.account_words, account_id)


@inlined
def open_account(book: Book, account_id: int) -> Number:
    """Row of an account, made if there is none yet."""
    row = find_account(book, account_id)
    if row == 0:
        book.state[ACCOUNT_LIVE] += 1
        row = book.state[ACCOUNT_LIVE]
        book.accounts[row].account_id = account_id
        insert(book.account_index, book.accounts, account_id, row)
    return row


@inlined
def better(price_ticks: int, other_ticks: int, side: int) -> Number:
    """Whether a resting price comes before another one of the same side."""
    return price_ticks > other_ticks if side == BUY else price_ticks < other_ticks


@inlined
def take_slot(book: Book) -> Number:
    """A free order slot. The caller has made sure that there is one."""
    slot = book.state[ORDER_FREE]
    book.state[ORDER_LIVE] += 1
    if slot == 0:
        return book.state[ORDER_LIVE]
    book.state[ORDER_FREE] = book.orders[slot].next
    prefetch(book.orders, book.state[ORDER_FREE])
    return slot


@inlined
def waits(book: Book, slot: int) -> Number:
    """Whether an order waits for its trigger, and so stands in no queue."""
    return book.orders[slot].level == 0


@inlined
def give_slot(book: Book, slot: int) -> None:
    """A slot is free again."""
    book.orders[slot].next = book.state[ORDER_FREE]
    book.state[ORDER_FREE] = slot
    book.state[ORDER_LIVE] -= 1


@inlined
def join_level(book: Book, slot: int) -> None:
    """Put an order at the end of the queue at its price."""
    order = book.orders[slot]
    row = level_at(book, order.price_ticks)
    if row < 64 or book.levels[row].order_count == 0:
        row = open_level(book, order.price_ticks)
        best = book.state[BEST + order.side]
        if best == 0 or better(order.price_ticks, best, order.side):
            book.state[BEST + order.side] = order.price_ticks
    level = book.levels[row]
    order.level = row
    order.next = 0
    order.previous = level.tail
    book.orders[level.tail].next = slot
    level.head = slot if level.tail == 0 else level.head
    level.tail = slot
    level.quantity_lots += order.remaining_lots
    if order.flags & REDUCE_ONLY:
        level.reduce_only_lots += order.remaining_lots
        book.reduce_only[order.account, order.side] += order.remaining_lots
    level.order_count += 1


@inlined
def take_lots(book: Book, slot: int, lots: int) -> None:
    """A resting order becomes smaller; it keeps its place, also where nothing is left."""
    order = book.orders[slot]
    level = book.levels[order.level]
    level.quantity_lots -= lots
    if order.flags & REDUCE_ONLY:
        level.reduce_only_lots -= lots
        book.reduce_only[order.account, order.side] -= lots
    order.remaining_lots -= lots


@inlined
def leave_level(book: Book, slot: int) -> None:
    """Take an order out of its queue. Slot 0 takes the writes of a missing neighbour."""
    order = book.orders[slot]
    level = book.levels[order.level]
    take_lots(book, slot, order.remaining_lots)
    level.order_count -= 1
    book.orders[order.previous].next = order.next
    book.orders[order.next].previous = order.previous
    level.head = order.next if order.previous == 0 else level.head
    level.tail = order.previous if order.next == 0 else level.tail
    side, price_ticks = order.side, order.price_ticks
    book.state[COUNT + side] -= 1
    if level.order_count == 0:
        close_level(book, price_ticks, order.level)
        if price_ticks == book.state[BEST + side]:
            empty = book.state[COUNT + side] == 0
            book.state[BEST + side] = 0 if empty else next_price(book, price_ticks, side == SELL)


@inlined
def join_account(book: Book, slot: int) -> None:
    """Put an order at the end of its account's list, which is in order of acceptance."""
    order = book.orders[slot]
    account = book.accounts[order.account]
    account.order_count += 1
    order.account_next = 0
    order.account_previous = account.tail
    book.orders[account.tail].account_next = slot
    account.head = slot if account.tail == 0 else account.head
    account.tail = slot


@inlined
def leave_account(book: Book, slot: int) -> None:
    """Take an order out of its account's list."""
    order = book.orders[slot]
    account = book.accounts[order.account]
    account.order_count -= 1
    book.orders[order.account_previous].account_next = order.account_next
    book.orders[order.account_next].account_previous = order.account_previous
    account.head = order.account_next if order.account_previous == 0 else account.head
    account.tail = order.account_previous if order.account_next == 0 else account.tail


@inlined
def fill_slot(book: Book, slot: int, source: Records, lots: int, accepted_seq: int) -> None:
    """Write an order into its slot. `source` is a COMMAND or a RESTING row: same names."""
    order = book.orders[slot]
    order.order_id = source.order_id
    order.remaining_lots = lots
    order.accepted_seq = accepted_seq
    order.price_ticks = source.price_ticks
    order.terms = 0
    order.side = source.side
    order.flags = source.flags
    order.account = open_account(book, source.account_id)


@inlined
def rest_order(book: Book, source: Records, lots: int, accepted_seq: int) -> None:
    """A new order joins the book, the last of its price."""
    slot = take_slot(book)
    fill_slot(book, slot, source, lots, accepted_seq)
    book.state[COUNT + source.side] += 1
    if source.flags & REDUCE_ONLY:
        book.state[REDUCE_ONLY_COUNT] += 1
    insert(book.order_index, book.orders, source.order_id, slot)
    join_level(book, slot)
    join_account(book, slot)


@inlined
def drop_order(book: Book, slot: int) -> None:
    """An order without terms leaves the book; its slot is free again."""
    order = book.orders[slot]
    remove(book.order_index, book.orders, order.order_id, slot)
    leave_account(book, slot)
    leave_level(book, slot)
    if order.flags & REDUCE_ONLY:
        book.state[REDUCE_ONLY_COUNT] -= 1
    give_slot(book, slot)
