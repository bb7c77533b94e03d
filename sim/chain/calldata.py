"""What transactions ask of contracts: four bytes of the function's name, and words."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from eth_abi.abi import encode

from sim.keccak import keccak256

SELECTOR_BYTES = 4
ALL = 2**128 - 1
"""Collected at most: whatever is owed."""


class Mint(NamedTuple):
    """A new position, as v3-periphery's NonfungiblePositionManager takes it."""

    token0: bytes
    token1: bytes
    fee_ppm: int
    tick_lower: int
    tick_upper: int
    amount0_desired: int
    amount1_desired: int
    amount0_min: int
    amount1_min: int
    recipient: bytes
    deadline: int


class Swap(NamedTuple):
    """Of an exact amount in, as v3-periphery's SwapRouter takes it."""

    token_in: bytes
    token_out: bytes
    fee_ppm: int
    recipient: bytes
    deadline: int
    amount_in: int
    amount_out_min: int
    sqrt_price_limit_x96: int


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    kinds: tuple[str, ...]

    def called(self, *values: Any) -> bytes:
        signature = f"{self.name}({','.join(self.kinds)})"
        return keccak256(signature.encode())[:SELECTOR_BYTES] + encode(self.kinds, values)


TRANSFER = Function("transfer", ("address", "uint256"))
MINT = Function(
    "mint",
    ("(address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256)",),
)
DECREASE_LIQUIDITY = Function("decreaseLiquidity", ("(uint256,uint128,uint256,uint256,uint256)",))
COLLECT = Function("collect", ("(uint256,address,uint128,uint128)",))
BURN = Function("burn", ("uint256",))
MULTICALL = Function("multicall", ("bytes[]",))
EXACT_INPUT_SINGLE = Function(
    "exactInputSingle",
    ("(address,address,uint24,address,uint256,uint256,uint256,uint160)",),
)


def transfer(to: bytes, amount: int) -> bytes:
    """Of a token: the transaction goes to its contract."""
    return TRANSFER.called(to, amount)


def mint(wanted: Mint) -> bytes:
    return MINT.called(wanted)


def exact_input_single(wanted: Swap) -> bytes:
    return EXACT_INPUT_SINGLE.called(wanted)


def close_position(token_id: int, liquidity: int, recipient: bytes, deadline: int) -> bytes:
    """In one call: all liquidity out, all that is owed collected, the NFT burnt."""
    parts = (
        DECREASE_LIQUIDITY.called((token_id, liquidity, 0, 0, deadline)),
        COLLECT.called((token_id, recipient, ALL, ALL)),
        BURN.called(token_id),
    )
    return MULTICALL.called(parts)
