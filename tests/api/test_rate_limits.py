"""S34: how often one may ask, counted per principal."""

import pytest

from api.door.limits import RateLimits
from storage.settings import Settings
from tests.api.browsers import client, close_all
from tests.api.deployment import Deployment, error_of, small_order

READS = 60
ORDERS = 10
CANCELS = 10
PROBES = 120


def test_s34_one_request_too_many_is_429_with_the_time_to_wait(tight: Deployment) -> None:
    person = tight.person()
    answers = [person.get("/markets/BTC-PERP") for _ in range(READS)]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].headers["X-RateLimit-Limit"] == str(READS)
    left = [int(answer.headers["X-RateLimit-Remaining"]) for answer in answers]
    assert left == list(range(READS - 1, -1, -1))
    refused = person.get("/markets/BTC-PERP")
    assert error_of(refused) == (429, "RATE_LIMITED")
    assert 0 < int(refused.headers["Retry-After"]) <= 3_600


def test_s34_no_other_spelling_gets_around_the_limit(tight: Deployment) -> None:
    person = tight.person()
    for _ in range(READS):
        person.get("/time")
    spelled = ["/TIME", "/time/", "//time", "/time?x=1", "/time#a", "/%74ime", "/nothing"]
    assert {person.get(path).status_code for path in spelled} == {429}
    headers = person.headers | {"X-HTTP-Method-Override": "POST", "X-Forwarded-For": "10.9.8.7"}
    for method in ("GET", "HEAD", "OPTIONS"):
        assert tight.http.request(method, "/time", headers=headers).status_code == 429


def test_s34_orders_reads_and_writes_are_counted_apart(tight: Deployment) -> None:
    person = tight.person()
    answers = [person.post("/orders", small_order()).status_code for _ in range(ORDERS + 1)]
    assert answers == [202] * ORDERS + [429]
    assert person.delete("/orders").status_code == 202
    assert person.get("/orders").status_code == 200
    assert person.post("/deposits", {"asset": "USDC", "amount": "1"}).status_code == 201


