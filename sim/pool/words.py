"""Integers of so many bits: where the contracts let them wrap around, and where they check."""

from sim.pool.reverts import require

Pair = tuple[int, int]
"""One number for each token of a pool: token0's, token1's."""

UINT128_MAX = 2**128 - 1
UINT256_MAX = 2**256 - 1
Q96 = 2**96
Q128 = 2**128


def wrapped(value: int, bits: int) -> int:
    """As an unsigned integer, around at 2**bits."""
    return value & ((1 << bits) - 1)


def wrapped_signed(value: int, bits: int) -> int:
    """As a signed integer, around at ±2**(bits − 1)."""
    half = 1 << (bits - 1)
    return ((value + half) & ((1 << bits) - 1)) - half


def checked(value: int, bits: int) -> int:
    """The value, if it is an unsigned integer of so many bits. Raises Reverted."""
    require(0 <= value < 1 << bits)
    return value


def checked_signed(value: int, bits: int) -> int:
    """The value, if it is a signed integer of so many bits. Raises Reverted."""
    half = 1 << (bits - 1)
    require(-half <= value < half)
    return value


def quotient_towards_zero(dividend: int, divisor: int) -> int:
    """Signed division as the machine does it; the divisor is positive."""
    return dividend // divisor if dividend >= 0 else -(-dividend // divisor)
