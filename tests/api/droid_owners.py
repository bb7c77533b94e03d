"""People with droids, and rows as the actors of droids write them."""

import json
import shlex
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import httpx

from storage.chain.founding import found_chain
from tests.api.browsers import client
from tests.api.deployment import DOCUMENTED_DROID, Deployment, Person

CHAIN_BLOCK = 22_400_001
SQRT_PRICE_X96 = 1_397_191_000_000_000_000_000_000_000_000_000
"""Of pool 42, near 3215 USD."""


@dataclass(frozen=True)
class Owner:
    """Someone in a browser."""

    exchange: Deployment
    person: Person
    http: httpx.Client

    def makes(self, **changes: Any) -> httpx.Response:
        return self.http.post("/api/droids", json={**DOCUMENTED_DROID, **changes})

    def droid(self, **changes: Any) -> int:
        answer = self.makes(**changes)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def sees(self, droid_id: int) -> dict[str, Any]:
        answer = self.http.get(f"/api/droids/{droid_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def sets(self, droid_id: int, active: Any) -> httpx.Response:
        return self.http.patch(f"/api/droids/{droid_id}/active", json={"active": active})

    def changes(self, droid_id: int, **fields: Any) -> httpx.Response:
        return self.http.patch(f"/api/droids/{droid_id}/config", json=fields)

    @property
    def money(self) -> dict[str, str]:
        return {row["asset"]: row["total"] for row in self.person.get("/balances").json()}

    @property
    def ledger(self) -> list[tuple[str, str, str]]:
        rows = self.person.get("/ledger").json()
        return [(row["type"], row["asset"], row["amount"]) for row in rows]


def owner(exchange: Deployment, role: str = "OPERATOR", usdc: str = "200000", **more: str) -> Owner:
    """Somebody with money, on an exchange with a chain."""
    found_chain(exchange.database, 1, Fraction(3_000), 0)
    person = exchange.person(usdc, role)
    for asset, amount in more.items():
        sent = {"asset": asset, "amount": amount}
        assert person.post("/deposits", sent).status_code == 201
    return Owner(exchange, person, client(exchange, auth_token=person.token))


def sent_as_it_stands(curl: str, who: Owner) -> httpx.Response:
    """The request that a documented command makes, of somebody whose cookies are in the file."""
    words = iter(shlex.split(curl.replace("\\\n", " "))[1:])
    method, address, body, headers = "GET", "", None, {}
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        elif word == "-b":
            assert next(words) == "cookies.txt"
        else:
            address = word.removeprefix("https://<host>")
    return who.http.request(method, address, content=body, headers=headers)


def session_of(exchange: Deployment, droid_id: int) -> tuple[Any, ...]:
    """The newest session of a droid: its id, status, whether it has ended, and its funding."""
    row = exchange.database.execute(
        "SELECT id, status, ended, funded_quote_atoms FROM droid_sessions WHERE droid_id = %s"
        " ORDER BY id DESC LIMIT 1",
        (droid_id,),
    ).fetchone()
    assert row is not None
    return tuple(row)


def end(exchange: Deployment, droid_id: int) -> None:
    """As the droid's actor does once all money is back."""
    exchange.database.execute(
        "UPDATE droid_sessions SET ended = true, status = 'STOPPED', stopped_at_us = 5"
        " WHERE droid_id = %s",
        (droid_id,),
    )


def wishes_of(exchange: Deployment, session_id: int) -> dict[str, Any]:
    """Acts that are wished for a session, by the last part of their labels."""
    rows = exchange.database.execute(
        "SELECT label, wallet, act FROM chain_wishes WHERE starts_with(label, %s) ORDER BY id",
        (f"session/{session_id}/",),
    ).fetchall()
    assert all(wallet == "bridge" for _, wallet, _ in rows)
    return {label.removeprefix(f"session/{session_id}/"): json.loads(act) for label, _, act in rows}


def with_pool(exchange: Deployment) -> None:
    """Pool 42 after a block, as its row has it: 25 million USDC and 10,000 WETH."""
    exchange.database.execute(
        "INSERT INTO pools VALUES (42, %s, %s, 195562, 20443184931250000000, 25000000000000,"
        " 10000000000000000000000, 3215.5, 'x') ON CONFLICT DO NOTHING",
        (CHAIN_BLOCK, SQRT_PRICE_X96),
    )
