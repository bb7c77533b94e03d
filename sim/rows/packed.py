"""What happened to some traders, in half the size of EVENT rows: all that traders learn from.

A packed event is four words, so that little is written, sent and read:

* the order that rests or rested (of a TRADE the maker's);
* whose it is: in the lower half the place, among the traders told, of the EVENT's account, in
  the upper half that of its maker account; counted from 1, 0 where it is none of them;
* lots;
* the last word of the EVENT row: price, kind, reason, side and flags.

What is left out are sequence numbers, time and the taker's order of a TRADE.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim.rows import columns, kernels, messages
from sim.rows.columns import (
    EVENT_ACCOUNT,
    EVENT_CODES,
    EVENT_LOTS,
    EVENT_MAKER,
    EVENT_MAKER_ORDER,
    EVENT_ORDER,
    EVENT_WORDS,
    kind_of,
)
from sim.rows.kernels import Number, cached_kernel, inlined
from sim.rows.messages import EventKind, Rows

Integers = npt.NDArray[np.int64]

PACKED_WORDS = 4
ORDER, WHOSE, LOTS, CODES = range(PACKED_WORDS)
"""Words of a packed event."""

PLACE_BITS = 32
PLACE_MASK = (1 << PLACE_BITS) - 1

TRADE = int(EventKind.TRADE)

NO_PACKED: Integers = np.empty((0, PACKED_WORDS), np.int64)


@inlined
def owner_of(whose: int) -> Number:
    """The place of the trader whose order it is, of a TRADE the taker's; −1 for none of them."""
    return (whose & PLACE_MASK) - 1


@inlined
def maker_of(whose: int) -> Number:
    """The place of the maker of a TRADE; −1 for none of them."""
    return (whose >> PLACE_BITS) - 1


@cached_kernel(columns, kernels, messages)
def pack_for(events: Integers, bounds: Integers, ends: Integers, packed: Integers) -> None:
    """Write the events, (n, EVENT_WORDS), that concern the accounts of each part, part after part.

    bounds   int64 (parts, 2): a part's first account, and the one after its last
    ends     int64 (parts,), told where the events of each part end in `packed`
    packed   int64 (n, 4) for one part, (2 n, 4) for more: an event concerns two at most
    """
    count = 0
    for part in range(len(bounds)):
        first, traders = bounds[part, 0], bounds[part, 1] - bounds[part, 0]
        for row in range(len(events)):
            owner = events[row, EVENT_ACCOUNT] - first
            maker = events[row, EVENT_MAKER] - first
            mine, made = 0 <= owner < traders, 0 <= maker < traders
            if mine or made:
                codes = events[row, EVENT_CODES]
                traded = kind_of(codes) == TRADE
                order, made_of = events[row, EVENT_ORDER], events[row, EVENT_MAKER_ORDER]
                packed[count, ORDER] = made_of if traded else order
                packed[count, WHOSE] = (owner + 1 if mine else 0) | (
                    (maker + 1 if made else 0) << PLACE_BITS
                )
                packed[count, LOTS], packed[count, CODES] = events[row, EVENT_LOTS], codes
                count += 1
        ends[part] = count


def bounds_of(parts: Sequence[range]) -> Integers:
    """What `packed_for` takes: int64 (parts, 2), from the accounts of parts that share none."""
    return np.array([(ids.start, ids.stop) for ids in parts], np.int64).reshape(len(parts), 2)


def packed_for(events: Rows, bounds: Integers) -> list[Integers]:
    """Of EVENT rows for each part those of which it owns or makes one side: int64 (n, 4), in
    memory of which it uses the half at least. A part has fewer than 2**31 accounts."""
    if len(events) == 0:
        return [NO_PACKED] * len(bounds)
    words = events.view(np.int64).reshape(len(events), EVENT_WORDS)
    packed = np.empty((len(events) * min(len(bounds), 2), PACKED_WORDS), np.int64)
    ends = np.zeros(len(bounds), np.int64)
    pack_for(words, bounds, ends, packed)
    found, begin = [], 0
    for end in ends.tolist():
        own = packed[begin:end]
        found.append(own if 2 * len(own) > len(packed) else own.copy())
        begin = end
    return found


def joined_packed(batches: Sequence[Integers]) -> Integers:
    """Packed events of one part, batch after batch; the batch itself where there is one."""
    if not batches:
        return NO_PACKED
    return batches[0] if len(batches) == 1 else np.concatenate(batches)
