"""What liquidity between two ticks is of both tokens at a price."""

from sim.pool.sqrt_price_math import amount0_delta, amount1_delta
from sim.pool.tick_math import sqrt_ratio_at_tick
from sim.pool.words import Pair


def amounts_at(sqrt_price_x96: int, ticks: Pair, liquidity: int, *, round_up: bool) -> Pair:
    """Rounded up what a mint takes, down what a burn gives."""
    low, high = sqrt_ratio_at_tick(ticks[0]), sqrt_ratio_at_tick(ticks[1])
    within = min(max(sqrt_price_x96, low), high)
    return (
        amount0_delta(within, high, liquidity, round_up),
        amount1_delta(low, within, liquidity, round_up),
    )
