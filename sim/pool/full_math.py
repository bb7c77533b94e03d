"""Products of 512 bits and their quotients of 256."""

from sim.pool.reverts import require
from sim.pool.words import UINT128_MAX, UINT256_MAX


def mul_div(a: int, b: int, denominator: int) -> int:
    """a·b / denominator, rounded down. Raises Reverted where it has more than 256 bits."""
    require(denominator > 0)
    quotient = a * b // denominator
    require(quotient <= UINT256_MAX)
    return quotient


def mul_div_rounding_up(a: int, b: int, denominator: int) -> int:
    """a·b / denominator, rounded up. Raises Reverted where it has more than 256 bits."""
    require(denominator > 0)
    quotient = div_rounding_up(a * b, denominator)
    require(quotient <= UINT256_MAX)
    return quotient


def div_rounding_up(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


def add_delta(liquidity: int, delta: int) -> int:
    """Liquidity after a change. Raises Reverted: LS below zero, LA over 128 bits."""
    after = liquidity + delta
    require(after >= 0, "LS")
    require(after <= UINT128_MAX, "LA")
    return after
