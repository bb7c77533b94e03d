"""What Flux's clients send about their accounts."""

from typing import Annotated

from pydantic import ConfigDict, Field, StrictBool, model_validator

from api.door.wire import Asked, QueryTruth, Sent
from api.exact_json import PrintableText
from api.flux.schemas import AmountSent, NameText, ResetSent
from sim.market import COLLATERAL

AccountText = Annotated[PrintableText, Field(min_length=1, max_length=32)]


class AccountSent(ResetSent):
    """An account as its user wants it; without `balances` it begins with nothing."""

    name: NameText

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "second bot", "balances": {COLLATERAL: "2500"}}]}
    )


class AccountChangeSent(Sent):
    """What is to change of an account."""

    name: NameText | None = None
    archived: StrictBool | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "mean reversion"}]})

    @model_validator(mode="after")
    def _something(self) -> "AccountChangeSent":
        if self.name is None and self.archived is None:
            raise ValueError("must say what to change: name or archived")
        return self


class TransferSent(AmountSent):
    """How much of which asset, from which account to which."""

    source: Annotated[AccountText, Field(alias="from")]
    target: Annotated[AccountText, Field(alias="to")]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "from": "account_1042",
                    "to": "account_1043",
                    "asset": COLLATERAL,
                    "amount": "2500",
                }
            ]
        }
    )


class AccountsAsked(Asked):
    """Which accounts."""

    archived: Annotated[QueryTruth, Field(description="true: those that are archived, too")] = False
