"""A step's rows: when each arrives, what its order is called, in which order a market takes them.

All of it belongs to the trader and the step, never to whoever computes it: the way of an order
is drawn from a hash that counts traders and steps, and an order's id is made of step, trader and
a number of its own among the trader's rows: see rows/order_ids.py.
"""

import numpy as np
import numpy.typing as npt

from sim.rows import columns, hashed_draws, kernels, messages, order_ids
from sim.rows.columns import COMMAND_ACCOUNT, COMMAND_TIME, COMMAND_WORDS
from sim.rows.hashed_draws import first_word, key_of
from sim.rows.kernels import Number, cached_kernel, prefetch
from sim.rows.messages import COMMAND, CommandKind, Rows, empty_commands, joined
from sim.rows.order_ids import SIMULATED, order_id

Integers = npt.NDArray[np.int64]

ACCOUNT_BITS, ROW_BITS = SIMULATED
ROWS_OF_A_TRADER_MAX = SIMULATED.number_max
"""Orders of one trader in one market and step; the number after the last is that of the order
that closes its position by force."""

RADIX_BITS = 8
RADIX = 1 << RADIX_BITS
INSERTION_ROWS = 48
ROWS_AHEAD = 8
PLACE = int(CommandKind.PLACE)
HALF = np.uint64(32)
LATENCY_DOMAIN = 0x4C4154454E4359


@cached_kernel(hashed_draws, kernels, order_ids)
def stamp(
    rows: Rows,
    counts: Integers,
    first_account: int,
    step: int,
    step_us: int,
    latency_us_min: int,
    latency_us_span: int,
    key: np.uint64,
) -> Number:
    """Write arrival times into rows and ids into PLACE rows without one.

    counts (traders,) int64 zeros, left as zeros. Answers 0, or -1 where a trader has too many rows.
    """
    begin_us, answer = (step - 1) * step_us, 0
    for place in range(len(rows)):
        row: Number = rows[place]
        trader = row.account_id
        word = first_word(key, trader, step)
        drawn = ((word >> HALF) * np.uint64(latency_us_span)) >> HALF
        late_us: Number = latency_us_min + np.int64(drawn)
        row.time_us = begin_us + min(late_us, step_us - 1)
        if row.kind == PLACE and row.order_id == 0:
            number = counts[trader - first_account]
            counts[trader - first_account] += 1
            row.order_id = order_id(step, trader, number, ACCOUNT_BITS, ROW_BITS)
            if number >= ROWS_OF_A_TRADER_MAX:
                answer = -1
    for place in range(len(rows)):
        counts[rows[place].account_id - first_account] = 0
    return answer


def latency_key(seed: int, strategy_no: int, market_no: int) -> np.uint64:
    """The key of a strategy's ways to a market."""
    return key_of(seed, LATENCY_DOMAIN, strategy_no, market_no)


@cached_kernel(columns, kernels, messages)
def sort_rows(
    rows: Integers,
    begin_us: int,
    keys: Integers,
    spare: Integers,
    starts: Integers,
    out: Integers,
) -> None:
    """Copy COMMAND rows, as (n, COMMAND_WORDS) words, into `out` by arrival, then account, then
    as they stand.

    keys, spare   (n, 2) int64, room for the sort key of a row and its place
    starts        (RADIX,) int64, room
    One function because it is one sort: radix, lowest byte first; small batches by insertion.
    """
    count, latest, ascending = len(rows), 0, True
    for row in range(count):
        offset, account = rows[row, COMMAND_TIME] - begin_us, rows[row, COMMAND_ACCOUNT]
        keys[row, 0], keys[row, 1] = (offset << ACCOUNT_BITS) | account, row
        latest = max(latest, offset)
        ascending = ascending and (row == 0 or rows[row - 1, COMMAND_ACCOUNT] <= account)
    if count < INSERTION_ROWS:
        for row in range(1, count):
            key, place, at = keys[row, 0], keys[row, 1], row
            while at > 0 and keys[at - 1, 0] > key:
                keys[at, 0], keys[at, 1] = keys[at - 1, 0], keys[at - 1, 1]
                at -= 1
            keys[at, 0], keys[at, 1] = key, place
    else:
        shift = ACCOUNT_BITS if ascending else 0
        while shift < ACCOUNT_BITS or (latest << ACCOUNT_BITS) >> shift > 0:
            starts[:] = 0
            for row in range(count):
                starts[(keys[row, 0] >> shift) & (RADIX - 1)] += 1
            total = 0
            for digit in range(RADIX):
                total, starts[digit] = total + starts[digit], total
            for row in range(count):
                digit = (keys[row, 0] >> shift) & (RADIX - 1)
                at = starts[digit]
                spare[at, 0], spare[at, 1] = keys[row, 0], keys[row, 1]
                starts[digit] += 1
            keys, spare = spare, keys
            shift += RADIX_BITS
    for row in range(count):
        if row + ROWS_AHEAD < count:
            prefetch(rows, keys[row + ROWS_AHEAD, 1])
        for word in range(rows.shape[1]):
            out[row, word] = rows[keys[row, 1], word]


def in_order(batches: list[Rows], begin_us: int) -> Rows:
    """All rows by arrival, then strategy and trader, then as the trader sent them.

    Accounts are numbered strategy after strategy, so the account orders both.
    """
    rows = joined(batches) if batches else empty_commands(0)
    if len(rows) < 2:
        return rows
    words = rows.view(np.int64).reshape(len(rows), COMMAND_WORDS)
    out, pairs = np.empty_like(words), np.empty((2, len(rows), 2), np.int64)
    sort_rows(words, begin_us, pairs[0], pairs[1], np.empty(RADIX, np.int64), out)
    return out.view(COMMAND).reshape(len(rows))
