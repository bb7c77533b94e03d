"""What mints and burns do to positions, ticks and the liquidity at the price."""

from sim.pool.bitmap import flipped_word
from sim.pool.full_math import add_delta
from sim.pool.positions import PositionKey
from sim.pool.sqrt_price_math import signed_amount0_delta, signed_amount1_delta
from sim.pool.store import Store
from sim.pool.tick_math import sqrt_ratio_at_tick
from sim.pool.ticks import Grown, Tick, check_ticks, grown_inside, place_of, with_liquidity
from sim.pool.words import Pair


def change_liquidity(store: Store, time_s: int, key: PositionKey, delta: int) -> Pair:
    """Changes a position's liquidity, by 0 too: then it is only told its fees.

    Returns what that brings in of both tokens, negative what it takes out. Raises Reverted.
    """
    check_ticks(key.tick_lower, key.tick_upper)
    _update_position(store, time_s, key, delta)
    place = place_of(store.state.tick, key.tick_lower, key.tick_upper)
    amounts = _amounts(store.state.sqrt_price_x96, key, place, delta)
    if delta and place == 0:
        store.observe_now(time_s)
        store.set(liquidity=add_delta(store.state.liquidity, delta))
    return amounts


def _amounts(sqrt_price_x96: int, key: PositionKey, place: int, delta: int) -> Pair:
    """Below a range it is all token0, above it all token1, within it both."""
    if delta == 0:
        return 0, 0
    lower_x96 = sqrt_ratio_at_tick(key.tick_lower)
    upper_x96 = sqrt_ratio_at_tick(key.tick_upper)
    middle_x96 = (lower_x96, sqrt_price_x96, upper_x96)[place + 1]
    amount0 = signed_amount0_delta(middle_x96, upper_x96, delta) if place <= 0 else 0
    amount1 = signed_amount1_delta(lower_x96, middle_x96, delta) if place >= 0 else 0
    return amount0, amount1


def _update_position(store: Store, time_s: int, key: PositionKey, delta: int) -> None:
    if delta:
        _update_ticks(store, time_s, key, delta)
    lower, upper = store.ticks[key.tick_lower], store.ticks[key.tick_upper]
    place = place_of(store.state.tick, key.tick_lower, key.tick_upper)
    inside = grown_inside(lower, upper, place, store.grown(time_s))
    store.positions.put(key, store.positions[key].updated(delta, inside.fee_growth_x128))
    if delta < 0:
        _clear_if_empty(store, key.tick_lower)
        _clear_if_empty(store, key.tick_upper)


def _update_ticks(store: Store, time_s: int, key: PositionKey, delta: int) -> None:
    lower_flips = _update_tick(store, time_s, key.tick_lower, delta, is_upper=False)
    upper_flips = _update_tick(store, time_s, key.tick_upper, delta, is_upper=True)
    if lower_flips:
        store.bitmap.put(*flipped_word(store.bitmap, key.tick_lower, store.tick_spacing))
    if upper_flips:
        store.bitmap.put(*flipped_word(store.bitmap, key.tick_upper, store.tick_spacing))


def _update_tick(store: Store, time_s: int, tick: int, delta: int, is_upper: bool) -> bool:
    """Whether the tick begins or ceases to be used. One that begins takes all that has grown so
    far for what grew below it, if the price is at it or above."""
    before = store.ticks[tick]
    if before.liquidity_gross == 0:
        is_passed = tick <= store.state.tick
        before = Tick(outside=store.grown(time_s) if is_passed else Grown(), initialized=True)
    after = with_liquidity(before, delta, is_upper, store.liquidity_per_tick_max)
    store.ticks.put(tick, after)
    return (before.liquidity_gross == 0) != (after.liquidity_gross == 0)


def _clear_if_empty(store: Store, tick: int) -> None:
    if store.ticks[tick].liquidity_gross == 0:
        store.ticks.put(tick, Tick())
