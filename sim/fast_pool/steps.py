"""One step of a swap in kernels: from a price towards a target, within one liquidity (v3-core,
SwapMath.computeSwapStep). Amounts are in units of the tokens, fees in millionths."""

from sim.fast_pool.division import mul_div
from sim.fast_pool.prices import amount0, amount1, price_of_input, price_of_output
from sim.fast_pool.words import (
    NOTHING,
    Words,
    is_equal,
    is_less,
    is_negative,
    minus,
    negated,
    of_number,
)
from sim.pool.swap_math import PIPS
from sim.rows.kernels import Number, called, inlined


@inlined
def amount_in(from_x96: Words, to_x96: Words, liquidity: Words, zero_for_one: bool) -> Words:
    if zero_for_one:
        return amount0(to_x96, from_x96, liquidity, True)
    return amount1(from_x96, to_x96, liquidity, True)


@inlined
def amount_out(from_x96: Words, to_x96: Words, liquidity: Words, zero_for_one: bool) -> Words:
    if zero_for_one:
        return amount1(to_x96, from_x96, liquidity, False)
    return amount0(from_x96, to_x96, liquidity, False)


@called
def step_in(
    price_x96: Words, target_x96: Words, liquidity: Words, remaining: Words, fee_pips: int
) -> Number:
    """As far as what remains to be paid in leads: price, amounts in and out, fee, no revert."""
    zero_for_one = not is_less(price_x96, target_x96)
    without_fee, _ = mul_div(remaining, of_number(PIPS - fee_pips), of_number(PIPS), False)
    paid_in = amount_in(price_x96, target_x96, liquidity, zero_for_one)
    next_x96, holds = target_x96, True
    if is_less(without_fee, paid_in):
        next_x96, holds = price_of_input(price_x96, liquidity, without_fee, zero_for_one)
        if not holds:
            return next_x96, NOTHING, NOTHING, NOTHING, False
        paid_in = amount_in(price_x96, next_x96, liquidity, zero_for_one)
    paid_out = amount_out(price_x96, next_x96, liquidity, zero_for_one)
    if is_equal(next_x96, target_x96):
        fee, holds = mul_div(paid_in, of_number(fee_pips), of_number(PIPS - fee_pips), True)
        return next_x96, paid_in, paid_out, fee, holds
    return next_x96, paid_in, paid_out, minus(remaining, paid_in), True


@called
def step_out(
    price_x96: Words, target_x96: Words, liquidity: Words, wanted: Words, fee_pips: int
) -> Number:
    """As far as what remains to be paid out leads, never more: answers as `step_in`."""
    zero_for_one = not is_less(price_x96, target_x96)
    paid_out = amount_out(price_x96, target_x96, liquidity, zero_for_one)
    next_x96 = target_x96
    if is_less(wanted, paid_out):
        next_x96, holds = price_of_output(price_x96, liquidity, wanted, zero_for_one)
        if not holds:
            return next_x96, NOTHING, NOTHING, NOTHING, False
        paid_out = amount_out(price_x96, next_x96, liquidity, zero_for_one)
    paid_in = amount_in(price_x96, next_x96, liquidity, zero_for_one)
    if is_less(wanted, paid_out):
        paid_out = wanted
    fee, holds = mul_div(paid_in, of_number(fee_pips), of_number(PIPS - fee_pips), True)
    return next_x96, paid_in, paid_out, fee, holds


@inlined
def swap_step(
    price_x96: Words, target_x96: Words, liquidity: Words, remaining: Words, fee_pips: int
) -> Number:
    """Price, amounts in (without the fee) and out, fee, and whether the contract does not revert.

    remaining   ≥ 0 to be paid in, fee included; < 0 to be paid out
    """
    if is_negative(remaining):
        return step_out(price_x96, target_x96, liquidity, negated(remaining), fee_pips)
    return step_in(price_x96, target_x96, liquidity, remaining, fee_pips)
