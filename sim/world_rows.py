"""A step's rows: when each arrives, what its order is called, in which order a market takes them.

All of it belongs to the trader and the step, never to whoever computes it: the way of an order
is drawn from a hash that counts traders and steps, and an order's id is made of step, trader and
a number of its own among the trader's rows.
"""

import numpy as np
import numpy.typing as npt

from sim import hashed_draws, kernels
from sim.hashed_draws import first_word, key_of
from sim.kernels import Number, cached_kernel
from sim.messages import COMMAND, CommandKind, Rows, empty_commands

Integers = npt.NDArray[np.int64]

ROW_BITS, ACCOUNT_BITS = 10, 24
STEP_SHIFT = ROW_BITS + ACCOUNT_BITS
ROWS_OF_A_TRADER_MAX = (1 << ROW_BITS) - 1
"""Orders of one trader in one market and step; the number after the last marks forced closing."""

FORCED_ROW = ROWS_OF_A_TRADER_MAX
KEY_BITS = 63
PLACE = int(CommandKind.PLACE)
HALF = np.uint64(32)
LATENCY_DOMAIN = 0x4C4154454E4359


@cached_kernel(hashed_draws, kernels)
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
            row.order_id = -((step << STEP_SHIFT) | (trader << ROW_BITS) | number)
            if number >= ROWS_OF_A_TRADER_MAX:
                answer = -1
    for place in range(len(rows)):
        counts[rows[place].account_id - first_account] = 0
    return answer


def latency_key(seed: int, strategy_no: int, market_no: int) -> np.uint64:
    """The key of a strategy's ways to a market."""
    return key_of(seed, LATENCY_DOMAIN, strategy_no, market_no)


def forced_ids(step: int, account_ids: Integers) -> Integers:
    """Ids of the orders that close positions by force in a step."""
    return -((step << STEP_SHIFT) | (account_ids << ROW_BITS) | FORCED_ROW)


def in_order(batches: list[Rows], begin_us: int) -> Rows:
    """All rows by arrival, then strategy and trader, then as the trader sent them.

    Accounts are numbered strategy after strategy, so the account orders both.
    """
    rows = np.concatenate(batches) if batches else empty_commands(0)
    if len(rows) < 2:
        return rows
    words = rows.view(np.int64).reshape(len(rows), -1)
    return words[_places(rows, begin_us)].view(COMMAND).reshape(len(rows))


def _places(rows: Rows, begin_us: int) -> Integers:
    """The order of rows. One 64-bit key each where it fits: sorting it is the fastest."""
    offsets, accounts = rows["time_us"] - begin_us, rows["account_id"]
    row_bits, account_bits = len(rows).bit_length(), int(accounts.max()).bit_length()
    if int(offsets.max()).bit_length() + account_bits + row_bits > KEY_BITS:
        return np.lexsort((accounts, offsets)).astype(np.int64)
    keys = (offsets << (account_bits + row_bits)) | (accounts << row_bits)
    keys |= np.arange(len(rows), dtype=np.int64)
    keys.sort()
    return keys & ((1 << row_bits) - 1)
