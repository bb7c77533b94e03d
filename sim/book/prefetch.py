"""Memory asked for ahead of time: what makes a large book nearly as fast as a small one.

A book of a million orders does not fit the processor's caches, and an order's way
through it waits for one far line after the other. A batch tells what comes next,
so the kernel looks some rows ahead, in stages, each of which finds what the one
before has asked for. All of it only reads, and none of it changes a result.
"""

from sim.book.arrays import Book, Records
from sim.book.index import place_of
from sim.book.levels import level_at
from sim.book.queues import find_account, find_order
from sim.rows.kernels import inlined, prefetch

LARGE_BOOK_ROWS = 8_192
"""Books with room for fewer orders and fewer accounts live in the caches anyway."""

INDEX_AHEAD, ORDER_AHEAD, NEIGHBOURS_AHEAD = 24, 16, 8
"""How many rows ahead each stage looks."""


@inlined
def prefetch_index(book: Book, command: Records) -> None:
    """Stage 1: where the order's id is, or will be, and the account's."""
    prefetch(book.order_index, place_of(book.order_index, command.order_id))
    prefetch(book.account_index, place_of(book.account_index, command.account_id))


@inlined
def prefetch_order(book: Book, command: Records) -> None:
    """Stage 2: the order with that id or the chain it will join, its account, and the level it
    will join."""
    prefetch(book.orders, book.order_index[place_of(book.order_index, command.order_id)])
    account = book.account_index[place_of(book.account_index, command.account_id)]
    prefetch(book.accounts, account)
    prefetch(book.levels, level_at(book, max(0, command.price_ticks)))


@inlined
def prefetch_neighbours(book: Book, command: Records) -> None:
    """Stage 3: the orders whose links will change."""
    prefetch_links(book, find_order(book, command.order_id))
    prefetch(book.orders, book.levels[level_at(book, max(0, command.price_ticks))].tail)
    prefetch(book.orders, book.accounts[find_account(book, command.account_id)].tail)


@inlined
def prefetch_links(book: Book, slot: int) -> None:
    """The neighbours of an order in its queue and its account, and its level."""
    order = book.orders[slot]
    prefetch(book.orders, order.next)
    prefetch(book.orders, order.previous)
    prefetch(book.orders, order.account_next)
    prefetch(book.orders, order.account_previous)
    prefetch(book.levels, order.level)


@inlined
def prefetch_maker(book: Book, slot: int) -> None:
    """What it takes to trade with an order and to drop it, and the order behind it."""
    order = book.orders[slot]
    prefetch(book.accounts, order.account)
    prefetch(book.order_index, place_of(book.order_index, order.order_id))
    prefetch(book.orders, order.next)


@inlined
def look_ahead(book: Book, commands: Records, row: int) -> None:
    """All stages for the rows ahead of `row`."""
    if row + INDEX_AHEAD < len(commands):
        prefetch_index(book, commands[row + INDEX_AHEAD])
    if row + ORDER_AHEAD < len(commands):
        prefetch_order(book, commands[row + ORDER_AHEAD])
    if row + NEIGHBOURS_AHEAD < len(commands):
        prefetch_neighbours(book, commands[row + NEIGHBOURS_AHEAD])
