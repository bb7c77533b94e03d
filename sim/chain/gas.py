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

LIMITS: dict[type[object], int] = {
    Send: SEND_GAS,
    Transfer: TRANSFER_TO_NEW_GAS,
}


def gas_limit(act: Act) -> int:
    """The most that an act can cost: what its sender must have."""
    if isinstance(act, Work):
        return act.gas
    if isinstance(act, Mint):
        return mint_gas(act.may_be_in_range, new_ticks=2)
    if isinstance(act, Close):
        return close_gas(is_in_range=True)
    if isinstance(act, SwapIn):
        return swap_gas(act.crossed_max)
    return LIMITS[type(act)]


def pool_gas(act: Mint | Close | SwapIn, answer: PoolAnswer) -> int:
    """What one that went through has used."""
    if isinstance(act, SwapIn):
        return swap_gas(answer.crossed)
    if isinstance(act, Close):
        return close_gas(answer.in_range)
    return mint_gas(answer.in_range, answer.new_ticks)


def mint_gas(is_in_range: bool, new_ticks: int) -> int:
    """new_ticks   of its two those that no position ended at"""
    if is_in_range:
        return MINT_IN_RANGE_GAS + new_ticks * IN_RANGE_TICK_GAS
    return MINT_ONE_SIDED_GAS + new_ticks * ONE_SIDED_TICK_GAS


def close_gas(is_in_range: bool) -> int:
    return CLOSE_IN_RANGE_GAS if is_in_range else CLOSE_ONE_SIDED_GAS


def swap_gas(crossed_ticks: int) -> int:
    return SWAP_GAS + crossed_ticks * CROSSED_TICK_GAS
