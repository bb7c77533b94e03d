"""A plain pool as arrays and back, exactly; shapes and dtypes stand in arrays.py."""

from collections.abc import Iterable, Sequence

import numpy as np

from sim.fast_pool.arrays import (
    PRICE_X96,
    TICK_ROWS,
    WALK_ROWS,
    Integers,
    PoolArrays,
    Table,
)
from sim.pool.bitmap import WORD_BITS
from sim.pool.observations import Observation
from sim.pool.pool import Pool
from sim.pool.store import PoolState, Store
from sim.pool.tick_math import MAX_TICK, MIN_TICK
from sim.pool.ticks import Grown, Tick
from sim.pool.words import UINT256_MAX, wrapped_signed

BYTES = 32
WALK_NUMBERS = 7


def table(numbers: Sequence[int]) -> Table:
    """uint64[n, 4] of integers of 256 bits, negative ones as two's complements."""
    told = b"".join((number & UINT256_MAX).to_bytes(BYTES, "little") for number in numbers)
    return np.frombuffer(told, "<u8").reshape(-1, 4).copy()


def integers(rows: Table) -> list[int]:
    """Of rows of four uint64, without sign."""
    told = rows.astype("<u8").tobytes()
    places = range(0, len(told), BYTES)
    return [int.from_bytes(told[place : place + BYTES], "little") for place in places]


def signed(rows: Table) -> list[int]:
    return [wrapped_signed(number, 256) for number in integers(rows)]


def columns(rows: Iterable[tuple[int, ...]], width: int) -> Integers:
    return np.array(list(rows), np.int64).reshape(-1, width)


def arrays_of(pool: Pool) -> PoolArrays:
    store, state = pool.store, pool.state
    numbers = sorted(store.ticks)
    ticks = [store.ticks[number] for number in numbers]
    ring = [store.observations[index] for index in range(state.observation_cardinality_next)]
    return PoolArrays(
        numbers=_numbers(store),
        words=table(_words(state)),
        bitmap=_bitmap(store),
        tick_numbers=np.array(numbers, np.int64),
        ticks=table([one for tick in ticks for one in _words_of_tick(tick)]),
        tick_grown=columns(
            ((one.outside.tick_cumulative, one.outside.seconds) for one in ticks), 2
        ),
        observations=columns(
            ((one.time_s, one.tick_cumulative, one.initialized) for one in ring), 3
        ),
        seconds_per_liquidity=table([one.seconds_per_liquidity_x128 for one in ring]),
        walk=np.zeros((WALK_ROWS, 4), np.uint64),
        walk_numbers=np.zeros(WALK_NUMBERS, np.int64),
        growths_crossed=np.zeros((len(ticks), 4), np.uint64),
    )


def _first_word(tick_spacing: int) -> int:
    return MIN_TICK // tick_spacing // WORD_BITS


def _numbers(store: Store) -> Integers:
    state = store.state
    return np.array(
        [
            *(store.fee_pips, store.tick_spacing, _first_word(store.tick_spacing), state.tick),
            *(state.observation_index, state.observation_cardinality),
            *(state.observation_cardinality_next, state.fee_protocol, store.steps_walked),
        ],
        np.int64,
    )


def _words(state: PoolState) -> list[int]:
    growths_x128, fees = state.fee_growth_global_x128, state.protocol_fees
    return [state.sqrt_price_x96, state.liquidity, *growths_x128, *fees, *state.balances]


def _bitmap(store: Store) -> Table:
    first = _first_word(store.tick_spacing)
    after = (MAX_TICK // store.tick_spacing + 1) // WORD_BITS + 1
    return table([store.bitmap[number] for number in range(first, after)])


def _words_of_tick(tick: Tick) -> list[int]:
    outside = tick.outside
    return [
        *(tick.liquidity_gross, tick.liquidity_net),
        *(*outside.fee_growth_x128, outside.seconds_per_liquidity_x128),
    ]


def tell_swaps(arrays: PoolArrays, pool: Pool) -> None:
    """Writes into a plain pool what swaps have changed: state, ticks and observations."""
    store = pool.store
    store.state = _state(arrays)
    *_, store.steps_walked = arrays.numbers.tolist()
    for number, tick in zip(arrays.tick_numbers.tolist(), _ticks(arrays), strict=True):
        store.ticks.put(number, tick)
    for index, observation in enumerate(_observations(arrays)):
        store.observations.put(index, observation)


def _state(arrays: PoolArrays) -> PoolState:
    _, _, _, tick, index, cardinality, cardinality_next, fee_protocol, _ = arrays.numbers.tolist()
    price_x96, liquidity, *pairs = integers(arrays.words[PRICE_X96:])
    growth0, growth1, fees0, fees1, balance0, balance1 = pairs
    return PoolState(
        sqrt_price_x96=price_x96,
        tick=tick,
        observation_index=index,
        observation_cardinality=cardinality,
        observation_cardinality_next=cardinality_next,
        fee_protocol=fee_protocol,
        liquidity=liquidity,
        fee_growth_global_x128=(growth0, growth1),
        protocol_fees=(fees0, fees1),
        balances=(balance0, balance1),
    )


def _ticks(arrays: PoolArrays) -> list[Tick]:
    words = integers(arrays.ticks)
    nets = signed(arrays.ticks[1::TICK_ROWS])
    return [
        Tick(gross, net, Grown((growth0, growth1), cumulative, per_liquidity, seconds), True)
        for (gross, _, growth0, growth1, per_liquidity), net, (cumulative, seconds) in zip(
            (words[place : place + TICK_ROWS] for place in range(0, len(words), TICK_ROWS)),
            nets,
            arrays.tick_grown.tolist(),
            strict=True,
        )
    ]


def _observations(arrays: PoolArrays) -> list[Observation]:
    per_liquidity = integers(arrays.seconds_per_liquidity)
    return [
        Observation(time_s, cumulative, grown, bool(is_initialized))
        for (time_s, cumulative, is_initialized), grown in zip(
            arrays.observations.tolist(), per_liquidity, strict=True
        )
    ]
