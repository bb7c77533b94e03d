"""An order's own id, and a key that is used twice: what they belong to is told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from storage.servers.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.api.browsers import close_all, error_of
from tests.api.conftest import empty_database
from tests.api.deployment import DOCUMENTED_DROID, small_order
from tests.api.droid_owners import Owner, owner
from tests.api.trading_floor import Floor, trading_floor

SPOT = "ETH_USDC"
ORDER = {"market": SPOT, "side": "BUY", "orderType": "LIMIT", "quantity": 0.5, "price": 59.91}
TOGETHER = 8


@pytest.fixture(scope="module")
def traded(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, template_database: str, servers_dir: Path
) -> Iterator[Floor]:
    """An API process, and a spot market behind it."""
    urls = empty_database(postgres, template_database, "api_named_orders")
    with trading_floor(urls, valkey, servers_dir / "named_orders", SPOT) as floor:
        floor.mark_at(5_991, SPOT)
        yield floor


@pytest.fixture
def olga(traded: Floor) -> Iterator[Owner]:
    yield owner(traded.exchange, ETH="2")
    close_all()


def places(olga: Owner, key: str | None = None, **fields: object) -> httpx.Response:
    headers = {} if key is None else {"idempotency-key": key}
    return olga.http.post("/api/orders", json={**ORDER, **fields}, headers=headers)


def test_an_order_with_an_id_of_its_own_is_one_order(olga: Owner) -> None:
    with ThreadPoolExecutor(TOGETHER) as threads:
        answers = list(threads.map(lambda _: places(olga, clientOrderId="mine"), range(TOGETHER)))
    assert {answer.status_code for answer in answers} == {201}, answers[0].text
    (order_id,) = {answer.json()["order"]["orderId"] for answer in answers}
    (listed,) = olga.http.get("/api/orders").json()["orders"]
    assert (listed["orderId"], listed["clientOrderId"]) == (order_id, "mine")
    assert olga.person.get("/orders?clientOrderId=mine").json()[0]["orderId"] == order_id
    other = places(olga, clientOrderId="mine", price=59.9)
    assert error_of(other) == 409
    said = f"This clientOrderId belongs to another order: {order_id}"
    assert other.json() == {"error": said, "code": "409"}


def test_an_order_without_an_id_of_its_own_shows_none(olga: Owner) -> None:
    assert "clientOrderId" not in places(olga).json()["order"]


@pytest.mark.parametrize("sent", ["", "a" * 65, "\u00e9", 7])
def test_what_an_id_of_its_own_may_be(sent: object, olga: Owner) -> None:
    refused = places(olga, clientOrderId=sent)
    assert error_of(refused) == 400
    assert refused.json()["error"].startswith("clientOrderId: ")


def test_a_key_that_is_used_for_something_else_names_what_it_made(olga: Owner) -> None:
    order_id = places(olga, "first").json()["order"]["orderId"]
    reused = "This Idempotency-Key was used before"
    for answer in (places(olga, "first", price=59.9), makes(olga, "first")):
        assert error_of(answer) == 409
        assert answer.json()["error"].startswith(reused)
        assert answer.json()["error"].endswith(f": {order_id}")
    flux = olga.person.post("/orders", small_order(), key="first")
    assert flux.status_code == 409
    assert flux.json()["error"]["details"] == {"orderId": order_id}
    droid_id = makes(olga, "second").json()["id"]
    for answer in (makes(olga, "second", maxBots=4), places(olga, "second")):
        assert error_of(answer) == 409
        assert answer.json()["error"].endswith(f": droid {droid_id}")
    flux = olga.person.post("/orders", small_order(), key="second")
    assert flux.json()["error"]["details"] == {"droidId": droid_id}


def makes(olga: Owner, key: str, **fields: object) -> httpx.Response:
    headers = {"idempotency-key": key}
    return olga.http.post("/api/droids", json={**DOCUMENTED_DROID, **fields}, headers=headers)
