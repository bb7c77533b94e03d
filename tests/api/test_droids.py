"""Droids of the trading app: made, seen by whom, told in numbers."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.browsers import close_all, error_of
from tests.api.deployment import DOCUMENTED_DROID, Deployment
from tests.api.droid_owners import (
    SQRT_PRICE_X96,
    WALLET,
    Owner,
    owner,
    sent_as_it_stands,
    session_of,
    with_pool,
    with_rows,
)

MADE = """
curl -X POST https://<host>/api/droids \\
  -H "Content-Type: application/json" \\
  -b cookies.txt \\
  -d '{
    "poolId": 42,
    "fundingUSD": 50000,
    "triggerType": "EMA",
    "tickBuckets": 10,
    "bucketOffset": 0,
    "fundingCurveType": "LINEAR",
    "maxBots": 5,
    "maxPrice": 4000.00,
    "minPrice": 2500.00,
    "gasBudgetLimit": 100,
    "maxGasPrice": 50,
    "txPriority": 1,
    "derivativeThreshold": 0.01,
    "ladderPercMargin": 0.02,
    "fallingRebalanceTrigger": 0.03,
    "risingRebalanceTrigger": 0.05
  }'
"""
CHANGED = """
curl -X PATCH https://<host>/api/droids/1/config \\
  -H "Content-Type: application/json" \\
  -b cookies.txt \\
  -d '{
    "fallingRebalanceTrigger": 0.03,
    "risingRebalanceTrigger": 0.06,
    "maxBots": 8,
    "maxPrice": 4500.00,
    "minPrice": 2000.00,
    "maxGasPrice": 60,
    "txPriority": 2,
    "fundingUSD": 75000,
    "derivativeThreshold": 0.01,
    "ladderPercMargin": 0.02
  }'
"""
RUN = """
curl -X PATCH https://<host>/api/droids/1/active \\
  -H "Content-Type: application/json" \\
  -b cookies.txt \\
  -d '{ "active": 1 }'
