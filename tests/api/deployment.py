"""A real API process for tests: its database, its secret, and people who may use it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psycopg

from api.credentials.tokens import Tokens
from api.door.metrics import TEXT_S_MAX
from storage.postgres.database_roles import DatabaseUrls
from storage.servers.data_directory import secret
from tests.builders import trader
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
GENEROUS = {
    "SANDPIT_ORDER_RATE": "1000000/second",
    "SANDPIT_WRITE_RATE": "1000000/second",
    "SANDPIT_READ_RATE": "1000000/second",
    "SANDPIT_CANCEL_RATE": "1000000/second",
    "SANDPIT_PROBE_RATE": "1000000/second",
    "SANDPIT_LOGIN_RATE": "1000/minute",
    "SANDPIT_ACCOUNT_RATE": "1000000/second",
}
JSON = {"Content-Type": "application/json"}
DOCUMENTED_ORDER: dict[str, Any] = {
    "marketId": "BTC-PERP",
    "side": "BUY",
    "type": "LIMIT",
    "quantity": "1.25",
    "price": "65000",
    "timeInForce": "GTC",
    "reduceOnly": False,
    "postOnly": True,
    "clientOrderId": "client-123",
    "leverage": 10,
}
DOCUMENTED_DROID: dict[str, Any] = {
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
    "risingRebalanceTrigger": 0.05,
}


def small_order(**changes: Any) -> dict[str, Any]:
    """A legal order that few can not afford."""
    order = {
        "marketId": "BTC-PERP",
        "side": "BUY",
        "type": "LIMIT",
        "quantity": "0.001",
        "price": "60000",
    }
    return {**order, **changes}


@dataclass(frozen=True)
class Person:
    """Someone with an account and a token; `account` is the one that is chosen by name."""

    user_id: int
    token: str
    http: httpx.Client
    account: str | None = None

    @property
    def name(self) -> str:
        return f"user_{self.user_id}"

    @property
    def account_name(self) -> str:
        return self.account or f"account_{self.user_id}"

    @property
    def headers(self) -> dict[str, str]:
        chosen = {"X-Account": self.account} if self.account is not None else {}
        return {"Authorization": f"Bearer {self.token}"} | chosen

    def choosing(self, account: str) -> "Person":
        """The same, whose requests are about this account."""
        return replace(self, account=account)

    def opened(self, name: str = "another", **balances: str) -> "Person":
        """The same, in a new account of theirs."""
        answer = self.post("/accounts", {"name": name, "balances": balances})
        assert answer.status_code == 201, answer.text
        return self.choosing(str(answer.json()["id"]))

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.http.get(path, headers=self.headers, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.http.delete(path, headers=self.headers, **more)

    def put(self, path: str, json: Any) -> httpx.Response:
        return self.http.put(path, json=json, headers=self.headers)

    def patch(self, path: str, json: Any) -> httpx.Response:
        return self.http.patch(path, json=json, headers=self.headers)

    def post(self, path: str, json: Any = None, key: str | None = None) -> httpx.Response:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return self.http.post(path, json=json, headers=headers)


@dataclass(frozen=True)
class Deployment:
    """One running API process."""

    url: str
    port: int
    pid: int
    data_dir: Path
    database: psycopg.Connection[Any]
    http: httpx.Client

    @property
    def tokens(self) -> Tokens:
        return Tokens(secret(self.data_dir / "auth.secret"), 900)

    def person(self, deposit: str = "10000", role: str = "TRADER") -> Person:
        user_id = trader(self.database, deposit, role)
        return Person(user_id, self.tokens.issue(user_id), self.http)

    def metrics(self) -> str:
        """A text that was made after this call began: until then the last one is told again. Each
        text differs from the last, for it counts the request for that one."""
        before = self.http.get("/metrics").text

        def newer() -> str | None:
            text = self.http.get("/metrics").text
            return text if text != before else None

        made = eventually(newer, 10 * TEXT_S_MAX)
        assert made is not None
        return made


@contextmanager
def running(
    urls: DatabaseUrls, limits_redis_url: str, data_dir: Path, **settings: str
) -> Iterator[Deployment]:
    """An API process with these settings, until the block ends; it comes as the API's users."""
    data_dir.mkdir(parents=True, exist_ok=True)
    environment = os.environ | GENEROUS | settings
    environment |= {
        "DATABASE_URL": urls.api,
        "SANDPIT_LIMITS_REDIS_URL": limits_redis_url,
        "SANDPIT_DATA_DIR": str(data_dir),
    }
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        (data_dir / "api.log").open("wb") as log,
    ):
        port = listening.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "api.server", "--fd", str(listening.fileno())],
            pass_fds=[listening.fileno()],
            env=environment,
            cwd=ROOT,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    with (
        httpx.Client(base_url=url, timeout=20) as http,
        psycopg.connect(urls.owner, autocommit=True) as database,
    ):
        try:
            eventually(lambda: healthy(http), 30)
            yield Deployment(url, port, process.pid, data_dir, database, http)
        finally:
            process.terminate()
            assert process.wait(15) == 0


def healthy(http: httpx.Client) -> bool:
    try:
        return http.get("/health").status_code == 200
    except httpx.TransportError:
        return False


def error_of(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, which must be in the envelope."""
    body = response.json()
    assert set(body) == {"error"}, body
    assert {"code", "message"} <= set(body["error"]) <= {"code", "message", "details"}
    return response.status_code, body["error"]["code"]
