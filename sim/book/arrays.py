"""The memory of one order book: row types, the arrays of a book, and how they grow."""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.rows.messages import EXPIRED_A_ROW_MAX, MarketStatus, empty_commands

Integers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Slots = npt.NDArray[np.uint32]

Records: TypeAlias = Any
"""Rows of a structured dtype, or one of them: numpy's types do not know the fields."""

ORDER: np.dtype[np.void] = np.dtype(
    [
        ("order_id", "<i8"),
        ("remaining_lots", "<i8"),
        ("accepted_seq", "<i8"),
        ("price_ticks", "<i4"),
        ("level", "<u4"),
        ("next", "<u4"),
        ("previous", "<u4"),
        ("account", "<u4"),
        ("account_next", "<u4"),
        ("account_previous", "<u4"),
        ("chain", "<u4"),
        ("terms", "<u4"),
        ("side", "u1"),
        ("flags", "u1"),
        ("unused", "u1", (2,)),
    ]
)
"""One open order: 64 bytes, one cache line. Slot 0 is nobody's and stands for "none".

accepted_seq                     input_seq of the command that placed it
next, previous                   slots of its neighbours in the queue of its price level
account_next, account_previous   slots of its neighbours among its account's orders, oldest first
level, account                   row of its price level, row of its account; level 0 of one that
                                 waits for its trigger and so stands in no queue
terms                            row of its TERMS, 0 for an order without
chain                            next slot in its place of the index, see index.py
In a free slot, `next` is the next free slot.
"""

