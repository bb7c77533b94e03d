"""S20, S21: API keys: shown once, hashed, limited by scope, dead when revoked."""

from typing import Any

import httpx
import pytest

from storage.people.api_keys import API_KEYS_MAX
from tests.api.deployment import Deployment, Person, error_of, small_order
from tests.builders import waiting_simulation
from tests.waiting import eventually

NEVER_SEEN = "sandpit_000000000000_" + "A" * 43


def make(person: Person, *scopes: str, **more: Any) -> dict[str, Any]:
    wish = {"name": "bot", "scopes": list(scopes)} | more
    answer = person.post("/auth/api-keys", wish)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def ask(exchange: Deployment, key: str, method: str, path: str, json: Any = None) -> httpx.Response:
    return exchange.http.request(method, path, json=json, headers={"X-API-Key": key})


def secret_of(key: str) -> str:
    """What follows the prefix; it may have underscores of its own."""
    return key.split("_", 2)[2]


@pytest.fixture
def key(alice: Person) -> str:
    return str(make(alice, "read", "trade")["key"])


def test_a_key_trades_and_looks_as_its_user(exchange: Deployment, alice: Person, key: str) -> None:
    placed = ask(exchange, key, "POST", "/orders", small_order())
    assert placed.status_code == 202
    order = ask(exchange, key, "GET", f"/orders/{placed.json()['orderId']}").json()
    assert order["userId"] == alice.name
    assert ask(exchange, key, "DELETE", "/orders").json()["requested"] == 1
    assert ask(exchange, key, "GET", "/balances").json() == alice.get("/balances").json()


def test_s20_a_key_is_shown_once_and_kept_as_a_hash(exchange: Deployment, alice: Person) -> None:
    made = make(alice, "trade", name="market maker", expiresInS=60)
    listed = alice.get("/auth/api-keys").json()
    assert listed == [{name: value for name, value in made.items() if name != "key"}]
    assert listed[0]["name"] == "market maker"
    assert made["key"].startswith(made["prefix"] + "_")
    assert listed[0]["expiresAt"] - listed[0]["createdAt"] in range(59_000, 61_000)
    row = exchange.database.execute(
        "SELECT api_keys::text FROM api_keys WHERE user_id = %s", (alice.user_id,)
    ).fetchone()
    assert row is not None
    assert secret_of(made["key"]) not in row[0]


READS = [("GET", "/balances"), ("GET", "/orders"), ("GET", "/orders/order_1"), ("GET", "/ledger")]
TRADES = [
    ("POST", "/orders"),
    ("POST", "/orders/batch"),
    ("DELETE", "/orders"),
    ("DELETE", "/orders/order_1"),
    ("POST", "/deposits"),
    ("POST", "/account/cancel-after"),
]
BODIES: dict[str, Any] = {
    "/orders": small_order(),
    "/orders/batch": {"orders": [small_order()]},
    "/deposits": {"asset": "USDC", "amount": "1"},
    "/account/cancel-after": {"timeoutMs": 0},
}


@pytest.mark.parametrize(("scope", "closed"), [("read", TRADES), ("trade", READS)])
def test_a_scope_opens_only_what_it_names(
    scope: str, closed: list[tuple[str, str]], exchange: Deployment, alice: Person
) -> None:
    key = make(alice, scope)["key"]
    for method, path in READS + TRADES:
        body = BODIES.get(path) if method == "POST" else None
        answer = ask(exchange, key, method, path, body)
        if (method, path) in closed:
            assert error_of(answer) == (403, "FORBIDDEN"), path
        else:
            assert answer.status_code in (200, 201, 202, 404), answer.text


def test_s20_a_revoked_key_is_dead_at_once(exchange: Deployment, alice: Person) -> None:
    made = make(alice, "read")
    assert ask(exchange, made["key"], "GET", "/balances").status_code == 200
    revoked = alice.delete(f"/auth/api-keys/{made['id']}")
    assert (revoked.status_code, revoked.json()["status"]) == (200, "REVOKED")
    assert error_of(ask(exchange, made["key"], "GET", "/balances")) == (401, "UNAUTHENTICATED")
    assert alice.get("/auth/api-keys").json() == []
    again = alice.delete(f"/auth/api-keys/{made['id']}")
    assert error_of(again) == (404, "API_KEY_NOT_FOUND")


