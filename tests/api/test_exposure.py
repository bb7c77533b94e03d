"""S6, S35: nothing leaves that is not meant to, whatever goes wrong."""

import pytest

from tests.api.deployment import Deployment, Person, error_of, small_order

SECRETS = ("$argon2", "password_hash", "passwordHash", "BEGIN", "Traceback", "psycopg", "SELECT ")


def test_s6_no_response_shows_a_hash_a_statement_or_a_trace(
    exchange: Deployment, alice: Person
) -> None:
    secret = (exchange.data_dir / "auth.secret").read_text()
    credentials = {"email": "exposed@example.com", "password": "long-password"}
    alice.post("/orders", small_order())
    answers = [
        alice.post("/auth/register", credentials),
        alice.post("/auth/login", credentials),
        alice.post("/auth/login", credentials | {"password": "wrong-password"}),
        alice.post("/orders", {"marketId": "'; SELECT 1"}),
        alice.post("/deposits", {"asset": "'", "amount": "1"}),
        *[
            alice.get(path)
            for path in (
                "/balances",
                "/orders",
                "/positions",
                "/fills",
                "/ledger",
                "/markets",
                "/prices",
                "/health",
                "/openapi.json",
                "/nothing",
                "/api/droids",
                "/api/droids/pools",
                "/api/droids/'",
                "/api/devbe/data/'",
            )
        ],
    ]
    for answer in answers:
        assert answer.status_code < 500
        assert not [text for text in (*SECRETS, secret) if text in answer.text], answer.url


def test_s6_a_users_address_is_in_no_answer(exchange: Deployment) -> None:
    credentials = {"email": "private@example.com", "password": "long-password"}
    for path in ("/auth/register", "/auth/login"):
        assert "private@" not in exchange.http.post(path, json=credentials).text


def test_s35_a_crash_says_nothing_and_gets_an_id(exchange: Deployment, alice: Person) -> None:
    """A status that no code knows stands in a row: reading it is a bug, and must crash."""
    order_id = alice.post("/orders", small_order()).json()["orderId"]
    number = int(order_id.removeprefix("order_"))
    exchange.database.execute("UPDATE orders SET status = 99 WHERE id = %s", (number,))
    crashed = alice.get(f"/orders/{order_id}")
    assert error_of(crashed) == (500, "INTERNAL_ERROR")
    assert crashed.json()["error"]["message"] == "Something went wrong on our side"
    log = (exchange.data_dir / "api.log").read_text()
    assert crashed.headers["X-Request-Id"] in log
    assert alice.token not in log
    exchange.database.execute("UPDATE orders SET status = 1 WHERE id = %s", (number,))


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "DELETE", "FOO"])
def test_s35_a_method_that_is_not_known_is_405_or_400(method: str, exchange: Deployment) -> None:
    answer = exchange.http.request(method, "/markets")
    assert answer.status_code in (405, 400)
    if answer.status_code == 405:
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert error_of(answer) == (405, "METHOD_NOT_ALLOWED")


def test_every_method_of_a_path_is_allowed_by_name(exchange: Deployment) -> None:
    allowed = "DELETE, GET, HEAD, OPTIONS, POST"
    assert exchange.http.put("/orders").headers["Allow"] == allowed
    assert exchange.http.options("/orders").headers["Allow"] == allowed


@pytest.mark.parametrize("path", ["/nothing", "/orders/", "/ORDERS", "/apis", "/%00", "/..;/"])
def test_an_unknown_path_is_404_in_the_envelope(path: str, exchange: Deployment) -> None:
    assert error_of(exchange.http.get(path)) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/orders/", "/api/%00"])
def test_an_unknown_path_of_the_trading_app_is_404_in_its_envelope(
    path: str, exchange: Deployment
) -> None:
    answer = exchange.http.get(path)
    assert (answer.status_code, answer.json()) == (
        404,
        {"error": "There is nothing here", "code": "404"},
    )


def test_s35_a_foreign_origin_is_given_nothing(exchange: Deployment) -> None:
    answer = exchange.http.get("/markets", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("sent", ["abc-123", "x" * 64])
def test_a_request_id_is_kept(sent: str, exchange: Deployment) -> None:
    answer = exchange.http.get("/time", headers={"X-Request-Id": sent})
    assert answer.headers["X-Request-Id"] == sent


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", "<script>"])
def test_a_request_id_that_is_none_is_replaced(sent: str, exchange: Deployment) -> None:
    answer = exchange.http.get("/time", headers={"X-Request-Id": sent})
    assert answer.headers["X-Request-Id"] not in ("", sent)
