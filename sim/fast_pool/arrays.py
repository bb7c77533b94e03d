"""A pool as arrays, operations, and what comes of them.

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

PRICE_X96, LIQUIDITY, GROWTH_X128, PROTOCOL_FEES, BALANCES, LIQUIDITY_PER_TICK_MAX = (
    0,
    1,
    2,
    4,
    6,
    8,
)
"""Rows of PoolArrays.words, nine; of growths, fees and balances one for each token."""

GROSS, NET, OUTSIDE_X128, SECONDS_PER_LIQUIDITY_X128 = 0, 1, 2, 4
TICK_ROWS = 5
"""Rows of a tick in PoolArrays.ticks; of OUTSIDE_X128 one for each token."""

CUMULATIVE, SECONDS = 0, 1
"""Columns of PoolArrays.tick_grown."""

HELD, INSIDE_X128, OWED = 0, 1, 3
POSITION_ROWS = 5
"""Rows of a position in PoolArrays.positions; of the last two one for each token."""

DRAFTED_POSITION = 2 * TICK_ROWS
DRAFT_ROWS = DRAFTED_POSITION + POSITION_ROWS
"""Rows of PoolArrays.draft: the lower tick, the upper one, from DRAFTED_POSITION the position."""

TIME_S, TICK_CUMULATIVE, IS_INITIALIZED = range(3)
"""Columns of PoolArrays.observations."""

(
    NOW_TICK,
    NOW_S,
    TOKEN_IN,
    CROSSED,
    IS_GROWN,
    GROWN_CUMULATIVE,
) = range(6)
"""Places of PoolArrays.walk_numbers."""

REMAINING, CALCULATED, SPECIFIED, LIMIT_X96, PAID_GROWTH_X128, PROTOCOL_FEE, GROWN_X128 = range(
    2, 9
)
WALK_ROWS, WALK_NUMBERS = 9, 6
"""Rows of PoolArrays.walk, after PRICE_X96 and LIQUIDITY; growth and fee of the token paid in."""

REASONS = (
    *(None, "", "AS", "LOK", "SPL", "LS", "LA", "TF", "IIA"),
    *("TLU", "TLM", "TUM", "LO", "NP", "M0", "M1"),
)
DONE, NAMELESS, AS, LOK, SPL, LS, LA, TF, IIA, TLU, TLM, TUM, LO, NP, M0, M1 = range(16)
"""What came of an operation: it is done, or has reverted for one of REASONS."""

SWAP, MINT, BURN, COLLECT = range(4)
"""What may be asked."""


class PoolArrays(NamedTuple):
    """What operations read and write of a pool; ticks stand by number, the lowest first.

    A tick or a position that is all zero is none: it stands there for whoever may begin it.

    numbers                int64[9]
    words                  uint64[9, 4]
    bitmap                 uint64[words of compressed ticks, 4], from the lowest tick's on
    tick_numbers           int64[ticks]
    ticks                  uint64[ticks · TICK_ROWS, 4]
    tick_grown             int64[ticks, 2]: what had grown outside, tick·seconds and seconds
    positions              uint64[positions · POSITION_ROWS, 4]
    position_ticks         int64[positions, 2]: the lower and the upper tick
    observations           int64[cardinality next, 3]
    seconds_per_liquidity  uint64[cardinality next, 4]: Q128, of each observation
    walk, walk_numbers     uint64[WALK_ROWS, 4], int64[6]: where an operation has come to
    growths_crossed        uint64[ticks, 4]: fee growth of the token paid in at each crossed tick
    rows_crossed           int64[ticks]: where each crossed tick stands
    draft, draft_grown     uint64[DRAFT_ROWS, 4], int64[2, 2]: ticks and position after a change
    """

    numbers: Integers
    words: Table
    bitmap: Table
    tick_numbers: Integers
    ticks: Table
    tick_grown: Integers
    positions: Table
    position_ticks: Integers
    observations: Integers
    seconds_per_liquidity: Table
    walk: Table
    walk_numbers: Integers
    growths_crossed: Table
    rows_crossed: Integers
    draft: Table
    draft_grown: Integers


class Operations(NamedTuple):
    """What is asked, one after the other.

    codes          int64[n]: SWAP, MINT, BURN or COLLECT
    times_s        int64[n]: of their blocks, modulo 2**32
    zero_for_one   bool[n]: of swaps
    keys           int64[n]: which of the batch's positions, −1 of swaps
    asked          uint64[2n, 4], two in turns: of a swap what is specified (> 0 to be paid in, < 0
                   to be paid out) and the limit; of mint and burn liquidity and 0; of collect what
                   is requested of token0 and of token1
    is_paid        bool[n]: what is paid in the end stands in `paid`, else it is just what is owed
    paid           uint64[2n, 4]: of token0 and token1 in turns
    """

    codes: Integers
    times_s: Integers
    zero_for_one: Truths
    keys: Integers
    asked: Table
    is_paid: Truths
    paid: Table


class Outcomes(NamedTuple):
    """What comes of each operation.

    outcomes   int64[n]: DONE, or the place of the revert's reason in REASONS
    amounts    uint64[2n, 4]: of token0 and token1 in turns; of a swap positive into the pool
    after      uint64[2n, 4]: price and liquidity after it, in turns
    ticks      int64[n]: the tick after it
    """

    outcomes: Integers
    amounts: Table
    after: Table
    ticks: Integers