def test_more_accounts_are_no_more_requests(tight: Deployment) -> None:
    person = tight.person()
    paper = person.opened(USDC="1000")
    answers = [
        one.post("/orders", small_order()).status_code
        for one in (person, paper) * (ORDERS // 2) + (person, paper)
    ]
    assert answers == [202] * ORDERS + [429] * 2


def test_s34_an_amendment_counts_as_an_order(tight: Deployment) -> None:
    person = tight.person()
    path = f"/orders/{person.post('/orders', small_order()).json()['orderId']}"
    answers = [person.patch(path, {"price": "59000"}).status_code for _ in range(ORDERS)]
    assert answers == [202] + [409] * (ORDERS - 2) + [429]
    assert person.delete(path).status_code == 202


def test_s34_a_batch_counts_as_its_orders(tight: Deployment) -> None:
    person = tight.person()
    batch = {"orders": [small_order()] * ORDERS}
    assert person.post("/orders/batch", batch).status_code == 202
    assert error_of(person.post("/orders", small_order())) == (429, "RATE_LIMITED")
    assert person.post("/orders/batch", {"orders": [small_order()] * 2}).status_code == 429


def test_a_batch_that_could_never_pass_is_told_the_most(tight: Deployment) -> None:
    person = tight.person()
    refused = person.post("/orders/batch", {"orders": [small_order()] * (ORDERS + 1)})
    assert error_of(refused) == (400, "INVALID_ORDER")
    assert refused.json()["error"]["details"]["most"] == ORDERS
    assert str(ORDERS) in refused.json()["error"]["message"]
    assert "Retry-After" not in refused.headers


def test_a_batch_that_has_to_wait_leaves_room_for_smaller_ones(tight: Deployment) -> None:
    person = tight.person()
    assert person.post("/orders", small_order()).status_code == 202
    assert person.post("/orders/batch", {"orders": [small_order()] * ORDERS}).status_code == 429
    assert person.post("/orders", small_order()).status_code == 202


@pytest.mark.parametrize(
    ("path", "requests"),
    [
        ("/markets/BTC-PERP/trades", 1),
        ("/markets/BTC-PERP/trades?limit=100", 1),
        ("/markets/BTC-PERP/trades?limit=101", 2),
        ("/markets/BTC-PERP/candles?limit=500", 5),
        ("/markets/BTC-PERP/orderbook", 1),
        ("/markets/BTC-PERP/orderbook?depth=100", 2),
        ("/orders?limit=500", 5),
        ("/simulations?limit=500", 5),
    ],
)
def test_a_page_counts_once_for_each_hundred_rows(
    path: str, requests: int, tight: Deployment
) -> None:
    left = tight.person().get(path).headers["X-RateLimit-Remaining"]
    assert int(left) == READS - requests


@pytest.mark.parametrize(
    ("path", "requests"),
    [
        ("/api/v1/transactions", 1),
        ("/api/v1/transactions?page_size=21", 2),
        ("/api/v1/transactions?page_size=100", 5),
        (f"/api/v1/transactions/address/0x{'11' * 20}?page_size=100", 5),
        ("/api/droids?limit=20", 1),
        ("/api/droids", 5),
    ],
)
def test_rows_that_are_dear_count_once_for_each_twenty(
    path: str, requests: int, tight: Deployment
) -> None:
    person = tight.person(role="OPERATOR")
    browser = client(tight, auth_token=person.token)
    token = browser.post("/api/user/token").json()["token"]
    if path.startswith("/api/v1"):
        answer = tight.http.get(path, headers={"authorization": f"Bearer {token}"})
    else:
        answer = browser.get(path)
    assert answer.status_code == 200
    assert int(answer.headers["X-RateLimit-Remaining"]) == READS - requests
    close_all()


def test_large_pages_are_429_when_small_ones_still_pass(tight: Deployment) -> None:
    person = tight.person()
    large = "/markets/BTC-PERP/trades?limit=500"
    answers = [person.get(large).status_code for _ in range(READS // 5 - 1)]
    assert {*answers} == {200}
    assert person.get("/time").status_code == 200
    assert error_of(person.get(large)) == (429, "RATE_LIMITED")
    assert person.get("/time").status_code == 200


def test_a_rate_below_a_page_lets_the_page_through() -> None:
    rates = RateLimits(Settings.load(read_rate="3/hour"))
    assert [rates.requests_of(rows) for rows in (1, 100, 101, 300, 500)] == [1, 1, 2, 3, 3]


def test_cancels_have_a_budget_of_their_own(tight: Deployment) -> None:
    person = tight.person()
    order_id = person.post("/orders", small_order()).json()["orderId"]
    orders = [person.post("/orders", small_order()).status_code for _ in range(ORDERS)]
    assert orders[-1] == 429
    assert person.delete(f"/orders/{order_id}").status_code == 202
    assert person.post("/account/cancel-after", {"timeoutMs": 1000}).status_code == 200
    cancels = [person.delete("/orders").status_code for _ in range(CANCELS - 1)]
    assert cancels == [202] * (CANCELS - 2) + [429]


def test_s34_one_users_limit_is_not_anothers(tight: Deployment) -> None:
    first, second = tight.person(), tight.person()
    for _ in range(READS + 1):
        first.get("/time")
    assert first.get("/time").status_code == 429
    assert second.get("/time").status_code == 200


def test_health_has_a_budget_of_its_own_and_leaves_the_others_alone(tight: Deployment) -> None:
    """Who asks too often is told so; who watches still sees when everything else is used up."""
    reader, watcher = tight.person(), tight.person()
    for _ in range(READS + 1):
        reader.get("/time")
    assert reader.get("/time").status_code == 429
    assert reader.get("/health").status_code == 200
    answers = [watcher.get(path) for _ in range(PROBES // 2) for path in ("/health", "/metrics")]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].headers["X-RateLimit-Limit"] == str(PROBES)
    for path in ("/health", "/metrics"):
        assert error_of(watcher.get(path)) == (429, "RATE_LIMITED")
    assert watcher.get("/time").status_code == 200


@pytest.mark.parametrize("path", ["/metrics", "/admin/drain"])
def test_operators_routes_want_a_token_where_the_server_is_open_to_the_world(
    path: str, tight: Deployment
) -> None:
    method = "POST" if path == "/admin/drain" else "GET"
    trader, admin = tight.person(), tight.person(role="ADMIN")
    assert tight.http.request(method, path).status_code == 401
    expected = {"/metrics": 200, "/admin/drain": 403}
    assert tight.http.request(method, path, headers=trader.headers).status_code == expected[path]
    tight.database.execute("DELETE FROM commands")
    assert tight.http.request(method, path, headers=admin.headers).status_code == 200
