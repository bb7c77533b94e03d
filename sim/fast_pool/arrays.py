"""A pool as arrays, and a batch of swaps with its answers.

Whatever may pass 64 bits is a row of four uint64, the lowest first; signed numbers are two's
complements of 256 bits. Prices are square roots, Q64.96; growths Q128.128; amounts and balances in
units of their tokens.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Integers: TypeAlias = npt.NDArray[np.int64]
Table: TypeAlias = npt.NDArray[np.uint64]
Truths: TypeAlias = npt.NDArray[np.bool_]

(
    FEE_PIPS,
    TICK_SPACING,
    FIRST_WORD,
    TICK,
    OBSERVATION_INDEX,
    CARDINALITY,
    CARDINALITY_NEXT,
    FEE_PROTOCOL,
    STEPS_WALKED,
) = range(9)
"""Places of PoolArrays.numbers."""

PRICE_X96, LIQUIDITY, GROWTH_X128, PROTOCOL_FEES, BALANCES = 0, 1, 2, 4, 6
"""Rows of PoolArrays.words, eight; of the last three one for each token."""

GROSS, NET, OUTSIDE_X128, SECONDS_PER_LIQUIDITY_X128 = 0, 1, 2, 4
TICK_ROWS = 5
"""Rows of a tick in PoolArrays.ticks; of OUTSIDE_X128 one for each token."""

CUMULATIVE, SECONDS = 0, 1
"""Columns of PoolArrays.tick_grown."""

TIME_S, TICK_CUMULATIVE, IS_INITIALIZED = range(3)
"""Columns of PoolArrays.observations."""

(
    NOW_TICK,
    NOW_S,
    TOKEN_IN,
    CROSSED,
    FIRST_CROSSED,
    IS_GROWN,
    GROWN_CUMULATIVE,
) = range(7)
"""Places of PoolArrays.walk_numbers."""

REMAINING, CALCULATED, SPECIFIED, LIMIT_X96, PAID_GROWTH_X128, PROTOCOL_FEE, GROWN_X128 = range(
    2, 9
)
WALK_ROWS = 9
"""Rows of PoolArrays.walk, after PRICE_X96 and LIQUIDITY; growth and fee of the token paid in."""

REASONS = (None, "", "AS", "LOK", "SPL", "LS", "LA", "TF", "IIA")
DONE, NAMELESS, AS, LOK, SPL, LS, LA, TF, IIA = range(9)
"""What came of a swap: it is done, or has reverted for one of REASONS."""


class PoolArrays(NamedTuple):
    """What swaps read and write of a pool; ticks stand by number, the lowest first.

    numbers                int64[9]
    words                  uint64[8, 4]
    bitmap                 uint64[words of compressed ticks, 4], from the lowest tick's on
    tick_numbers           int64[ticks]
    ticks                  uint64[ticks · TICK_ROWS, 4]
    tick_grown             int64[ticks, 2]: what had grown outside, tick·seconds and seconds
    observations           int64[cardinality next, 3]
    seconds_per_liquidity  uint64[cardinality next, 4]: Q128, of each observation
    walk, walk_numbers     uint64[WALK_ROWS, 4], int64[7]: where a swap has come to
    growths_crossed        uint64[ticks, 4]: fee growth of the token paid in at each crossed tick
    """

    numbers: Integers
    words: Table
    bitmap: Table
    tick_numbers: Integers
    ticks: Table
    tick_grown: Integers
    observations: Integers
    seconds_per_liquidity: Table
    walk: Table
    walk_numbers: Integers
    growths_crossed: Table


class SwapBatch(NamedTuple):
    """Swaps, one after the other, and what comes of each.

    times_s        int64[n]: of their blocks, modulo 2**32
    zero_for_one   bool[n]
    specified      uint64[n, 4]: > 0 to be paid in, < 0 to be paid out
    limits_x96     uint64[n, 4]
    is_paid        bool[n]: what is paid in the end stands in `paid`, else it is just what is owed
    paid           uint64[2n, 4]: of token0 and token1 in turns
    outcomes       int64[n]: DONE, or the place of the revert's reason in REASONS
    amounts        uint64[2n, 4]: positive into the pool, of token0 and token1 in turns
    after          uint64[2n, 4]: price and liquidity after it, in turns
    ticks          int64[n]: the tick after it
    """

    times_s: Integers
    zero_for_one: Truths
    specified: Table
    limits_x96: Table
    is_paid: Truths
    paid: Table
    outcomes: Integers
    amounts: Table
    after: Table
    ticks: Integers
