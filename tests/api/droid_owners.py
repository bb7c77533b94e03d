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


WALLET = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"


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


def with_rows(paddock: Deployment, droid_id: int, session_id: int) -> None:
    """What an actor has written: figures, an open and a closed position, two rows of history."""
    figures = {
        "status": "RUNNING", "note": None, "wallet_address": WALLET.lower(),
        "equity_usd": "50312.770", "fees_earned_usd": "341.1", "gas_spent_usd": "12.4",
        "impermanent_loss_usd": "-1.5",
    }  # fmt: skip
    paddock.database.execute(
        "INSERT INTO droid_states (session_id, epoch, block_number, revision, mind, figures)"
        " VALUES (%s, 1, %s, 1, '{}', %s)",
        (session_id, CHAIN_BLOCK, json.dumps(figures)),
    )
    for status, byte in (("ACTIVE", b"\1"), ("CLOSED", b"\2")):
        paddock.database.execute(
            "INSERT INTO droid_bots (droid_id, session_id, position_id, bucket, tick_lower,"
            " tick_upper, liquidity, status, opened_block)"
            " VALUES (%s, %s, %s, 325, 195000, 195600, 9928007477293465, %s, 1)",
            (droid_id, session_id, byte * 32, status),
        )
    for time_s, aum in ((1_777_622_400, 50_980_100_000), (1_777_626_000, 51_240_750_000)):
        paddock.database.execute(
            "INSERT INTO droid_history (droid_id, block_number, time_s, price, aum_quote_atoms,"
            " base_positions, quote_positions, wallet_wei)"
            " VALUES (%s, %s, %s, 3215.5, %s, 8420000000000000000, 24112300000,"
            " 180000000000000000)",
            (droid_id, CHAIN_BLOCK, time_s, aum),
        )
