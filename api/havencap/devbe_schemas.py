"""What the data service and the script runner are asked: each name has arguments of its own."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from api.desk.identifiers import INTEGER_MAX
from api.door.wire import Asked, QueryNumber, Wire
from api.exact_json import DecimalText
from api.havencap.instants import InstantText, microseconds_of
from sim.pool.tick_math import MAX_TICK, MIN_TICK
from sim.refusals import Refusal, Refused
from sim.units import ceil_div

MESSAGE_CHARACTERS_MAX = 2_000
HEXADECIMAL_CHARACTERS_MAX = 200
ONE_OF_BOTH = "walletId or droidId must be given, and not both: they are the same number"
US_A_SECOND = 1_000_000

Id = Annotated[QueryNumber, Field(ge=1, le=INTEGER_MAX)]
HexadecimalText = Annotated[str, Field(max_length=HEXADECIMAL_CHARACTERS_MAX)]


class DevbeAnswer(Wire, extra="allow"):
    """What the name that was asked for tells."""


class WalletAsked(Asked):
    """Which wallet: its droid's number."""

    wallet_id: Id


class PoolAsked(Asked):
    """Which pool."""

    pool_id: Id


class DroidAsked(Asked):
    """Which droid."""

    droid_id: Id


class GasAsked(Asked):
    """Whose gas, and since and until when."""

    wallet_id: Id | None = None
    droid_id: Id | None = None
    since: Annotated[InstantText | None, Field(alias="from")] = None
    until: Annotated[InstantText | None, Field(alias="to")] = None

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.wallet_id is None) == (self.droid_id is None):
            raise ValueError(ONE_OF_BOTH)
        return self

    @property
    def number(self) -> int:
        """The droid's."""
        return self.wallet_id or self.droid_id or 0

    @property
    def seconds(self) -> tuple[int, int]:
        """From one second since 1970 on, up to before another. Raises Refused where it ends before
        it begins."""
        since = 0 if self.since is None else ceil_div(microseconds_of(self.since), US_A_SECOND)
        if self.until is None:
            return since, INTEGER_MAX
        if self.since is not None and microseconds_of(self.until) < microseconds_of(self.since):
            raise Refused(
                Refusal.INVALID_REQUEST, f"to: must be at least from, which is {self.since}"
            )
        return since, ceil_div(microseconds_of(self.until), US_A_SECOND)


class SignatureAsked(Asked):
    """Who is said to have signed what."""

    address: HexadecimalText
    message: Annotated[str, Field(max_length=MESSAGE_CHARACTERS_MAX)]
    signature: HexadecimalText


class PriceAsked(PoolAsked):
    """A price of one ETH in USD."""

    price: DecimalText


class TickAsked(PoolAsked):
    """A tick of a pool."""

    tick: Annotated[QueryNumber, Field(ge=MIN_TICK, le=MAX_TICK)]


class PositionAsked(Asked):
    """Which position."""

    position_id: HexadecimalText
