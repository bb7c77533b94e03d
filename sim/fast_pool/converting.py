"""A plain pool as arrays and back, exactly; shapes and dtypes stand in arrays.py."""

from collections.abc import Iterable, Sequence

import numpy as np

from sim.fast_pool.arrays import (
    DRAFT_ROWS,
    POSITION_ROWS,
    TICK,
    TICK_ROWS,
    WALK_NUMBERS,
    WALK_ROWS,
    Integers,
    PoolArrays,
    Table,
)
from sim.pool.bitmap import WORD_BITS
from sim.pool.observations import Observation
from sim.pool.pool import Pool
from sim.pool.positions import Position, PositionKey
from sim.pool.store import PoolState, Store
from sim.pool.tick_math import MAX_TICK, MIN_TICK
from sim.pool.ticks import Grown, Tick
from sim.pool.words import UINT256_MAX, wrapped_signed

BYTES = 32


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
    """Positions stand in the order in which the pool has them; their ticks are there, in use or
    not."""
    store, state = pool.store, pool.state
    ends = {tick for key in store.positions for tick in (key.tick_lower, key.tick_upper)}
    numbers = sorted(ends.union(store.ticks))
    ticks = [store.ticks[number] for number in numbers]
    ring = [store.observations[index] for index in range(state.observation_cardinality_next)]
    return PoolArrays(
        numbers=_numbers(store),
        words=table(_words(store)),
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
        positions=table([one for it in store.positions.values() for one in _words_of_position(it)]),
        position_ticks=ticks_of(store.positions),
        walk=np.zeros((WALK_ROWS, 4), np.uint64),
        walk_numbers=np.zeros(WALK_NUMBERS, np.int64),
        growths_crossed=np.zeros((len(ticks), 4), np.uint64),
        rows_crossed=np.zeros(len(ticks), np.int64),
        draft=np.zeros((DRAFT_ROWS, 4), np.uint64),
        draft_grown=np.zeros((2, 2), np.int64),
    )


def ticks_of(keys: Iterable[PositionKey]) -> Integers:
    """int64[n, 2] of the two ends of each."""
    return columns(((key.tick_lower, key.tick_upper) for key in keys), 2)


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


def _words(store: Store) -> list[int]:
    state, most = store.state, store.liquidity_per_tick_max
    growths_x128, fees = state.fee_growth_global_x128, state.protocol_fees
    return [state.sqrt_price_x96, state.liquidity, *growths_x128, *fees, *state.balances, most]


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


def _words_of_position(position: Position) -> list[int]:
    return [
        *(position.liquidity, *position.fee_growth_inside_last_x128, *position.tokens_owed),
    ]


def with_positions(arrays: PoolArrays, keys: Sequence[PositionKey]) -> PoolArrays:
    """Room for positions that the pool has not, and for their ticks."""
    ticks = ticks_of(keys)
    return _with_ticks(arrays, ticks)._replace(
        positions=np.concatenate(
            [arrays.positions, np.zeros((len(keys) * POSITION_ROWS, 4), np.uint64)]
        ),
        position_ticks=np.concatenate([arrays.position_ticks, ticks]),
    )


def _with_ticks(arrays: PoolArrays, numbers: Integers) -> PoolArrays:
    before = arrays.tick_numbers
    new = np.setdiff1d(numbers, before)
    places, length = np.searchsorted(before, new), len(before) + len(new)
    rows = arrays.ticks.reshape(len(before), TICK_ROWS, 4)
    return arrays._replace(
        tick_numbers=np.insert(before, places, new),
        ticks=np.insert(rows, places, 0, axis=0).reshape(-1, 4),
        tick_grown=np.insert(arrays.tick_grown, places, 0, axis=0),
        growths_crossed=np.zeros((length, 4), np.uint64),
        rows_crossed=np.zeros(length, np.int64),
    )


def plain_of(arrays: PoolArrays, keys: Iterable[PositionKey]) -> Pool:
    """The pool with whose arrays something has been done.

    keys   of all positions, in their order
    """
    fee_pips, tick_spacing, first_word = arrays.numbers[:TICK].tolist()
    pool = Pool(fee_pips, tick_spacing)
    store = pool.store
    store.state = _state(arrays)
    *_, store.steps_walked = arrays.numbers.tolist()
    for number, tick in zip(arrays.tick_numbers.tolist(), _ticks(arrays), strict=True):
        store.ticks.put(number, tick)
    for number, word in enumerate(integers(arrays.bitmap), first_word):
        store.bitmap.put(number, word)
    for key, position in zip(keys, _positions(arrays), strict=True):
        store.positions.put(key, position)
    for index, observation in enumerate(_observations(arrays)):
        store.observations.put(index, observation)
    return pool


def _state(arrays: PoolArrays) -> PoolState:
    _, _, _, tick, index, cardinality, cardinality_next, fee_protocol, _ = arrays.numbers.tolist()
    price_x96, liquidity, *pairs, _ = integers(arrays.words)
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
        Tick(gross, net, Grown((growth0, growth1), cumulative, per_liquidity, seconds), gross > 0)
        for (gross, _, growth0, growth1, per_liquidity), net, (cumulative, seconds) in zip(
            (words[place : place + TICK_ROWS] for place in range(0, len(words), TICK_ROWS)),
            nets,
            arrays.tick_grown.tolist(),
            strict=True,
        )
    ]


def _positions(arrays: PoolArrays) -> Iterable[Position]:
    words = integers(arrays.positions)
    for place in range(0, len(words), POSITION_ROWS):
        liquidity, inside0, inside1, owed0, owed1 = words[place : place + POSITION_ROWS]
        yield Position(liquidity, (inside0, inside1), (owed0, owed1))


def _observations(arrays: PoolArrays) -> list[Observation]:
    per_liquidity = integers(arrays.seconds_per_liquidity)
    return [
        Observation(time_s, cumulative, grown, bool(is_initialized))
        for (time_s, cumulative, is_initialized), grown in zip(
            arrays.observations.tolist(), per_liquidity, strict=True
        )
    ]
