"""What transactions are wished for, before anybody has signed them.

Wallets are named here, not addressed: a name is what the key of a wallet is derived from.
"""

import json
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

from sim.pool.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO

ANY_PRICE = (MIN_SQRT_RATIO, MAX_SQRT_RATIO)
"""Of a pool, as bounds."""

CROSSED_TICKS_MAX = 20
"""A swap has gas for so many, unless it says otherwise, and is out of it where it crosses more."""


class WishStatus(IntEnum):
    """How far a wish has come. FAILED is in a block too, and paid for."""

    WAITING = 0
    MINED = 1
    FAILED = 2
    DROPPED = 3


@dataclass(frozen=True, slots=True)
class Transfer:
    """So much of a token, in its smallest unit, to another wallet."""

    token: str
    to: str
    amount: int


@dataclass(frozen=True, slots=True)
class Send:
    """Ether to another wallet."""

    to: str
    wei: int


@dataclass(frozen=True, slots=True)
class Mint:
    """Liquidity between two ticks of a pool, in an NFT of its own unless one stands for the range.

    sqrt_prices_x96   it fails unless the pool's price is within
    may_be_in_range   whether it has gas for a range that holds the price
    """

    pool_id: int
    tick_lower: int
    tick_upper: int
    liquidity: int
    sqrt_prices_x96: tuple[int, int] = ANY_PRICE
    may_be_in_range: bool = True


@dataclass(frozen=True, slots=True)
class Close:
    """All liquidity of a range back, with its fees; its NFT is burnt."""

    pool_id: int
    tick_lower: int
    tick_upper: int
    sqrt_prices_x96: tuple[int, int] = ANY_PRICE


@dataclass(frozen=True, slots=True)
class SwapIn:
    """So much of one token for the other, as far as the limit.

    crossed_max   ticks that it has gas for
    """

    pool_id: int
    zero_for_one: bool
    amount_in: int
    sqrt_limit_x96: int
    sqrt_prices_x96: tuple[int, int] = ANY_PRICE
    crossed_max: int = CROSSED_TICKS_MAX


@dataclass(frozen=True, slots=True)
class Work:
    """What contracts that are not ours do in a block: gas, and nothing that is seen here."""

    gas: int
    salt: int


Act = Transfer | Send | Mint | Close | SwapIn | Work
PoolAct = Mint | Close | SwapIn

KINDS: dict[str, type[Any]] = {
    "transfer": Transfer,
    "send": Send,
    "mint": Mint,
    "close": Close,
    "swap": SwapIn,
    "work": Work,
}
NAMES = {kind: name for name, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Wish:
    """A transaction that a wallet would send.

    label        whose and which: the same one happens once
    last_block   after it nobody wants it any more
    """

    label: str
    wallet: str
    act: Act
    max_fee_wei: int
    priority_fee_wei: int
    last_block: int


def act_text(act: Act) -> str:
    """JSON, whose integers are text: readers of JSON lose digits."""
    fields = {name: told(value) for name, value in asdict(act).items()}
    return json.dumps({"kind": NAMES[type(act)], **fields})


def told(value: Any) -> Any:
    if isinstance(value, tuple):
        return [told(one) for one in value]
    return value if isinstance(value, bool | str) else str(value)


def act_of(text: str) -> Act:
    """Of what act_text gave. Raises ValueError, KeyError, TypeError where it is something else."""
    fields = json.loads(text)
    kind = KINDS[fields.pop("kind")]
    names = kind.__dataclass_fields__
    read = {name: read_field(names[name].type, value) for name, value in fields.items()}
    act: Act = kind(**read)
    return act


def read_field(declared: Any, value: Any) -> Any:
    if declared is int:
        return int(value)
    if isinstance(value, list):
        return tuple(int(one) for one in value)
    return value
