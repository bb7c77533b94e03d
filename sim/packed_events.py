"""EVENT rows in less than half their size: what a part of a strategy learns from, and no more.

Between actors every byte is copied twice. A packed event is four words: the order that rests or
rested (of a TRADE the maker's); the accounts, kind, side and flags; lots; price. What is left
out comes back as 0: sequence numbers, time, reason, and the taker's order of a TRADE.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim import kernels
from sim.kernels import cached_kernel
from sim.messages import EVENT, EventKind, Rows

Integers = npt.NDArray[np.int64]

PACKED_WORDS, EVENT_WORDS = 4, EVENT.itemsize // 8
ACCOUNT_BITS = 24
ACCOUNT_MASK = (1 << ACCOUNT_BITS) - 1
KIND_SHIFT, SIDE_SHIFT, FLAGS_SHIFT = 48, 52, 56
ORDER_ID, ACCOUNT, MAKER_ORDER_ID, MAKER_ACCOUNT, LOTS, CODES = 3, 4, 5, 6, 7, 8
"""Words of an EVENT row."""

TRADE = int(EventKind.TRADE)

NO_PACKED: Integers = np.empty((0, PACKED_WORDS), np.int64)


@cached_kernel(kernels)
def pack_for(events: Integers, bounds: Integers, ends: Integers, packed: Integers) -> None:
    """Write the events, (n, 9) words, that concern the accounts of each part, part after part.

    bounds   int64 (parts, 2): a part's first account, and the one after its last
    ends     int64 (parts,), told where the events of each part end in `packed`
    packed   int64 (2 n, 4): an event concerns two parts at most
    """
    count = 0
    for part in range(len(bounds)):
        first, stop = bounds[part, 0], bounds[part, 1]
        for row in range(len(events)):
            owner, maker = events[row, ACCOUNT], events[row, MAKER_ACCOUNT]
            if first <= owner < stop or first <= maker < stop:
                codes = events[row, CODES]
                kind, side, flags = (codes >> 32) & 15, (codes >> 48) & 3, (codes >> 56) & 15
                order = events[row, MAKER_ORDER_ID] if kind == TRADE else events[row, ORDER_ID]
                packed[count, 0] = order
                packed[count, 1] = owner | (maker << ACCOUNT_BITS) | (kind << KIND_SHIFT)
                packed[count, 1] |= (side << SIDE_SHIFT) | (flags << FLAGS_SHIFT)
                packed[count, 2] = events[row, LOTS]
                packed[count, 3] = codes & 0xFFFFFFFF
                count += 1
        ends[part] = count


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


def bounds_of(parts: Sequence[range]) -> Integers:
    """What `packed_for` takes: int64 (parts, 2), from the accounts of parts that share none."""
    return np.array([(ids.start, ids.stop) for ids in parts], np.int64).reshape(len(parts), 2)


def packed_for(events: Rows, bounds: Integers) -> list[Integers]:
    """EVENT rows of accounts below 2**24, for each part those in which it owns or makes:
    int64 (n, 4), each in memory of its own."""
    if len(events) == 0:
        return [NO_PACKED] * len(bounds)
    words = events.view(np.int64).reshape(len(events), EVENT_WORDS)
    packed = np.empty((2 * len(events), PACKED_WORDS), np.int64)
    ends = np.zeros(len(bounds), np.int64)
    pack_for(words, bounds, ends, packed)
    found, begin = [], 0
    for end in ends.tolist():
        found.append(packed[begin:end].copy() if end > begin else NO_PACKED)
        begin = end
    return found


def unpacked(batches: Sequence[Integers]) -> Rows:
    """The EVENT rows of `packed_for`, batch after batch, without what it leaves out."""
    packed = batches[0] if len(batches) == 1 else np.concatenate(batches)
    packed.flags.writeable = False
    events = np.empty((len(packed), EVENT_WORDS), np.int64)
    unpack(packed, events)
    return events.view(EVENT).reshape(len(packed))
