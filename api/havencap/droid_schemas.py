"""Droids as the trading app's clients send them. Fields are called as in sim/droid/config.py, and
outside as the app has them; what they may be stands there."""

from functools import partial
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, StrictStr

from api.door.limits import DEAR_ROW
from api.door.wire import PageAsked, Sent
from api.exact_json import DecimalNumber, WholeNumber
from sim.droid.spelling import SPELLED
from sim.droid.states import Active
from sim.units import ATOM_DECIMALS
from storage.droids.configs import exact

WORD_CHARACTERS_MAX = 32
PRICE_DECIMALS, GWEI_DECIMALS = 8, 9


def _fine(text: str, decimals: int) -> str:
    if len(text.partition(".")[2].rstrip("0")) > decimals:
        raise ValueError(f"must have at most {decimals} decimals")
    return text


Word = Annotated[StrictStr, Field(max_length=WORD_CHARACTERS_MAX)]
Usd = Annotated[DecimalNumber, AfterValidator(partial(_fine, decimals=ATOM_DECIMALS))]
Gwei = Annotated[DecimalNumber, AfterValidator(partial(_fine, decimals=GWEI_DECIMALS))]
Fine = Annotated[DecimalNumber, AfterValidator(partial(_fine, decimals=PRICE_DECIMALS))]

DROID: dict[str, JsonValue] = {
    "poolId": 42,
    "fundingUSD": 50000,
    "triggerType": "EMA",
    "tickBuckets": 10,
    "bucketOffset": 0,
    "fundingCurveType": "LINEAR",
    "maxBots": 5,
    "maxPrice": 4000,
    "minPrice": 2500,
    "gasBudgetLimit": 100,
    "maxGasPrice": 50,
    "txPriority": 1,
    "derivativeThreshold": 0.01,
    "ladderPercMargin": 0.02,
    "fallingRebalanceTrigger": 0.03,
    "risingRebalanceTrigger": 0.05,
}


class DroidSent(Sent):
    """A droid that is to be."""

    pool_id: WholeNumber
    funding_usd: Usd
    trigger_type: Word
    tick_buckets: WholeNumber
    bucket_offset: WholeNumber
    funding_curve: Word
    max_bots: WholeNumber
    max_price: Fine
    min_price: Fine
    gas_budget_usd: Usd | None = None
    max_gas_price_gwei: Gwei
    priority_gwei: Gwei
    derivative_threshold: Fine
    ladder_margin: Fine
    falling_trigger: Fine
    rising_trigger: Fine

    model_config = ConfigDict(
        alias_generator=SPELLED.__getitem__, json_schema_extra={"examples": [DROID]}
    )

    @property
    def given(self) -> dict[str, object]:
        """The config, without the pool that it is for."""
        return exact(self.model_dump(exclude={"pool_id"}))


class DroidChange(Sent):
    """What changes of a droid: some of these."""

    funding_usd: Usd | None = None
    max_bots: WholeNumber | None = None
    max_price: Fine | None = None
    min_price: Fine | None = None
    gas_budget_usd: Usd | None = None
    max_gas_price_gwei: Gwei | None = None
    priority_gwei: Gwei | None = None
    derivative_threshold: Fine | None = None
    ladder_margin: Fine | None = None
    falling_trigger: Fine | None = None
    rising_trigger: Fine | None = None

    model_config = ConfigDict(
        alias_generator=SPELLED.__getitem__,
        json_schema_extra={"examples": [{"maxBots": 8, "fundingUSD": 75000}]},
    )

    @property
    def given(self) -> dict[str, object]:
        """What was sent."""
        return exact(self.model_dump(exclude_unset=True))


class DroidsAsked(PageAsked):
    """Which page of droids."""

    @property
    def rows(self) -> int:
        """As how many rows of other lists the answer counts at the most."""
        return self.limit * DEAR_ROW


class ActiveSent(Sent):
    """1 runs a droid, 0 pauses it, 2 resets it, 3 closes all that it has."""

    active: Annotated[WholeNumber, Field(ge=min(Active), le=max(Active))]

    model_config = ConfigDict(json_schema_extra={"examples": [{"active": 1}]})
