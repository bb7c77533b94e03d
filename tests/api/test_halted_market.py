"""A halted market is told everywhere, refuses with the reason, and stands in nobody's way."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.deployment import Deployment, Person, error_of, small_order
from tests.waiting import eventually

REASON = "positions do not sum to zero"
HALT = """
UPDATE markets SET status = 3, halt_reason = %s, takes_cancels = %s WHERE market_id = 'ETH-PERP'"""
OPEN = """
UPDATE markets SET status = 1, halt_reason = NULL, takes_cancels = true
WHERE market_id = 'ETH-PERP'"""
ETH = small_order(marketId="ETH-PERP", price="59", quantity="1")


@pytest.fixture
def placed(exchange: Deployment, alice: Person) -> str:
    """An order that waits in ETH-PERP."""
    return str(alice.post("/orders", ETH).json()["orderId"])


@pytest.fixture
def halted(exchange: Deployment, placed: str) -> Iterator[None]:
    exchange.database.execute(HALT, (REASON, False))
    yield
    exchange.database.execute(OPEN)


def details(response: Any) -> Any:
    return response.json()["error"]["details"]


@pytest.mark.usefixtures("halted")
def test_the_listing_shows_why_within_a_second(exchange: Deployment) -> None:
    def shown() -> Any:
        found = exchange.http.get("/markets/ETH-PERP").json()
        return found["status"] == "HALTED" and found["haltReason"] == REASON

    eventually(shown)
    other, eth, _ = exchange.http.get("/markets").json()
    assert (other["status"], "haltReason" in other) == ("ACTIVE", False)
    assert (eth["status"], eth["haltReason"]) == ("HALTED", REASON)


@pytest.mark.usefixtures("halted")
def test_an_order_is_refused_with_the_reason_and_the_others_of_its_batch_are_not(
    alice: Person,
) -> None:
    refused = alice.post("/orders", ETH)
    assert error_of(refused) == (409, "MARKET_HALTED")
    assert details(refused) == {"marketId": "ETH-PERP", "haltReason": REASON}
    assert REASON in refused.json()["error"]["message"]
    first, second = alice.post("/orders/batch", {"orders": [ETH, small_order()]}).json()["results"]
    assert first["error"]["code"] == "MARKET_HALTED"
    assert second["status"] == "PENDING"


def test_a_cancel_that_would_not_be_done_is_refused(
    exchange: Deployment, alice: Person, placed: str, halted: None
) -> None:
    alice.post("/orders", small_order())
    assert error_of(alice.delete(f"/orders/{placed}")) == (409, "MARKET_HALTED")
    assert error_of(alice.delete("/orders?marketId=ETH-PERP")) == (409, "MARKET_HALTED")
    everywhere = alice.delete("/orders")
    assert everywhere.json() == {
        "requested": 1,
        "status": "PENDING_CANCEL",
        "haltedMarkets": ["ETH-PERP"],
    }
    asked = "SELECT market_id FROM commands WHERE account_id = %s AND order_id IN (0, %s)"
    number = int(placed.removeprefix("order_"))
    commands = exchange.database.execute(asked, (alice.user_id, number)).fetchall()
    assert sorted(commands) == [("BTC-PERP",), ("ETH-PERP",)]  # the placing, and BTC's cancel
    assert error_of(alice.delete("/orders/order_999999999")) == (404, "ORDER_NOT_FOUND")


def test_a_halted_market_whose_actor_does_cancels_takes_them(
    exchange: Deployment, alice: Person, placed: str, halted: None
) -> None:
    exchange.database.execute(HALT, (REASON, True))
    assert alice.delete(f"/orders/{placed}").status_code == 202
    assert alice.delete("/orders").json() == {"requested": 1, "status": "PENDING_CANCEL"}


@pytest.mark.usefixtures("halted")
def test_health_is_degraded_and_metrics_name_the_market(exchange: Deployment) -> None:
    health = exchange.http.get("/health")
    assert health.status_code == 200
    assert health.json() == {
        "ok": True,
        "status": "degraded",
        "checks": {"database": "up"},
        "haltedMarkets": {"ETH-PERP": REASON},
    }
    metrics = exchange.metrics()
    assert 'sandpit_market_halted{market="ETH-PERP"} 1.0' in metrics
    assert 'sandpit_market_halted{market="BTC-PERP"} 0.0' in metrics
    exchange.database.execute(OPEN)
    assert exchange.http.get("/health").json()["status"] == "ok"
    assert 'sandpit_market_halted{market="ETH-PERP"} 0.0' in exchange.metrics()


@pytest.mark.usefixtures("halted")
def test_drain_waits_for_the_markets_that_go_on_and_names_the_other(exchange: Deployment) -> None:
    exchange.database.execute("UPDATE commands SET command_seq = -id WHERE market_id = 'BTC-PERP'")
    drained = exchange.http.post("/admin/drain")
    assert drained.status_code == 200
    assert drained.json() == {"processed": 0, "haltedMarkets": {"ETH-PERP": REASON}}
