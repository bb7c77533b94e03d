"""One step of a swap: from a price towards a target, within one liquidity."""

from dataclasses import dataclass

from sim.pool.full_math import mul_div, mul_div_rounding_up
from sim.pool.sqrt_price_math import (
    amount0_delta,
    amount1_delta,
    next_sqrt_price_from_input,
    next_sqrt_price_from_output,
)
from sim.pool.words import wrapped

PIPS = 1_000_000
"""A fee is so many millionths of what is paid in."""


@dataclass(frozen=True, slots=True)
class SwapStep:
    """Where a step ends, and what it cost. `amount_in` is without the fee."""

    sqrt_next_x96: int
    amount_in: int
    amount_out: int
    fee_amount: int


def swap_step(
    sqrt_price_x96: int, sqrt_target_x96: int, liquidity: int, amount_remaining: int, fee_pips: int
) -> SwapStep:
    """As far as what remains leads, not beyond the target. Raises Reverted.

    amount_remaining   ≥ 0 to be paid in, fee included; < 0 to be paid out
    """
    zero_for_one = sqrt_price_x96 >= sqrt_target_x96
    if amount_remaining >= 0:
        next_x96 = _next_in(sqrt_price_x96, sqrt_target_x96, liquidity, amount_remaining, fee_pips)
    else:
        next_x96 = _next_out(sqrt_price_x96, sqrt_target_x96, liquidity, -amount_remaining)
    amount_in = _amount_in(sqrt_price_x96, next_x96, liquidity, zero_for_one)
    amount_out = _amount_out(sqrt_price_x96, next_x96, liquidity, zero_for_one)
    if amount_remaining < 0:
        amount_out = min(amount_out, -amount_remaining)
    if amount_remaining >= 0 and next_x96 != sqrt_target_x96:
        fee_amount = wrapped(amount_remaining - amount_in, 256)
    else:
        fee_amount = mul_div_rounding_up(amount_in, fee_pips, PIPS - fee_pips)
    return SwapStep(next_x96, amount_in, amount_out, fee_amount)


def _next_in(price_x96: int, target_x96: int, liquidity: int, amount: int, fee_pips: int) -> int:
    without_fee = mul_div(amount, PIPS - fee_pips, PIPS)
    zero_for_one = price_x96 >= target_x96
    if without_fee >= _amount_in(price_x96, target_x96, liquidity, zero_for_one):
        return target_x96
    return next_sqrt_price_from_input(price_x96, liquidity, without_fee, zero_for_one)


def _next_out(price_x96: int, target_x96: int, liquidity: int, amount: int) -> int:
    zero_for_one = price_x96 >= target_x96
    if amount >= _amount_out(price_x96, target_x96, liquidity, zero_for_one):
        return target_x96
    return next_sqrt_price_from_output(price_x96, liquidity, amount, zero_for_one)


def _amount_in(from_x96: int, to_x96: int, liquidity: int, zero_for_one: bool) -> int:
    delta = amount0_delta if zero_for_one else amount1_delta
    return delta(from_x96, to_x96, liquidity, True)


def _amount_out(from_x96: int, to_x96: int, liquidity: int, zero_for_one: bool) -> int:
    delta = amount1_delta if zero_for_one else amount0_delta
    return delta(from_x96, to_x96, liquidity, False)
