"""Worked droids: the files of tests/data/droids, and the droids and pools that they speak of."""

import gzip
import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from sim.droid.config import DroidConfig, read_config
from sim.pool.terms import PoolTerms
from sim.pool.words import Pair

DATA = Path(__file__).parents[1] / "data" / "droids"

POOLS = {
    42: PoolTerms(42, 60, 3000, quote_is_token0=True, decimals=(6, 18)),
    43: PoolTerms(43, 60, 3000, quote_is_token0=False, decimals=(18, 6)),
}
SETTINGS: dict[str, object] = {
    "funding_usd": 50_000,
    "trigger_type": "EMA",
    "tick_buckets": 10,
    "bucket_offset": 0,
    "funding_curve": "LINEAR",
    "max_bots": 5,
    "min_price": 2500,
    "max_price": 4000,
    "gas_budget_usd": None,
    "max_gas_price_gwei": 50,
    "priority_gwei": 1,
    "derivative_threshold": Decimal("0.01"),
    "ladder_margin": Decimal("0.02"),
    "falling_trigger": Decimal("0.03"),
    "rising_trigger": Decimal("0.05"),
}
"""The document's droid, but that its gas has no budget."""

SPELLED = {
    "fundingUSD": "funding_usd",
    "tickBuckets": "tick_buckets",
    "bucketOffset": "bucket_offset",
    "fundingCurveType": "funding_curve",
    "maxBots": "max_bots",
    "minPrice": "min_price",
    "maxPrice": "max_price",
    "fallingRebalanceTrigger": "falling_trigger",
    "risingRebalanceTrigger": "rising_trigger",
    "derivativeThreshold": "derivative_threshold",
    "ladderPercMargin": "ladder_margin",
}


@cache
def facts(name: str) -> dict[str, Any]:
    packed = (DATA / f"{name}.json.gz").read_bytes()
    found: dict[str, Any] = json.loads(gzip.decompress(packed), parse_float=Decimal)
    return found


def named(cases: list[dict[str, Any]]) -> dict[str, Any]:
    """For pytest: the cases, and what they are called."""
    return {"argvalues": cases, "ids": [case["name"] for case in cases]}


def texts(amounts: Pair) -> list[str]:
    """As the files have amounts."""
    return [str(amount) for amount in amounts]


def config_of(told: dict[str, Any], terms: PoolTerms, **more: object) -> DroidConfig:
    """A droid of the file: numbers are JSON's or decimals as text."""
    given = {SPELLED[name]: _value(value) for name, value in told.items()}
    return read_config(SETTINGS | given | more, terms)


def _value(value: object) -> object:
    if isinstance(value, str) and value[0].isdigit():
        return Decimal(value)
    return value


def calm(**changes: object) -> DroidConfig:
    """Of which the signal is the price, which never waits for it, and has room."""
    settings = {"trigger_type": "SPOT", "derivative_threshold": 0}
    return configured(**(settings | {"min_price": 2000, "max_price": 6000} | changes))


def configured(**changes: object) -> DroidConfig:
    """The document's droid on pool 42 with other settings."""
    return read_config(SETTINGS | changes, POOLS[42])
