"""EVENT rows in less than half their size: what a part of a strategy learns from, and no more.

Between actors every byte is copied twice. A packed event is four words: the order that rests or
rested (of a TRADE the maker's); the accounts, kind, side and flags; lots; price. What is left
out comes back as 0: sequence numbers, time, reason, and the taker's order of a TRADE.
"""

import numpy as np
import numpy.typing as npt

from sim import kernels
from sim.kernels import Number, cached_kernel
from sim.messages import EVENT, EventKind, Rows

Integers = npt.NDArray[np.int64]

PACKED_WORDS, EVENT_WORDS = 4, EVENT.itemsize // 8
ACCOUNT_BITS = 24
ACCOUNT_MASK = (1 << ACCOUNT_BITS) - 1
KIND_SHIFT, SIDE_SHIFT, FLAGS_SHIFT = 48, 52, 56
ORDER_ID, ACCOUNT, MAKER_ORDER_ID, MAKER_ACCOUNT, LOTS, CODES = 3, 4, 5, 6, 7, 8
"""Words of an EVENT row."""

TRADE = int(EventKind.TRADE)


@cached_kernel(kernels)
def pack_about(events: Integers, first_account: int, stop_account: int, packed: Integers) -> Number:
    """Write the events, (n, 9) words, of these accounts into `packed`, (n, 4); answers how many."""
    count = 0
    for row in range(len(events)):
        owner, maker = events[row, ACCOUNT], events[row, MAKER_ACCOUNT]
        if first_account <= owner < stop_account or first_account <= maker < stop_account:
            codes = events[row, CODES]
            kind, side, flags = (codes >> 32) & 15, (codes >> 48) & 3, (codes >> 56) & 15
            order = events[row, MAKER_ORDER_ID] if kind == TRADE else events[row, ORDER_ID]
            packed[count, 0] = order
            packed[count, 1] = owner | (maker << ACCOUNT_BITS)
            packed[count, 1] |= (kind << KIND_SHIFT) | (side << SIDE_SHIFT) | (flags << FLAGS_SHIFT)
            packed[count, 2] = events[row, LOTS]
            packed[count, 3] = codes & 0xFFFFFFFF
            count += 1
    return count


@cached_kernel(kernels)
def unpack(packed: Integers, events: Integers) -> None:
    """Write packed events, (n, 4), as (n, 9) words."""
    for row in range(len(packed)):
        about = packed[row, 1]
        kind, side, flags = (
            (about >> KIND_SHIFT) & 15,
            (about >> SIDE_SHIFT) & 15,
            (about >> FLAGS_SHIFT) & 15,
        )
        traded = kind == TRADE
        for word in range(3):
            events[row, word] = 0
        events[row, ORDER_ID] = 0 if traded else packed[row, 0]
        events[row, MAKER_ORDER_ID] = packed[row, 0] if traded else 0
        events[row, ACCOUNT] = about & ACCOUNT_MASK
        events[row, MAKER_ACCOUNT] = (about >> ACCOUNT_BITS) & ACCOUNT_MASK
        events[row, LOTS] = packed[row, 2]
        codes = packed[row, 3] & 0xFFFFFFFF
        events[row, CODES] = codes | (kind << 32) | (side << 48) | (flags << 56)


def packed_about(events: Rows, first_account: int, stop_account: int) -> Integers:
    """EVENT rows of these accounts, below 2**24, as owner or as maker: int64 (n, 4)."""
    packed = np.empty((len(events), PACKED_WORDS), np.int64)
    words = events.view(np.int64).reshape(len(events), EVENT_WORDS)
    return packed[: pack_about(words, first_account, stop_account, packed)]


def unpacked(packed: Integers) -> Rows:
    """The EVENT rows of `packed_about`, without what it leaves out."""
    events, same = np.empty((len(packed), EVENT_WORDS), np.int64), packed.view()
    same.flags.writeable = False
    unpack(same, events)
    return events.view(EVENT).reshape(len(packed))