TERMS: np.dtype[np.void] = np.dtype(
    [
        ("expires_us", "<i8"),
        ("due_no", "<i8"),
        ("slot", "<u4"),
        ("partner", "<u4"),
        ("trigger_ticks", "<i4"),
        ("best_ticks", "<i4"),
        ("trigger_at", "<u4"),
        ("expiry_at", "<u4"),
        ("trailing_at", "<u4"),
        ("heap", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("is_linked", "u1"),
    ]
)
"""What an order has that waits, ends at a time or is linked. Row 0 is nobody's.

slot           the order; 0 in a free row, where `partner` is the next free one
due_no         which of the due orders it is, in the order in which they came due
partner        slot of the other of two linked orders; 0 while the second is to come
trigger_ticks  its trigger price; of a TRAILING stop the distance
best_ticks     of a TRAILING stop: the best price since it came, 0 before the first
heap           where its trigger stands, see heaps.py; trigger_at, expiry_at, trailing_at are the
               places there, 0 for none
order_type     the OrderType of one that waits, 0 of one that rests
"""

LEVEL: np.dtype[np.void] = np.dtype(
    [
        ("head", "<u4"),
        ("tail", "<u4"),
        ("quantity_lots", "<i8"),
        ("order_count", "<i8"),
        ("reduce_only_lots", "<i8"),
    ]
)
"""One price level: the queue's first and last order slot, and its sums. All zero when empty.

reduce_only_lots   the part of quantity_lots that reduce-only orders offer
"""

ACCOUNT: np.dtype[np.void] = np.dtype(
    [
        ("account_id", "<i8"),
        ("position_lots", "<i8"),
        ("head", "<u4"),
        ("tail", "<u4"),
        ("chain", "<u4"),
        ("order_count", "<u4"),
    ]
)
"""One account in this market: its position and its resting orders. Row 0 is nobody's."""

RESTING: np.dtype[np.void] = np.dtype(
    [
        ("order_id", "<i8"),
        ("account_id", "<i8"),
        ("remaining_lots", "<i8"),
        ("accepted_seq", "<i8"),
        ("price_ticks", "<i4"),
        ("side", "u1"),
        ("flags", "u1"),
        ("unused", "u1", (2,)),
    ]
)
"""A resting order as seen from outside: an ORDER without its place in memory."""

WAITING: np.dtype[np.void] = np.dtype(
    [
        *((name, RESTING[name]) for name in RESTING.names or () if name != "unused"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("expires_us", "<i8"),
        ("link_id", "<i8"),
        ("trigger_ticks", "<i4"),
        ("best_ticks", "<i4"),
        ("due_no", "<i8"),
    ]
)
"""An open order as seen from outside, with what its TERMS say.

link_id    the other of two linked orders; the order itself while the other is to come; 0 for none
due_no     its place among the orders that are due, from 1 on; 0 for one that is not
"""

POSITION: np.dtype[np.void] = np.dtype([("account_id", "<i8"), ("position_lots", "<i8")])
"""An account and what it holds, short below 0."""

# Columns of Book.reduce_only; those of the sides are theirs as in Side (1, 2).
(WALK, PLAIN_AHEAD, LOST, WAITS) = (0, 3, 4, 4)
REDUCE_ONLY_COLUMNS = 7

CACHE_LINE_BYTES = 64
LEAF_LEVELS = 64
NODE_CHILDREN = 64
ROOT_SHIFT = 18
ROOT_CHILDREN = 2 ** (31 - ROOT_SHIFT)

# Places in Book.state. BEST, COUNT are followed by one number for each Side (1, 2).
(EVENT_SEQ, INPUT_SEQ, LAST_PRICE, STATUS, MAX_QUANTITY, REDUCE_ONLY_COUNT) = range(6)
(ORDER_FREE, ORDER_LIVE, ACCOUNT_LIVE, LEAF_FREE, LEAF_LIVE, NODE_FREE, NODE_LIVE) = range(6, 13)
(BEST, COUNT) = (12 + 1, 16)
(CURSOR, EVENT_COUNT, EVENTS_WANTED) = range(20, 23)
(MARK, HIGHEST_PURCHASE, LOWEST_SALE, PRICE_BAND_PPM, MIN_QUANTITY, MAX_PRICE) = range(23, 29)
(TERMS_FREE, TERMS_LIVE, DUE_NO, TO_TRIGGER, TO_EXPIRE, IS_TRIGGERED) = range(29, 35)
HEAP_LENGTH = 35
STATE_LENGTH = 48

HEAPS = 7
TERMS_SPARE = 8

HIGHEST_PRICE_TICKS = 2**31 - 1
"""A purchase may go so far where no mark is known; a sale, to 0."""


class Book(NamedTuple):
    """All arrays of one book, as the kernels take them.

    state          (STATE_LENGTH,) the numbers named above
    orders         (capacity + 1,) ORDER
    order_words    (capacity + 1, 8) the same memory as int64; column 0 is the order id
    order_index    (power of two,) uint32, order id → slot, see index.py
    accounts       (capacity + 1,) ACCOUNT; account_words, account_index as for orders
    reduce_only    (capacity + 1, REDUCE_ONLY_COLUMNS) lots of an account's resting reduce-only
                   orders, by side, what fill_or_kill.py notes, and how many wait, by side;
                   untouched where there are none
    terms          (capacity + 1,) TERMS, of the few orders that have any
    heaps          (HEAPS, capacity + 1) rows of terms, see heaps.py
    incoming       (1,) COMMAND: an order of the book that comes in again, as if it were placed
    levels         (leaves × 64,) LEVEL; leaf 0 is nobody's
    leaf_masks     (leaves,) uint64: which of the 64 levels of a leaf hold orders
    nodes          (nodes, 64) children, 0 for none; node_masks (nodes,) which are there
    root           (8192,) the top of the price tree; root_masks (128,)
    """

    state: Integers
    orders: Records
    order_words: Integers
    order_index: Slots
    accounts: Records
    account_words: Integers
    account_index: Slots
    reduce_only: Integers
    terms: Records
    heaps: Slots
    incoming: Records
    levels: Records
    leaf_masks: Words
    nodes: Slots
    node_masks: Words
    root: Slots
    root_masks: Words


def aligned_zeros(count: int, dtype: np.dtype[np.void]) -> Records:
    """(count,) zero rows that begin on a cache line."""
    raw = np.zeros(count * dtype.itemsize + CACHE_LINE_BYTES, dtype=np.uint8)
    start = -raw.ctypes.data % CACHE_LINE_BYTES
    return raw[start : start + count * dtype.itemsize].view(dtype)


def as_words(rows: Records) -> Integers:
    """The same memory as (rows, words) int64."""
    words: Integers = rows.view(np.int64).reshape(len(rows), -1)
    return words


def index_length(capacity: int) -> int:
    """Length of an index for `capacity` ids: a power of two, at least twice as many."""
    return 1 << max(4, (2 * capacity - 1).bit_length())


def new_state(spec: MarketSpec) -> Integers:
    """The numbers of a market that is open and knows no mark."""
    state = np.zeros(STATE_LENGTH, np.int64)
    state[STATUS] = MarketStatus.ACTIVE
    state[MIN_QUANTITY], state[MAX_QUANTITY] = spec.min_quantity_lots, spec.max_quantity_lots
    state[MAX_PRICE] = spec.max_price_ticks
    state[PRICE_BAND_PPM] = spec.price_band_ppm
    state[TO_EXPIRE] = EXPIRED_A_ROW_MAX
    state[HIGHEST_PURCHASE] = HIGHEST_PRICE_TICKS
    return state


def new_book(spec: MarketSpec, capacity_orders: int, capacity_terms: int = TERMS_SPARE) -> Book:
    """An empty book with room for so many orders and terms; everything else starts small."""
    orders, accounts = aligned_zeros(capacity_orders + 1, ORDER), aligned_zeros(64, ACCOUNT)
    return Book(
        state=new_state(spec),
        orders=orders,
        order_words=as_words(orders),
        order_index=np.zeros(index_length(capacity_orders), np.uint32),
        accounts=accounts,
        account_words=as_words(accounts),
        account_index=np.zeros(index_length(64), np.uint32),
        reduce_only=np.zeros((64, REDUCE_ONLY_COLUMNS), np.int64),
        terms=np.zeros(capacity_terms + 1, TERMS),
        heaps=np.zeros((HEAPS, capacity_terms + 1), np.uint32),
        incoming=empty_commands(1),
        levels=aligned_zeros(8 * LEAF_LEVELS, LEVEL),
        leaf_masks=np.zeros(8, np.uint64),
        nodes=np.zeros((8, NODE_CHILDREN), np.uint32),
        node_masks=np.zeros(8, np.uint64),
        root=np.zeros(ROOT_CHILDREN, np.uint32),
        root_masks=np.zeros(ROOT_CHILDREN // 64, np.uint64),
    )


def memory_bytes(book: Book) -> int:
    """Bytes of all arrays, room to grow included; two views of one memory count once."""
    views = book.order_words.nbytes + book.account_words.nbytes
    return int(sum(array.nbytes for array in book)) - views
