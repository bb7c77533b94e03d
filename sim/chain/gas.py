"""What each act costs in gas: measured on the real contracts (v3-core 1.0.1, periphery 1.4.4)."""

from sim.chain.acts import Act, Close, Mint, Send, SwapIn, Transfer, Work
from sim.chain.pool_host import PoolAnswer

SEND_GAS = 21_000
TRANSFER_GAS, TRANSFER_TO_NEW_GAS = 34_305, 51_405
MINT_IN_RANGE_GAS, IN_RANGE_TICK_GAS = 314_465, 70_665
MINT_ONE_SIDED_GAS, ONE_SIDED_TICK_GAS = 305_079, 39_921
CLOSE_IN_RANGE_GAS, CLOSE_ONE_SIDED_GAS = 244_572, 202_472
SWAP_GAS, CROSSED_TICK_GAS = 115_000, 25_000

REVERTED_GAS = 60_000
"""Of what fails; near enough to where the contracts notice."""

CROSSED_TICKS_MAX = 20
"""A swap has gas for so many, and is out of it where it would cross more."""

LIMITS: dict[type[object], int] = {
    Send: SEND_GAS,
    Transfer: TRANSFER_TO_NEW_GAS,
    Mint: MINT_IN_RANGE_GAS + 2 * IN_RANGE_TICK_GAS,
    Close: CLOSE_IN_RANGE_GAS,
    SwapIn: SWAP_GAS + CROSSED_TICKS_MAX * CROSSED_TICK_GAS,
}
"""The most that each can cost: what its sender must have."""


def gas_limit(act: Act) -> int:
    return act.gas if isinstance(act, Work) else LIMITS[type(act)]


def pool_gas(act: Mint | Close | SwapIn, answer: PoolAnswer) -> int:
    """What one that went through has used."""
    if isinstance(act, SwapIn):
        return SWAP_GAS + answer.crossed * CROSSED_TICK_GAS
    if isinstance(act, Close):
        return CLOSE_IN_RANGE_GAS if answer.in_range else CLOSE_ONE_SIDED_GAS
    if answer.in_range:
        return MINT_IN_RANGE_GAS + answer.new_ticks * IN_RANGE_TICK_GAS
    return MINT_ONE_SIDED_GAS + answer.new_ticks * ONE_SIDED_TICK_GAS
