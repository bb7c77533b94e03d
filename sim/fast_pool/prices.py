"""Amounts between two prices, and prices that amounts lead to, in kernels (v3-core, SqrtPriceMath).

Square roots of prices are Q64.96, liquidity has 128 bits at most. What is owed to the pool rounds
up, what it pays rounds down. Where an answer has a truth value beside it, that is whether the
contract does not revert.
"""

from sim.fast_pool.division import divided, mul_div, quotient_of
from sim.fast_pool.words import (
    NOTHING,
    Words,
    has_at_most_160_bits,
    is_less,
    is_zero,
    minus,
    of_number,
    over_q96,
    plus,
    product,
    times_q96,
)
from sim.rows.kernels import Number, called, inlined


@called
def amount0(low_x96: Words, high_x96: Words, liquidity: Words, rounds_up: bool) -> Words:
    """Token0 between two prices above 0, L·(b − a)/(a·b): two divisions, each of which rounds."""
    liquidity_x96, _ = times_q96(liquidity)
    of_high, _ = mul_div(liquidity_x96, minus(high_x96, low_x96), high_x96, rounds_up)
    return quotient_of(of_high, NOTHING, low_x96, rounds_up)[0]


@called
def amount1(low_x96: Words, high_x96: Words, liquidity: Words, rounds_up: bool) -> Words:
    """Token1 between two prices, L·(b − a)."""
    low, high = product(liquidity, minus(high_x96, low_x96))
    amount, is_cut = over_q96(low, high)
    return plus(amount, of_number(1)) if rounds_up and is_cut else amount


@called
def price_of_input(price_x96: Words, liquidity: Words, amount: Words, zero_for_one: bool) -> Number:
    """Where so much paid in leads to, never farther; price and liquidity are above 0."""
    if zero_for_one:
        return after_amount0_in(price_x96, liquidity, amount)
    low, high = times_q96(amount)
    step_x96, holds = quotient_of(low, high, liquidity, False)
    after_x96 = plus(price_x96, step_x96)
    holds = holds and not is_less(after_x96, step_x96) and has_at_most_160_bits(after_x96)
    return after_x96, holds


@called
def price_of_output(
    price_x96: Words, liquidity: Words, amount: Words, zero_for_one: bool
) -> Number:
    """Where so much paid out leads to, never less far; price and liquidity are above 0."""
    if not zero_for_one:
        return after_amount0_out(price_x96, liquidity, amount)
    low, high = times_q96(amount)
    step_x96, holds = quotient_of(low, high, liquidity, True)
    return minus(price_x96, step_x96), holds and is_less(step_x96, price_x96)


@inlined
def after_amount0_in(price_x96: Words, liquidity: Words, amount: Words) -> Number:
    """L·p/(L + amount·p), or the less exact L/(L/p + amount) where a product passes 256 bits."""
    if is_zero(amount):
        return price_x96, True
    liquidity_x96, _ = times_q96(liquidity)
    low, high = product(amount, price_x96)
    denominator = plus(liquidity_x96, low)
    if is_zero(high) and not is_less(denominator, low):
        return mul_div(liquidity_x96, price_x96, denominator, True)
    of_price, _ = divided(liquidity_x96, NOTHING, price_x96)
    denominator = plus(of_price, amount)
    if is_less(denominator, amount):
        return NOTHING, False
    return quotient_of(liquidity_x96, NOTHING, denominator, True)


@inlined
def after_amount0_out(price_x96: Words, liquidity: Words, amount: Words) -> Number:
    """L·p/(L − amount·p)."""
    if is_zero(amount):
        return price_x96, True
    liquidity_x96, _ = times_q96(liquidity)
    low, high = product(amount, price_x96)
    if not is_zero(high) or not is_less(low, liquidity_x96):
        return NOTHING, False
    after_x96, holds = mul_div(liquidity_x96, price_x96, minus(liquidity_x96, low), True)
    return after_x96, holds and has_at_most_160_bits(after_x96)
