"""S13, S14: only our own tokens, in force, and roles as they are now."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from api.credentials.tokens import ALGORITHM, LEEWAY_S
from storage.servers.data_directory import secret
from tests.api.deployment import Deployment, Person, error_of
from tests.waiting import eventually


def segment(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def claims_of(person: Person) -> dict[str, Any]:
    return dict(jwt.decode(person.token, options={"verify_signature": False}))


def key_of(exchange: Deployment) -> bytes:
    return secret(exchange.data_dir / "auth.secret")


def status_with(exchange: Deployment, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    response = exchange.http.get("/balances", headers=headers)
    if response.status_code != 200:
        assert error_of(response) == (401, "UNAUTHENTICATED")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    return response.status_code


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_s13_an_unsigned_token_opens_nothing(
    name: str, exchange: Deployment, alice: Person
) -> None:
    unsigned = f"{segment({'alg': name, 'typ': 'JWT'})}.{segment(claims_of(alice))}."
    assert status_with(exchange, unsigned) == 401


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_s13_another_algorithm_with_our_key_opens_nothing(
    algorithm: str, exchange: Deployment, alice: Person
) -> None:
    token = jwt.encode(claims_of(alice), key_of(exchange) * 2, algorithm=algorithm)
    assert status_with(exchange, token) == 401


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../dev/null"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jku": "http://127.0.0.1/keys"},
        {"x5u": "http://127.0.0.1/cert"},
    ],
)
def test_s13_a_header_cannot_bring_its_own_key(
    header: dict[str, Any], exchange: Deployment, alice: Person
) -> None:
    token = jwt.encode(claims_of(alice), b"\0" * 32, algorithm=ALGORITHM, headers=header)
    assert status_with(exchange, token) == 401


def test_s13_no_flipped_bit_opens_anything(exchange: Deployment, alice: Person) -> None:
    assert status_with(exchange, alice.token) == 200
    for place in range(0, len(alice.token) - 1, 7):
        old = alice.token[place]
        new = "A" if old != "A" else "B"
        assert status_with(exchange, alice.token[:place] + new + alice.token[place + 1 :]) == 401


@pytest.mark.parametrize(
    "token", ["x", "..", "a.b.c", "x" * 5_000, f"{'e30.' * 50}", "eyJhbGciOiJIUzI1NiJ9.e30."]
)
def test_s13_what_is_no_token_opens_nothing(token: str, exchange: Deployment) -> None:
    assert status_with(exchange, token) == 401


@pytest.mark.parametrize(
    "header", ["Basic YTpi", "bearer", "Bearer", "Token {}", "{}", "Bearer {} {}", "Bearer,{}"]
)
def test_s13_another_form_of_the_header_opens_nothing(
    header: str, exchange: Deployment, alice: Person
) -> None:
    headers = {"Authorization": header.replace("{}", alice.token).strip()}
    assert exchange.http.get("/balances", headers=headers).status_code == 401


def test_s13_two_credentials_are_none(exchange: Deployment, alice: Person) -> None:
    headers = [("Authorization", f"Bearer {alice.token}")] * 2
    assert exchange.http.get("/balances", headers=headers).status_code == 401


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "expired": lambda claims: claims.update(exp=int(time.time()) - LEEWAY_S),
    "not yet": lambda claims: claims.update(nbf=int(time.time()) + 60),
    "of tomorrow": lambda claims: claims.update(iat=int(time.time()) + 60),
    "wrong audience": lambda claims: claims.update(aud="elsewhere"),
    "wrong issuer": lambda claims: claims.update(iss="elsewhere"),
    "refresh token": lambda claims: claims.update(typ="refresh"),
    "no subject": lambda claims: claims.pop("sub"),
    "no expiry": lambda claims: claims.pop("exp"),
    "no id": lambda claims: claims.pop("jti"),
    "no type": lambda claims: claims.pop("typ"),
    "subject is a number": lambda claims: claims.update(sub="1000"),
    "subject is too large": lambda claims: claims.update(sub="user_9999999999999999999"),
    "subject is nobody": lambda claims: claims.update(sub="user_999999999"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_s14_a_token_of_ours_needs_every_claim_right(
    name: str, exchange: Deployment, alice: Person
) -> None:
    claims = claims_of(alice)
    CHANGES[name](claims)
    token = jwt.encode(claims, key_of(exchange), algorithm=ALGORITHM)
    assert status_with(exchange, token) == 401


@pytest.mark.parametrize("early_s", [-4, 3])
def test_s14_clocks_may_differ_a_little(early_s: int, exchange: Deployment, alice: Person) -> None:
    now = int(time.time())
    ahead = claims_of(alice) | {"iat": now + early_s, "nbf": now + early_s, "exp": now + early_s}
    token = jwt.encode(ahead, key_of(exchange), algorithm=ALGORITHM)
    assert status_with(exchange, token) == 200


def test_missing_invalid_and_expired_read_unlike(exchange: Deployment, alice: Person) -> None:
    claims = claims_of(alice) | {"exp": int(time.time()) - 60}
    tokens = {
        "MISSING": None,
        "INVALID": alice.token[:-8] + "AAAAAAAA",
        "EXPIRED": jwt.encode(claims, key_of(exchange), algorithm=ALGORITHM),
    }
    messages = set()
    for reason, token in tokens.items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        refused = exchange.http.get("/balances", headers=headers)
        assert error_of(refused) == (401, "UNAUTHENTICATED")
        assert refused.json()["error"]["details"] == {"reason": reason}
        challenge = refused.headers["WWW-Authenticate"]
        message = refused.json()["error"]["message"]
        described = f'Bearer error="invalid_token", error_description="{message}"'
        assert challenge == (described if token else "Bearer")
        messages.add(message)
    assert len(messages) == 3


def test_a_forged_token_is_never_called_expired(exchange: Deployment, alice: Person) -> None:
    claims = claims_of(alice) | {"exp": int(time.time()) - 60}
    forged = jwt.encode(claims, b"\0" * 32, algorithm=ALGORITHM)
    refused = exchange.http.get("/balances", headers={"Authorization": f"Bearer {forged}"})
    assert refused.json()["error"]["details"] == {"reason": "INVALID"}


def test_s14_a_token_lives_fifteen_minutes_and_says_so(exchange: Deployment) -> None:
    credentials = {"email": "claims@example.com", "password": "long-password"}
    exchange.http.post("/auth/register", json=credentials)
    login = exchange.http.post("/auth/login", json=credentials).json()
    claims = jwt.decode(login["token"], options={"verify_signature": False})
    assert set(claims) == {"iss", "aud", "sub", "iat", "nbf", "exp", "jti", "typ"}
    assert claims["exp"] - claims["iat"] == login["expiresIn"] == 900
    assert claims["sub"] == login["userId"]


def test_s14_a_demoted_users_live_token_is_worth_less_at_once(
    exchange: Deployment, alice: Person
) -> None:
    assert alice.post("/deposits", {"asset": "USDC", "amount": "1"}).status_code == 201
    change = "UPDATE users SET role = %s WHERE id = %s"
    exchange.database.execute(change, ("VIEWER", alice.user_id))
    assert error_of(alice.post("/deposits", {"asset": "USDC", "amount": "1"})) == (
        403,
        "FORBIDDEN",
    )
    assert alice.get("/balances").status_code == 200
    exchange.database.execute(change, ("PENDING", alice.user_id))
    assert error_of(alice.get("/balances")) == (403, "FORBIDDEN")


def test_s14_a_disabled_users_live_token_opens_nothing(exchange: Deployment, alice: Person) -> None:
    change = "UPDATE users SET status = 'DISABLED' WHERE id = %s"
    exchange.database.execute(change, (alice.user_id,))
    assert status_with(exchange, alice.token) == 401


def test_s14_an_expired_token_is_no_longer_remembered(tight: Deployment) -> None:
    claims: dict[str, Any] = {
        "sub": "user_1",
        "iss": "sandpit",
        "aud": "sandpit",
        "typ": "access",
        "jti": "x",
    }
    now = int(time.time())
    tokens = tight.tokens
    person = tight.person()
    claims |= {"sub": person.name, "iat": now, "nbf": now, "exp": now + 2 - LEEWAY_S}
    token = jwt.encode(claims, secret(tight.data_dir / "auth.secret"), algorithm=ALGORITHM)
    assert tokens.verify(token) is not None
    headers = {"Authorization": f"Bearer {token}"}
    assert tight.http.get("/balances", headers=headers).status_code == 200
    eventually(lambda: tight.http.get("/balances", headers=headers).status_code == 401, 5)
