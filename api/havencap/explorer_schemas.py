"""What is asked of the explorer."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from api.door.limits import DEAR_ROW
from api.door.wire import Asked, QueryNumber, QueryTruth
from api.havencap.instants import InstantText, microseconds_of
from sim.chain.addresses import address_of_text
from sim.refusals import Refusal, Refused
from storage.chain.explorer import TransactionFilter

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 20, 100
PAGE_MAX = 1_000_000_000
"""A page is as quick wherever it is: the bound is only an end of digits."""

SECOND_US = 1_000_000


def _an_address(text: str) -> str:
    address_of_text(text)
    return text


class BytesAsked(Asked):
    """Whether what was hashed is told, too."""

    raw: Annotated[QueryTruth, Field(description="true: also the bytes that the hashes are of")] = (
        False
    )

    model_config = ConfigDict(alias_generator=None)


class RangeAsked(Asked):
    """Which transactions, and which page of them."""

    from_date: InstantText | None = None
    to_date: InstantText | None = None
    sort: Literal["timestamp", "-timestamp"] = "-timestamp"
    page_size: Annotated[QueryNumber, Field(ge=1, le=PAGE_SIZE_MAX)] = PAGE_SIZE_DEFAULT
    page: Annotated[QueryNumber, Field(ge=1, le=PAGE_MAX)] = 1

    model_config = ConfigDict(alias_generator=None)

    @property
    def rows(self) -> int:
        """As how many rows of other lists the answer counts at the most."""
        return self.page_size * DEAR_ROW

    def wanted(self, address: bytes | None) -> TransactionFilter:
        """Those of the address, or all. Raises Refused where the range ends before it begins."""
        since_us = microseconds_of(self.from_date) if self.from_date is not None else None
        until_us = microseconds_of(self.to_date) if self.to_date is not None else None
        if since_us is not None and until_us is not None and until_us < since_us:
            raise Refused(
                Refusal.INVALID_REQUEST,
                f"to_date: must be at least from_date, which is {self.from_date}",
            )
        wanted = TransactionFilter(address, newest_first=self.sort == "-timestamp")
        return TransactionFilter(
            address,
            wanted.since_s if since_us is None else -(-since_us // SECOND_US),
            wanted.before_s if until_us is None else until_us // SECOND_US + 1,
            wanted.newest_first,
        )


class TransactionsAsked(RangeAsked):
    """The same, of an address or of all."""

    address: Annotated[str, Field(max_length=42), AfterValidator(_an_address)] | None = None