"""
READ = "curl https://<host>/api/droids{} \\\n  -b cookies.txt"
DROID_KEYS = [
    *("id", "blockChain", "active", "poolId", "fundingUSD", "triggerType", "tickBuckets"),
    *("bucketOffset", "fundingCurveType", "maxBots", "maxPrice", "minPrice"),
    *("fallingRebalanceTrigger", "risingRebalanceTrigger", "maxGasPrice", "txPriority"),
    *("derivativeThreshold", "ladderPercMargin", "createdAt", "gasBudgetLimit", "gasSpentUSD"),
]
EIGHT_DECIMALS = "0.12345678"


@pytest.fixture
def olga(paddock: Deployment) -> Iterator[Owner]:
    yield owner(paddock, ETH="2")
    close_all()


@pytest.fixture
def otto(paddock: Deployment, olga: Owner) -> Owner:
    return owner(paddock, ETH="2")


@pytest.fixture
def adam(paddock: Deployment, olga: Owner) -> Owner:
    return owner(paddock, "ADMIN", ETH="2")


def test_the_documented_requests_as_they_stand(olga: Owner, paddock: Deployment) -> None:
    made = sent_as_it_stands(MADE, olga)
    assert (made.status_code, set(made.json())) == (201, {"id"})
    number = made.json()["id"]
    (droid,) = sent_as_it_stands(READ.format(""), olga).json()["droids"]
    assert list(droid) == DROID_KEYS
    assert droid | DOCUMENTED_DROID == droid
    assert (droid["active"], droid["blockChain"], droid["gasSpentUSD"]) == (0, "ethereum", 0)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", droid["createdAt"])
    ran = sent_as_it_stands(RUN.replace("/1/", f"/{number}/"), olga)
    assert (ran.status_code, ran.json()) == (200, {"id": number, "active": 1})
    shown = sent_as_it_stands(READ.format(f"/{number}"), olga).json()
    (session,) = shown["sessions"]
    assert shown["droid"] == droid | {"active": 1}
    assert (session["status"], session["stoppedAt"], shown["bots"]) == ("RUNNING", None, [])
    changed = sent_as_it_stands(CHANGED.replace("/1/", f"/{number}/"), olga)
    assert (changed.status_code, changed.json()) == (
        200,
        {
            "id": number, "fallingRebalanceTrigger": 0.03, "risingRebalanceTrigger": 0.06,
            "maxBots": 8, "maxPrice": 4500, "minPrice": 2000, "maxGasPrice": 60, "txPriority": 2,
            "fundingUSD": 75000, "derivativeThreshold": 0.01, "ladderPercMargin": 0.02,
        },
    )  # fmt: skip
    accounts = sent_as_it_stands(READ.format("/accounts"), olga).json()
    assert accounts == {"accounts": [{"id": number}]}
    history = sent_as_it_stands(READ.format(f"/{number}/history"), olga)
    assert history.json() == {"history": []}
    pools = sent_as_it_stands(READ.format("/pools"), olga).json()["pools"]
    assert [(one["id"], one["poolAddress"], one["feeTier"]) for one in pools] == [
        (42, "0x8ad599c3a0ff1de082011efddc58f1908eb6e6d8", 3000),
        (43, "0x4e68ccd3e89f51c3074ca5072bbac773960dfa36", 3000),
    ]


def test_numbers_are_exact_both_ways(olga: Owner) -> None:
    headers = {"Content-Type": "application/json"}
    text = json.dumps(DOCUMENTED_DROID | {"derivativeThreshold": 7, "fundingUSD": 9})
    text = text.replace(": 7,", f": {EIGHT_DECIMALS},").replace(": 9,", ": 50000.000001,")
    made = olga.http.post("/api/droids", content=text, headers=headers)
    assert made.status_code == 201, made.text
    told = olga.http.get("/api/droids").text
    assert f'"derivativeThreshold":{EIGHT_DECIMALS},' in told
    assert '"fundingUSD":50000.000001,' in told
    assert '"maxPrice":4000,' in told


def test_a_droid_without_a_budget_has_none(olga: Owner) -> None:
    number = olga.droid(gasBudgetLimit=None)
    assert olga.sees(number)["droid"]["gasBudgetLimit"] is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"poolId": 44}, "poolId: must be one of 42, 43"),
        ({"poolId": "42"}, "poolId: must be a whole number"),
        ({"poolId": None}, "poolId"),
        ({"fundingUSD": 0}, "fundingUSD: must be above 0"),
        ({"fundingUSD": -1}, "fundingUSD: must be above 0 and at most 1000000000000"),
        ({"fundingUSD": 0.0000001}, "fundingUSD: must have at most 6 decimals"),
        ({"fundingUSD": "5000"}, "fundingUSD: must be a JSON number such as 12.5"),
        ({"maxPrice": "4000"}, "maxPrice: must be a JSON number such as 12.5"),
        ({"fundingUSD": "NaN"}, "fundingUSD"),
        ({"fundingUSD": True}, "fundingUSD"),
        ({"fundingUSD": None}, "fundingUSD"),
        ({"triggerType": "ema"}, "triggerType: must be one of EMA, SPOT, TWAP"),
        ({"triggerType": 1}, "triggerType"),
        ({"triggerType": "x" * 1_000}, "triggerType: must have 32 characters or fewer"),
        ({"tickBuckets": 0}, "tickBuckets: must be at least 1"),
        ({"tickBuckets": 1.5}, "tickBuckets: must be a whole number"),
        ({"tickBuckets": 10**40}, "tickBuckets: must be at least 1 and at most"),
        ({"bucketOffset": 10}, "bucketOffset: must be at least 0 and below 10"),
        ({"bucketOffset": -1}, "bucketOffset: must be at least 0"),
        ({"fundingCurveType": "CUBIC"}, "fundingCurveType: must be one of LINEAR, FLAT"),
        ({"maxBots": 0}, "maxBots: must be at least 1 and at most 100"),
        ({"maxBots": 101}, "maxBots: must be at least 1 and at most 100"),
        ({"minPrice": 0}, "minPrice: must be above 0"),
        ({"minPrice": 2500.000000001}, "minPrice: must have at most 8 decimals"),
        ({"minPrice": 4000}, "minPrice: must be below maxPrice, which is 4000"),
        ({"minPrice": 3000, "maxPrice": 3001}, "a bucket lies within the bounds, as in minPrice"),
        ({"maxPrice": 0}, "maxPrice: must be above 0"),
        ({"gasBudgetLimit": 0}, "gasBudgetLimit: must be above 0"),
        ({"maxGasPrice": 0}, "maxGasPrice: must be above 0"),
        ({"txPriority": 51}, "txPriority: must be at most maxGasPrice, which is 50"),
        ({"txPriority": -1}, "txPriority: must be at least 0"),
        ({"derivativeThreshold": -0.1}, "derivativeThreshold: must be at least 0"),
        ({"ladderPercMargin": 1}, "ladderPercMargin: must be at least 0 and below 1"),
        ({"fallingRebalanceTrigger": 1}, "fallingRebalanceTrigger: must be above 0 and below 1"),
        ({"fallingRebalanceTrigger": 0}, "fallingRebalanceTrigger: must be above 0 and below 1"),
        ({"risingRebalanceTrigger": 0}, "risingRebalanceTrigger: must be above 0"),
        ({"ownerId": 1}, "ownerId: is not a field of this request"),
        ({"accountId": 1}, "accountId: is not a field of this request"),
        ({"active": 1}, "active: is not a field of this request"),
        ({"funding_usd": 1}, "funding_usd: is not a field of this request"),
    ],
)
def test_every_bad_field_is_named_with_what_is_allowed(
    fields: dict[str, Any], said: str, olga: Owner
) -> None:
    answer = olga.makes(**fields)
    assert error_of(answer) == 400
    assert said in answer.json()["error"], answer.text
    assert olga.http.get("/api/droids").json() == {"droids": []}


def test_all_that_cannot_be_read_is_said_at_once(olga: Owner) -> None:
    said = olga.makes(fundingUSD="5000", maxBots="5", minPrice=None, ownerId=1).json()["error"]
    assert said.split("; ") == [
        "fundingUSD: must be a JSON number such as 12.5, without quotation marks",
        "maxBots: must be a whole number",
        "minPrice: must be a JSON number such as 12.5, without quotation marks",
        "ownerId: is not a field of this request",
    ]
    everything = olga.http.post("/api/droids", json={}).json()["error"]
    assert everything.count("is missing") == len(DOCUMENTED_DROID) - 1


def test_all_that_is_wrong_is_said_at_once(olga: Owner) -> None:
    said = olga.makes(maxBots=0, triggerType="X", txPriority=99).json()["error"]
    for field in ("maxBots", "triggerType", "txPriority"):
        assert f"{field}: must be" in said


def test_a_key_makes_one_droid(olga: Owner) -> None:
    headers = {"Idempotency-Key": "once"}
    first, again = (
        olga.http.post("/api/droids", json=DOCUMENTED_DROID, headers=headers) for _ in range(2)
    )
    assert first.json() == again.json()
    other = olga.http.post("/api/droids", json=DOCUMENTED_DROID | {"maxBots": 6}, headers=headers)
    assert error_of(other) == 409
    assert len(olga.http.get("/api/droids").json()["droids"]) == 1


def test_nobody_but_its_owner_and_admins_sees_a_droid(
    olga: Owner, otto: Owner, adam: Owner
) -> None:
    number = olga.droid()
    missing = {
        (method, path): otto.http.request(method, f"/api/droids/999999999{path}", json=body).content
        for method, path, body in WAYS
    }
    for method, path, body in WAYS:
        for text in (number, f"0{number}", "0", "-1", "x", "9" * 30):
            refused = otto.http.request(method, f"/api/droids/{text}{path}", json=body)
            assert error_of(refused) == 404
            assert refused.content == missing[method, path]
    assert otto.http.get("/api/droids").json() == {"droids": []}
    assert otto.http.get("/api/droids/accounts").json() == {"accounts": []}
    for candidate in range(1, 51):
        answer = otto.http.get(f"/api/droids/{candidate}")
        assert error_of(answer) == 404
    assert olga.sees(number)["droid"] | {"id": number, "active": 0} == olga.sees(number)["droid"]
    assert adam.sees(number) == olga.sees(number)
    assert number in [one["id"] for one in adam.http.get("/api/droids").json()["droids"]]
    assert {"id": number} in adam.http.get("/api/droids/accounts").json()["accounts"]
    assert adam.changes(number, maxBots=7).json() == {"id": number, "maxBots": 7}


WAYS: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("GET", "/history", None),
    ("PATCH", "/active", {"active": 1}),
    ("PATCH", "/active", {"active": 0}),
    ("PATCH", "/config", {"maxBots": 3}),
]


def test_what_each_role_may(paddock: Deployment, olga: Owner, adam: Owner) -> None:
    number = olga.droid()
    for role in ("VIEWER", "TRADER"):
        other = owner(paddock, "TRADER")
        paddock.database.execute(
            "UPDATE users SET role = %s WHERE id = %s", (role, other.person.user_id)
        )
        assert error_of(other.makes()) == 403
        for active in range(4):
            assert error_of(other.sets(number, active)) == 403
        assert error_of(other.changes(number, maxBots=1)) == 403
        assert other.http.get("/api/droids").json() == {"droids": []}
        assert len(other.http.get("/api/droids/pools").json()["pools"]) == 2
    for active in (2, 3):
        assert error_of(olga.sets(number, active)) == 403
        assert adam.sets(number, active).status_code == 200


def test_an_api_key_reads_and_makes_nothing(olga: Owner) -> None:
    number = olga.droid()
    made = olga.person.post("/auth/api-keys", {"name": "x", "scopes": ["read", "trade"]})
    headers = {"X-API-Key": made.json()["key"]}
    http = olga.person.http
    seen = http.get(f"/api/droids/{number}", headers=headers)
    assert seen.json()["droid"]["id"] == number
    for method, path in (("POST", ""), ("PATCH", f"/{number}/active")):
        body = DOCUMENTED_DROID if method == "POST" else {"active": 1}
        refused = http.request(method, f"/api/droids{path}", json=body, headers=headers)
        assert error_of(refused) == 403


def test_lists_are_pages_newest_first(olga: Owner) -> None:
    made = [olga.droid() for _ in range(5)]
    for path, name in (("/api/droids", "droids"), ("/api/droids/accounts", "accounts")):
        found: list[int] = []
        cursor = None
        while True:
            asked = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
            answer = olga.http.get(path, params=asked)
            found += [one["id"] for one in answer.json()[name]]
            cursor = answer.headers.get("X-Next-Cursor")
            if cursor is None:
                break
        assert found == made[::-1]
    for wrong in ({"limit": "0"}, {"limit": "501"}, {"cursor": "bots.1.0"}, {"x": "1"}):
        assert error_of(olga.http.get("/api/droids", params=wrong)) == 400


def test_how_a_droid_stands_is_told_in_numbers(olga: Owner, paddock: Deployment) -> None:
    with_pool(paddock)
    number = olga.droid()
    assert olga.sets(number, 1).status_code == 200
    session_id = session_of(paddock, number)[0]
    with_rows(paddock, number, session_id)
    answer = olga.http.get(f"/api/droids/{number}")
    shown = answer.json()
    assert shown["figures"] == {
        "status": "RUNNING", "note": None, "walletAddress": WALLET,
        "equityUSD": 50312.77, "feesEarnedUSD": 341.1, "gasSpentUSD": 12.4,
        "impermanentLossUSD": -1.5,
    }  # fmt: skip
    assert shown["droid"]["gasSpentUSD"] == 12.4
    closed, open_one = shown["bots"]
    assert (closed["status"], closed["inRange"]) == ("CLOSED", False)
    assert open_one | {
        "positionId": "0x" + "01" * 32, "status": "ACTIVE", "bucket": 325, "lowerTick": 195_000,
        "upperTick": 195_600, "liquidity": 9928007477293465, "inRange": True,
    } == open_one  # fmt: skip
    assert 3_190 < open_one["lowerPrice"] < 3_215.5 < open_one["upperPrice"] < 3_410
    page = olga.http.get(f"/api/droids/{number}", params={"limit": "1"})
    assert [bot["id"] for bot in page.json()["bots"]] == [closed["id"]]
    rest = {"limit": "1", "cursor": page.headers["X-Next-Cursor"]}
    (last,) = olga.http.get(f"/api/droids/{number}", params=rest).json()["bots"]
    assert last == open_one


def test_history_and_pools_are_told_in_numbers(olga: Owner, paddock: Deployment) -> None:
    with_pool(paddock)
    number = olga.droid()
    olga.sets(number, 1)
    with_rows(paddock, number, session_of(paddock, number)[0])
    path = f"/api/droids/{number}/history"
    newest, oldest = olga.http.get(path).json()["history"]
    assert newest.pop("id") > oldest.pop("id")
    assert newest == {
        "timeStamp": "2026-05-01T09:00:00.000Z", "aum": 51240.75, "price": 3215.5,
        "token0Positions": 8.42, "token1Positions": 24112.3, "ethWallet": 0.18,
    }  # fmt: skip
    first = olga.http.get(path, params={"limit": "1"})
    assert len(first.json()["history"]) == 1
    rest = olga.http.get(path, params={"cursor": first.headers["X-Next-Cursor"]})
    assert [row["aum"] for row in rest.json()["history"]] == [50980.1]
    pools = olga.http.get("/api/droids/pools").json()["pools"]
    assert pools[0].items() >= {
        "token0": "USDC", "token1": "WETH", "price": 3215.5, "tick": 195_562,
        "liquidity": 20443184931250000000,
    }.items()  # fmt: skip
    assert 25_000_000 < pools[0]["tvlUSD"] < 60_000_000
    assert pools[1].items() >= {"token0": "WETH", "price": None, "tvlUSD": None}.items()


def test_the_price_of_the_test_pool_is_near_what_it_says() -> None:
    assert 3_200 < 10**12 * 2**192 / SQRT_PRICE_X96**2 < 3_230
