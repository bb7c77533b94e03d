"""What belongs to somebody between two ticks."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from sim.keccak import keccak256
from sim.pool.full_math import add_delta, mul_div
from sim.pool.reverts import require
from sim.pool.words import Q128, Pair, wrapped


class PositionKey(NamedTuple):
    """Whose it is, as an address of 20 bytes, and its two ticks."""

    owner: bytes
    tick_lower: int
    tick_upper: int

    def hashed(self) -> bytes:
        """keccak256(owner ‖ int24 lower ‖ int24 upper), under which the contract keeps it."""
        ticks = (self.tick_lower, self.tick_upper)
        return keccak256(self.owner + b"".join(wrapped(one, 24).to_bytes(3) for one in ticks))


@dataclass(frozen=True, slots=True)
class Position:
    liquidity: int = 0
    fee_growth_inside_last_x128: Pair = (0, 0)
    tokens_owed: Pair = (0, 0)

    def credited(self, amounts: Pair) -> "Position":
        """Owed so much more, around at 128 bits."""
        (owed0, owed1), (more0, more1) = self.tokens_owed, amounts
        return replace(self, tokens_owed=(wrapped(owed0 + more0, 128), wrapped(owed1 + more1, 128)))

    def updated(self, liquidity_delta: int, fee_growth_inside_x128: Pair) -> "Position":
        """With the fees since the last time owed. Raises Reverted: NP, LS, LA."""
        require(liquidity_delta != 0 or self.liquidity > 0, "NP")
        liquidity = add_delta(self.liquidity, liquidity_delta)
        growths = zip(fee_growth_inside_x128, self.fee_growth_inside_last_x128, strict=True)
        fees0, fees1 = (
            mul_div(wrapped(growth - last, 256), self.liquidity, Q128) for growth, last in growths
        )
        earned = self.credited((fees0, fees1))
        return replace(
            earned, liquidity=liquidity, fee_growth_inside_last_x128=fee_growth_inside_x128
        )
