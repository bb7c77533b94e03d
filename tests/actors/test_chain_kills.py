"""A droid on a running exchange, while the chain, pools, the droid and the indexer are killed."""

import http.cookiejar
import json
import os
import random
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from sim.chain.world import FIRST_BLOCK
from storage.chain.books import differences
from tests.auditor import audit
from tests.deployment import Deployment
from tests.waiting import eventually

pytestmark = [pytest.mark.ray, pytest.mark.slow]
SEED_OF_WORLD = 1
LIFE_S_MAX = 60.0
BLOCKS_MORE = 5
DROID = {
    "poolId": 42,
    "fundingUSD": 50000,
    "triggerType": "EMA",
    "tickBuckets": 10,
    "bucketOffset": 0,
    "fundingCurveType": "LINEAR",
    "maxBots": 5,
    "maxPrice": 4000.00,
    "minPrice": 2500.00,
    "maxGasPrice": 50,
    "txPriority": 1,
    "derivativeThreshold": 0.01,
    "ladderPercMargin": 0.02,
    "fallingRebalanceTrigger": 0.03,
    "risingRebalanceTrigger": 0.05,
}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    directory = tmp_path_factory.mktemp("chain") / "data"
    started = Deployment(directory, "--world", "quiet", "--chain-speed", "60")
    yield started
    assert started.stop() == 0


class Owner:
    """An ADMIN with cookies, as a browser has them."""

    def __init__(self, deployment: Deployment) -> None:
        self._address = f"http://127.0.0.1:{deployment.port}/api"
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        who = {"email": "admin@example.com", "password": "long-password"}
        self.ask("POST", "/auth/register", who)
        self.ask("POST", "/auth/login", who)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            self._address + path,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        with self._opener.open(request, timeout=10) as answer:
            return json.loads(answer.read())

    def money(self) -> dict[str, float]:
        return {one["asset"]: one["total"] for one in self.ask("GET", "/balances")["balances"]}

    def active_bots(self, droid_id: int) -> int:
        bots = self.ask("GET", f"/droids/{droid_id}")["bots"]
        return sum(bot["status"] == "ACTIVE" for bot in bots)


def number(deployment: Deployment) -> int:
    with deployment.database() as database:
        row = database.execute("SELECT number FROM chain_head").fetchone()
    assert row is not None
    return int(row[0])


def kill(deployment: Deployment, kind: str) -> None:
    for process in deployment.processes(kind):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def goes_on(deployment: Deployment) -> None:
    before = number(deployment)
    eventually(lambda: number(deployment) > before + BLOCKS_MORE, LIFE_S_MAX)


def test_ten_kills_lose_no_wei_and_mint_nothing_twice(deployment: Deployment) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    owner = Owner(deployment)
    assert number(deployment) >= FIRST_BLOCK - 1
    before = owner.money()
    droid_id = owner.ask("POST", "/droids", DROID)["id"]
    owner.ask("PATCH", f"/droids/{droid_id}/active", {"active": 1})
    kinds = ["chain", "pools", "droids", "indexer"] * 2 + dice.choices(["chain", "droids"], k=2)
    for kind in kinds:
        kill(deployment, kind)
        goes_on(deployment)
        with deployment.database() as database:
            assert differences(database, SEED_OF_WORLD) == []
    eventually(lambda: owner.active_bots(droid_id) == 5, LIFE_S_MAX)
    with deployment.database() as database:
        twice = database.execute(
            "SELECT bucket FROM droid_bots WHERE status = 'ACTIVE' GROUP BY 1 HAVING count(*) > 1"
        )
        assert twice.fetchall() == []
    owner.ask("PATCH", f"/droids/{droid_id}/active", {"active": 3})
    kill(deployment, "droids")

    def has_ended() -> bool:
        (session,) = owner.ask("GET", f"/droids/{droid_id}")["sessions"]
        assert session["status"] == "STOPPED", session
        return True

    eventually(has_ended, LIFE_S_MAX)
    after = owner.money()
    worth = after["USDC"] - before["USDC"] + 3_500 * (after["ETH"] - before["ETH"])
    assert -600 < worth < 0  # the fees of a swap, and gas
    with deployment.database() as database:
        assert differences(database, SEED_OF_WORLD) == []
        audit(database)