def test_s20_a_key_that_another_process_revoked_is_dead_within_seconds(
    exchange: Deployment, alice: Person, key: str
) -> None:
    assert ask(exchange, key, "GET", "/balances").status_code == 200
    exchange.database.execute("DELETE FROM api_keys WHERE user_id = %s", (alice.user_id,))
    eventually(lambda: ask(exchange, key, "GET", "/balances").status_code == 401, 5)


def test_a_disabled_users_keys_are_dead_at_once(
    exchange: Deployment, alice: Person, key: str
) -> None:
    assert ask(exchange, key, "GET", "/balances").status_code == 200
    change = "UPDATE users SET status = 'DISABLED' WHERE id = %s"
    exchange.database.execute(change, (alice.user_id,))
    for method, path, body in (
        ("GET", "/balances", None),
        ("GET", "/orders/order_1", None),
        ("POST", "/orders", small_order()),
    ):
        assert error_of(ask(exchange, key, method, path, body)) == (401, "UNAUTHENTICATED")


def test_a_demoted_users_key_is_worth_less_at_once(
    exchange: Deployment, alice: Person, key: str
) -> None:
    change = "UPDATE users SET role = 'VIEWER' WHERE id = %s"
    exchange.database.execute(change, (alice.user_id,))
    refused = ask(exchange, key, "POST", "/orders", small_order())
    assert error_of(refused) == (403, "FORBIDDEN")


def test_an_expired_key_says_so(exchange: Deployment, alice: Person, key: str) -> None:
    exchange.database.execute(
        "UPDATE api_keys SET expires_at_us = 1 WHERE user_id = %s", (alice.user_id,)
    )
    refused = ask(exchange, key, "GET", "/balances")
    assert error_of(refused) == (401, "UNAUTHENTICATED")
    assert refused.json()["error"]["details"] == {"reason": "EXPIRED"}
    assert "expired" in refused.json()["error"]["message"]


@pytest.mark.parametrize("text", ["", "x", NEVER_SEEN, "sandpit_", "x" * 5_000, "sandpit_é"])
def test_what_is_no_key_of_ours_is_401(text: str, exchange: Deployment) -> None:
    headers = {b"X-API-Key": text.encode("latin-1")}
    refused = exchange.http.get("/balances", headers=headers)
    assert error_of(refused) == (401, "UNAUTHENTICATED")
    assert refused.json()["error"]["details"] == {"reason": "INVALID"}


def test_a_key_with_another_secret_is_401_also_while_the_right_one_is_remembered(
    exchange: Deployment, key: str
) -> None:
    assert ask(exchange, key, "GET", "/balances").status_code == 200
    for place in (-1, -20, -43):
        changed = list(key)
        changed[place] = "A" if changed[place] != "A" else "B"
        assert ask(exchange, "".join(changed), "GET", "/balances").status_code == 401


@pytest.mark.parametrize("which", ["good and good", "bad and good", "good and bad"])
def test_s21_two_kinds_of_credentials_are_400(
    which: str, exchange: Deployment, alice: Person, key: str
) -> None:
    bearer, api_key = which.split(" and ")
    headers = {
        "Authorization": f"Bearer {alice.token if bearer == 'good' else 'x'}",
        "X-API-Key": key if api_key == "good" else "x",
    }
    for path in ("/balances", "/markets", "/nothing"):
        assert error_of(exchange.http.get(path, headers=headers)) == (400, "INVALID_REQUEST")


def test_s21_two_keys_are_none(exchange: Deployment, key: str) -> None:
    headers = [("X-API-Key", key)] * 2
    assert exchange.http.get("/balances", headers=headers).status_code == 401


def test_a_key_neither_makes_keys_nor_logs_in_nor_administers(
    exchange: Deployment, alice: Person, key: str
) -> None:
    exchange.database.execute("UPDATE users SET role = 'ADMIN' WHERE id = %s", (alice.user_id,))
    made = alice.get("/auth/api-keys").json()[0]
    credentials = {"email": "bykey@example.com", "password": "long-password"}
    for method, path, body in (
        ("POST", "/auth/api-keys", {"name": "more", "scopes": ["read"]}),
        ("GET", "/auth/api-keys", None),
        ("DELETE", f"/auth/api-keys/{made['id']}", None),
        ("POST", "/auth/login", credentials),
        ("POST", "/auth/register", credentials),
        ("POST", "/auth/guest", None),
        ("POST", "/auth/refresh", {"refreshToken": "sr_x"}),
        ("POST", "/auth/logout", {"refreshToken": "sr_x"}),
        ("POST", "/admin/drain", None),
    ):
        assert error_of(ask(exchange, key, method, path, body)) == (403, "FORBIDDEN"), path


