"""Transactions that a droid wants, each with a label that no other of its life has.

A label is session/plan/stage/attempt/bucket, a swap's without the bucket.
"""

from dataclasses import dataclass
from enum import StrEnum

from sim.pool.words import Pair


class ActKind(StrEnum):
    CLOSE = "CLOSE"
    SWAP = "SWAP"
    MINT = "MINT"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a transaction is sent with.

    within_x96   it fails where the pool's price is not between these, which are 1 % around the one
                 that it was decided at; gas is paid even so
    """

    within_x96: Pair
    gas_limit: int
    fee_per_gas_wei_max: int
    priority_per_gas_wei: int


@dataclass(frozen=True, slots=True)
class CloseRung:
    """Burn all and collect all, in one transaction."""

    label: str
    offer: Offer
    bucket: int
    ticks: Pair
    liquidity: int
    kind: ActKind = ActKind.CLOSE


@dataclass(frozen=True, slots=True)
class SwapExactIn:
    """Pay in an amount, or less where the price limit is reached before."""

    label: str
    offer: Offer
    zero_for_one: bool
    amount_in: int
    sqrt_price_limit_x96: int
    kind: ActKind = ActKind.SWAP


@dataclass(frozen=True, slots=True)
class MintRung:
    """amounts_max       what it takes of each token wherever the price is within its offer
    may_be_in_range   whether that price may be in its range
    """

    label: str
    offer: Offer
    bucket: int
    ticks: Pair
    liquidity: int
    amounts_max: Pair
    may_be_in_range: bool = True
    kind: ActKind = ActKind.MINT


Act = CloseRung | SwapExactIn | MintRung


class Result(StrEnum):
    """DROPPED: it came into no block and will come into none, and has cost nothing."""

    DONE = "DONE"
    FAILED = "FAILED"
    DROPPED = "DROPPED"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a transaction.

    fee_wei            paid for its gas
    sqrt_price_x96     of the pool in that block, at which the fee is told in USD
    """

    label: str
    result: Result
    fee_wei: int
    sqrt_price_x96: int
