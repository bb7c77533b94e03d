"""A negative number is told what is wrong with it: its field's bound, and not how decimals look."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.browsers import close_all, error_of
from tests.api.deployment import Deployment
from tests.api.droid_owners import Owner, owner

ABOVE_ZERO = (
    *("fundingUSD", "minPrice", "maxPrice", "gasBudgetLimit", "maxGasPrice"),
    *("fallingRebalanceTrigger", "risingRebalanceTrigger"),
)
FROM_ZERO = ("bucketOffset", "txPriority", "derivativeThreshold", "ladderPercMargin")
FROM_ONE = ("tickBuckets", "maxBots")
ALLOWED = dict.fromkeys(ABOVE_ZERO, "above 0") | dict.fromkeys(FROM_ZERO, "at least 0")
ALLOWED |= dict.fromkeys(FROM_ONE, "at least 1")


@pytest.fixture
def olga(paddock: Deployment) -> Iterator[Owner]:
    yield owner(paddock)
    close_all()


@pytest.mark.parametrize("field", ALLOWED)
def test_a_droids_field_below_zero_is_told_its_bound(field: str, olga: Owner) -> None:
    for value in (-1, -0.5) if field in ABOVE_ZERO else (-1,):
        refused = olga.makes(**{field: value})
        assert error_of(refused) == 400
        assert f"{field}: must be {ALLOWED[field]}" in refused.json()["error"]


def test_a_change_below_zero_is_told_its_bound(olga: Owner) -> None:
    refused = olga.changes(olga.droid(), fundingUSD=-1, maxBots=-1)
    assert error_of(refused) == 400
    for said in ("fundingUSD: must be above 0", "maxBots: must be at least 1"):
        assert said in refused.json()["error"]


def test_zero_with_a_sign_and_what_is_no_number_are_refused_as_before(olga: Owner) -> None:
    assert "txPriority: must not be negative" in olga.makes(txPriority=-0.0).text
    assert "fundingUSD: must be a JSON number" in olga.makes(fundingUSD="--1").text
    assert "fundingUSD: must be a JSON number" in olga.makes(fundingUSD="1").text


@pytest.mark.parametrize("field", ["quantity", "price", "stopPrice"])
@pytest.mark.parametrize("value", [-1, -0.5, -1e-7, "-2"])
def test_a_spot_orders_number_below_zero_is_told_its_sign(
    field: str, value: object, olga: Owner
) -> None:
    order: dict[str, Any] = {"market": "ETH_USDC", "side": "BUY", "orderType": "STOP_LIMIT"}
    order |= {"quantity": 1, "price": 3200, "stopPrice": 3100, field: value}
    refused = olga.http.post("/api/orders", json=order)
    assert error_of(refused) == 400
    assert refused.json()["error"] == f"{field}: must not be negative"