def test_an_admins_key_sees_no_more_than_a_traders(
    exchange: Deployment, alice: Person, bob: Person, key: str
) -> None:
    exchange.database.execute("UPDATE users SET role = 'ADMIN' WHERE id = %s", (alice.user_id,))
    theirs = f"simulation_{waiting_simulation(exchange.database, bob.user_id)}"
    assert alice.get(f"/simulations/{theirs}").status_code == 200
    assert ask(exchange, key, "GET", f"/simulations/{theirs}").status_code == 404
    exchange.database.execute("DELETE FROM simulations")


def test_a_user_has_a_bounded_number_of_keys(alice: Person) -> None:
    for _ in range(API_KEYS_MAX):
        make(alice, "read")
    refused = alice.post("/auth/api-keys", {"name": "one more", "scopes": ["read"]})
    assert error_of(refused) == (409, "TOO_MANY_API_KEYS")
    assert str(API_KEYS_MAX) in refused.json()["error"]["message"]
    oldest = alice.get("/auth/api-keys").json()[-1]["id"]
    assert alice.delete(f"/auth/api-keys/{oldest}").status_code == 200
    make(alice, "read")


def test_anothers_key_and_a_missing_one_are_the_same_bytes(alice: Person, bob: Person) -> None:
    made = make(alice, "read")
    theirs, missing = bob.delete(f"/auth/api-keys/{made['id']}"), bob.delete("/auth/api-keys/x")
    assert error_of(theirs) == (404, "API_KEY_NOT_FOUND")
    assert theirs.content == missing.content
    assert bob.get("/auth/api-keys").json() == []
    assert len(alice.get("/auth/api-keys").json()) == 1


@pytest.mark.parametrize(
    "wish",
    [
        {"scopes": ["read"]},
        {"name": "", "scopes": ["read"]},
        {"name": "x" * 65, "scopes": ["read"]},
        {"name": "x"},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["admin"]},
        {"name": "x", "scopes": ["read"] * 3},
        {"name": "x", "scopes": ["read"], "expiresInS": 0},
        {"name": "x", "scopes": ["read"], "expiresInS": 10**12},
        {"name": "x", "scopes": ["read"], "userId": 1},
    ],
)
def test_s5_a_wish_that_is_not_valid_is_400(wish: dict[str, Any], alice: Person) -> None:
    assert alice.post("/auth/api-keys", wish).status_code == 400


def test_the_last_use_is_told_coarsely(exchange: Deployment, alice: Person, key: str) -> None:
    assert "lastUsedAt" not in alice.get("/auth/api-keys").json()[0]
    ask(exchange, key, "GET", "/balances")
    used = alice.get("/auth/api-keys").json()[0]["lastUsedAt"]
    for _ in range(3):
        ask(exchange, key, "GET", "/balances")
    assert alice.get("/auth/api-keys").json()[0]["lastUsedAt"] == used


def test_a_key_counts_as_its_user(tight: Deployment) -> None:
    person = tight.person()
    key = make(person, "read", "trade")["key"]
    answers = [
        tight.http.post("/orders", json=small_order(), headers=headers).status_code
        for headers in [{"X-API-Key": key}, person.headers] * 6
    ]
    assert answers == [202] * 10 + [429] * 2


def test_s40_neither_keys_nor_tokens_are_written_into_the_log(
    exchange: Deployment, alice: Person, key: str
) -> None:
    """A row that cannot be read is a crash, and that is logged."""
    order_id = ask(exchange, key, "POST", "/orders", small_order()).json()["orderId"]
    number = int(order_id.removeprefix("order_"))
    exchange.database.execute("UPDATE orders SET status = 99 WHERE id = %s", (number,))
    crashed = ask(exchange, key, "GET", f"/orders/{order_id}")
    exchange.database.execute("UPDATE orders SET status = 1 WHERE id = %s", (number,))
    credentials = {"email": "canary@example.com", "password": "long-password"}
    exchange.http.post("/auth/register", json=credentials)
    login = exchange.http.post("/auth/login", json=credentials).json()
    exchange.http.post("/auth/refresh", json={"refreshToken": login["refreshToken"]})
    log = (exchange.data_dir / "api.log").read_text()
    assert crashed.headers["X-Request-Id"] in log
    for canary in (key, secret_of(key), login["refreshToken"], login["token"]):
        assert canary not in log
