"""Amounts between two prices, and prices that amounts lead to. What is owed to the pool rounds up,
what it pays rounds down; square roots of prices are Q64.96.
"""

from sim.pool.full_math import div_rounding_up, mul_div, mul_div_rounding_up
from sim.pool.reverts import require
from sim.pool.words import Q96, UINT256_MAX, checked


def amount0_delta(sqrt_a_x96: int, sqrt_b_x96: int, liquidity: int, round_up: bool) -> int:
    """Token0 between two prices, L·(b − a)/(a·b): two divisions, each of which rounds."""
    low, high = sorted((sqrt_a_x96, sqrt_b_x96))
    require(low > 0)
    if round_up:
        return div_rounding_up(mul_div_rounding_up(liquidity << 96, high - low, high), low)
    return mul_div(liquidity << 96, high - low, high) // low


def amount1_delta(sqrt_a_x96: int, sqrt_b_x96: int, liquidity: int, round_up: bool) -> int:
    """Token1 between two prices, L·(b − a)."""
    low, high = sorted((sqrt_a_x96, sqrt_b_x96))
    return (mul_div_rounding_up if round_up else mul_div)(liquidity, high - low, Q96)


def signed_amount0_delta(sqrt_a_x96: int, sqrt_b_x96: int, liquidity_delta: int) -> int:
    """Token0 that a change of liquidity brings in, or takes out as a negative number."""
    amount = amount0_delta(sqrt_a_x96, sqrt_b_x96, abs(liquidity_delta), liquidity_delta >= 0)
    return _signed(amount, liquidity_delta)


def signed_amount1_delta(sqrt_a_x96: int, sqrt_b_x96: int, liquidity_delta: int) -> int:
    """Token1 that a change of liquidity brings in, or takes out as a negative number."""
    amount = amount1_delta(sqrt_a_x96, sqrt_b_x96, abs(liquidity_delta), liquidity_delta >= 0)
    return _signed(amount, liquidity_delta)


def _signed(amount: int, liquidity_delta: int) -> int:
    checked(amount, 255)
    return amount if liquidity_delta >= 0 else -amount


def next_sqrt_price_from_input(
    sqrt_price_x96: int, liquidity: int, amount_in: int, zero_for_one: bool
) -> int:
    """Where so much paid in leads to, never farther. Raises Reverted."""
    require(sqrt_price_x96 > 0)
    require(liquidity > 0)
    if zero_for_one:
        return _after_amount0_in(sqrt_price_x96, liquidity, amount_in)
    return checked(sqrt_price_x96 + mul_div(amount_in, Q96, liquidity), 160)


def next_sqrt_price_from_output(
    sqrt_price_x96: int, liquidity: int, amount_out: int, zero_for_one: bool
) -> int:
    """Where so much paid out leads to, never less far. Raises Reverted, also where there is not
    so much to be had."""
    require(sqrt_price_x96 > 0)
    require(liquidity > 0)
    if not zero_for_one:
        return _after_amount0_out(sqrt_price_x96, liquidity, amount_out)
    step_x96 = mul_div_rounding_up(amount_out, Q96, liquidity)
    require(sqrt_price_x96 > step_x96)
    return sqrt_price_x96 - step_x96


def _after_amount0_in(sqrt_price_x96: int, liquidity: int, amount: int) -> int:
    """L·p/(L + amount·p), or the less exact L/(L/p + amount) where a product passes 256 bits."""
    if amount == 0:
        return sqrt_price_x96
    liquidity_x96 = liquidity << 96
    denominator = liquidity_x96 + amount * sqrt_price_x96
    if denominator <= UINT256_MAX:
        return mul_div_rounding_up(liquidity_x96, sqrt_price_x96, denominator)
    return div_rounding_up(liquidity_x96, checked(liquidity_x96 // sqrt_price_x96 + amount, 256))


def _after_amount0_out(sqrt_price_x96: int, liquidity: int, amount: int) -> int:
    """L·p/(L − amount·p)."""
    if amount == 0:
        return sqrt_price_x96
    liquidity_x96 = liquidity << 96
    product = checked(amount * sqrt_price_x96, 256)
    require(liquidity_x96 > product)
    after = mul_div_rounding_up(liquidity_x96, sqrt_price_x96, liquidity_x96 - product)
    return checked(after, 160)
