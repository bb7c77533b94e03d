"""Kernels that read a whole book, refill it or enlarge its indexes. None is on the hot path."""

from sim.book import arrays as book_arrays
from sim.book import events as event_rows
from sim.book import index as order_index
from sim.book import levels as price_levels
from sim.book import queues as book_parts
from sim.book.arrays import BEST, CURSOR, Book, Integers, Records, Slots
from sim.book.events import BUY
from sim.book.index import insert
from sim.book.levels import level_at, next_price
from sim.book.queues import DONE, find_account, open_account, rest_order, shortage
from sim.rows import columns, kernels, messages
from sim.rows.kernels import Number, cached_kernel

KERNEL_MODULES = (
    book_parts,
    book_arrays,
    columns,
    event_rows,
    kernels,
    messages,
    order_index,
    price_levels,
)


@cached_kernel(*KERNEL_MODULES)
def position_of(book: Book, account_id: int) -> Number:
    """Position in lots, 0 for an account this market does not know."""
    return book.accounts[find_account(book, account_id)].position_lots


@cached_kernel(*KERNEL_MODULES)
def write_depth(book: Book, side: int, depth: Integers) -> Number:
    """Fill `depth` (n, 3: price, quantity, orders) best first; answers how many levels."""
    price_ticks = book.state[BEST + side]
    count = 0
    while price_ticks != 0 and count < len(depth):
        level = book.levels[level_at(book, price_ticks)]
        depth[count, 0] = price_ticks
        depth[count, 1] = level.quantity_lots
        depth[count, 2] = level.order_count
        count += 1
        price_ticks = next_price(book, price_ticks, side != BUY)
    return count


@cached_kernel(*KERNEL_MODULES)
def write_resting(book: Book, side: int, rows: Records) -> None:
    """Fill `rows` (RESTING, one for each order of the side) in price-time order."""
    price_ticks = book.state[BEST + side]
    count = 0
    while price_ticks != 0:
        slot = book.levels[level_at(book, price_ticks)].head
        while slot != 0:
            order, row = book.orders[slot], rows[count]
            row.order_id = order.order_id
            row.account_id = book.accounts[order.account].account_id
            row.remaining_lots = order.remaining_lots
            row.accepted_seq = order.accepted_seq
            row.price_ticks = order.price_ticks
            row.side = order.side
            row.flags = order.flags
            count += 1
            slot = order.next
        price_ticks = next_price(book, price_ticks, side != BUY)


@cached_kernel(*KERNEL_MODULES)
def refill(book: Book, orders: Records, positions: Records) -> Number:
    """Enter POSITION rows and RESTING rows, oldest order first, from state[CURSOR] on.

    Answers DONE, or what must grow before the row at CURSOR.
    """
    state = book.state
    while state[CURSOR] < len(positions) + len(orders):
        short = shortage(book)
        if short != DONE:
            return short
        if state[CURSOR] < len(positions):
            position = positions[state[CURSOR]]
            account = open_account(book, position.account_id)
            book.accounts[account].position_lots = position.position_lots
        else:
            order = orders[state[CURSOR] - len(positions)]
            rest_order(book, order, order.remaining_lots, order.accepted_seq)
        state[CURSOR] += 1
    return DONE


@cached_kernel(*KERNEL_MODULES)
def index_rows(index: Slots, rows: Records, words: Integers, count: int) -> None:
    """Enter rows 1 … count - 1 (`words` are the same memory as int64) into an empty index."""
    for row in range(1, count):
        insert(index, rows, words[row, 0], row)
