"""PATCH of an open order: from what is asked to what stands in the book, and what it reserves.

ETH-PERP: an order to buy 0.1 at 59.91 at leverage 10 reserves 0.5991 of margin and 0.0029955 of
fee, each rounded up: 0.602096."""

from typing import Any

import pytest

from api.flux.envelope import error_body
from api.flux.refusal_examples import KEY_REUSED
from tests.api.deployment import Person, error_of
from tests.api.trading_floor import Floor, money, order_of, placed, seen, stop


def amended(floor: Floor, person: Person, order_id: str, **wish: str) -> None:
    """Accepted, and done or not."""
    answer = person.patch(f"/orders/{order_id}", wish)
    assert answer.status_code == 202, answer.text
    assert answer.json() == {"orderId": order_id, "status": "PENDING_AMEND"}
    floor.settled()


def met_first(floor: Floor, *people: Person) -> list[str]:
    """Whose orders a sale of 0.1 at 59.91 meets first."""
    taker = floor.person()
    seen(taker, placed(taker, side="SELL", quantity="0.1"), status="FILLED")
    floor.settled()
    return [person.name for person in people if person.get("/fills").json()]


def test_less_keeps_the_place_in_the_book_and_gives_back_its_share(floor: Floor) -> None:
    first, second = floor.person(), floor.person()
    order_id = placed(first, quantity="0.2")
    seen(first, order_id, status="OPEN")
    seen(second, placed(second), status="OPEN")
    assert money(first)["locked"] == "1.204191"
    amended(floor, first, order_id, quantity="0.1")
    seen(first, order_id, quantity="0.1", remainingQuantity="0.1", status="OPEN")
    assert money(first)["locked"] == "0.602096"
    assert met_first(floor, first, second) == [first.name]
    seen(first, order_id, status="FILLED")


def test_more_loses_the_place_in_the_book_and_reserves_for_it(floor: Floor) -> None:
    first, second = floor.person(), floor.person()
    order_id = placed(first)
    seen(first, order_id, status="OPEN")
    seen(second, placed(second), status="OPEN")
    amended(floor, first, order_id, quantity="0.2")
    seen(first, order_id, quantity="0.2", status="OPEN")
    assert money(first)["locked"] == "1.204191"
    assert met_first(floor, first, second) == [second.name]


def test_another_price_is_what_stands_in_the_book_and_reserves_as_such(floor: Floor) -> None:
    alice = floor.person()
    order_id = placed(alice)
    seen(alice, order_id, status="OPEN")
    amended(floor, alice, order_id, price="58")
    seen(alice, order_id, price="58", quantity="0.1", status="OPEN")
    assert money(alice)["locked"] == floor.reserved(order_id) == "0.5829"
    bids = floor.exchange.http.get("/markets/ETH-PERP/orderbook").json()["bids"]
    assert [(level["price"], level["quantity"]) for level in bids] == [("58", "0.1")]
    amended(floor, alice, order_id, price="61", quantity="0.3")
    # 0.3 at 61: 1.83 of margin, 0.00915 of fee, and 0.327 that it loses against mark at 59.91
    assert money(alice)["locked"] == floor.reserved(order_id) == "2.16615"


def test_less_at_a_dearer_price_reserves_for_that(floor: Floor) -> None:
    alice = floor.person()
    order_id = placed(alice, quantity="0.3")
    seen(alice, order_id, status="OPEN")
    amended(floor, alice, order_id, price="61", quantity="0.2")
    # 0.2 at 61: 1.22 of margin, 0.0061 of fee, and 0.218 that it loses against mark at 59.91
    assert money(alice)["locked"] == floor.reserved(order_id) == "1.4441"


def test_what_is_filled_stays_and_the_quantity_counts_with_it(floor: Floor) -> None:
    alice, bob = floor.person(), floor.person()
    order_id = placed(alice, quantity="0.5")
    seen(alice, order_id, status="OPEN")
    placed(bob, side="SELL", quantity="0.2")
    seen(alice, order_id, filledQuantity="0.2")
    refused = alice.patch(f"/orders/{order_id}", {"quantity": "0.2"})
    assert error_of(refused) == (400, "INVALID_ORDER")
    assert refused.json()["error"]["message"] == (
        "quantity 0.2 is too little: 0.2 of the order is filled, which counts with it; the nearest"
        " valid value is 0.21"
    )
    assert refused.json()["error"]["details"] == {
        "field": "quantity",
        "nearest": "0.21",
        "step": "0.01",
        "filled": "0.2",
    }
    amended(floor, alice, order_id, quantity="0.21")
    seen(alice, order_id, quantity="0.21", remainingQuantity="0.01", status="PARTIALLY_FILLED")


def test_what_the_account_cannot_carry_is_refused_and_changes_nothing(floor: Floor) -> None:
    poor = floor.person("1")
    order_id = placed(poor)
    refused = poor.patch(f"/orders/{order_id}", {"quantity": "0.2"})
    assert error_of(refused) == (400, "INSUFFICIENT_MARGIN")
    assert money(poor)["locked"] == "0.602096"
    amended(floor, poor, order_id, quantity="0.16")
    assert money(poor)["locked"] == "0.963353"


def test_what_the_market_does_not_do_is_told_and_gives_all_of_it_back(floor: Floor) -> None:
    alice, bob = floor.person(), floor.person()
    seen(bob, placed(bob, side="SELL", price="60.5"), status="OPEN")
    order_id = placed(alice, postOnly=True)
    seen(alice, order_id, status="OPEN")
    amended(floor, alice, order_id, price="60.5", quantity="0.4")
    told = seen(alice, order_id, price="59.91", quantity="0.1", status="OPEN")
    assert told["amendRejectionReason"] == "POST_ONLY_WOULD_TAKE"
    assert money(alice)["locked"] == "0.602096"
    amended(floor, alice, order_id, price="60.4")
    assert "amendRejectionReason" not in order_of(alice, order_id)


def told_everywhere(person: Person, order_id: str) -> dict[str, Any]:
    """The one order of a person, which is the same by itself and in each list."""
    told = order_of(person, order_id)
    for query in ("", "?open=true", "?marketId=ETH-PERP", f"?clientOrderId={person.name}"):
        assert person.get(f"/orders{query}").json() == [told]
    return told


def test_one_refused_amendment_is_told_from_the_next(floor: Floor) -> None:
    alice, bob = floor.person(), floor.person()
    seen(bob, placed(bob, side="SELL", price="60.5"), status="OPEN")
    order_id = placed(alice, postOnly=True, clientOrderId=alice.name)
    last = seen(alice, order_id, status="OPEN")
    assert "amendPending" not in last
    for _ in range(2):
        floor.house.close()
        assert alice.patch(f"/orders/{order_id}", {"price": "60.5"}).status_code == 202
        assert told_everywhere(alice, order_id) == {
            **{name: value for name, value in last.items() if name != "amendRejectionReason"},
            "amendPending": True,
        }
        floor.house.open()
        floor.settled()
        refused = told_everywhere(alice, order_id)
        assert refused["amendRejectionReason"] == "POST_ONLY_WOULD_TAKE"
        assert "amendPending" not in refused
        assert refused["updatedAt"] > last["updatedAt"]
        last = refused


def test_an_order_that_no_market_has_met_yet_is_amended_too(floor: Floor) -> None:
    alice = floor.person()
    floor.house.close()
    order_id = placed(alice)
    body = {"price": "59", "quantity": "0.2"}
    assert alice.patch(f"/orders/{order_id}", body).status_code == 202
    assert order_of(alice, order_id)["status"] == "PENDING"
    again = alice.patch(f"/orders/{order_id}", {"price": "58"})
    assert error_of(again) == (409, "AMENDMENT_UNDER_WAY")
    floor.house.open()
    seen(alice, order_id, status="OPEN", price="59", quantity="0.2")
    floor.settled()
    assert money(alice)["locked"] == "1.1859"


def test_nobody_elses_order_and_none_that_has_ended_is_amended(floor: Floor) -> None:
    alice, bob = floor.person(), floor.person()
    order_id = placed(alice)
    assert error_of(bob.patch(f"/orders/{order_id}", {"price": "58"})) == (404, "ORDER_NOT_FOUND")
    alice.delete(f"/orders/{order_id}")
    seen(alice, order_id, status="CANCELLED")
    assert error_of(alice.patch(f"/orders/{order_id}", {"price": "58"})) == (409, "ORDER_NOT_OPEN")


def test_an_amendment_that_comes_too_late_leaves_nothing_locked(floor: Floor) -> None:
    alice, bob = floor.person(), floor.person()
    order_id = placed(alice)
    seen(alice, order_id, status="OPEN")
    floor.house.close()
    placed(bob, side="SELL")
    assert alice.patch(f"/orders/{order_id}", {"quantity": "0.5"}).status_code == 202
    floor.house.open()
    seen(alice, order_id, status="FILLED", quantity="0.1")
    floor.settled()
    told = order_of(alice, order_id)
    assert told["amendRejectionReason"] == "ORDER_NOT_OPEN"
    assert (told["status"], told["filledQuantity"]) == ("FILLED", "0.1")
    assert money(alice)["locked"] == "0"


def test_what_trades_on_the_way_does_not_change_what_the_order_is_for(floor: Floor) -> None:
    alice, bob = floor.person(), floor.person()
    order_id = placed(alice, quantity="0.5")
    seen(alice, order_id, status="OPEN")
    floor.house.close()
    placed(bob, side="SELL", quantity="0.3")
    body = {"quantity": "0.6", "price": "58"}
    assert alice.patch(f"/orders/{order_id}", body).status_code == 202
    floor.house.open()
    seen(alice, order_id, quantity="0.6", filledQuantity="0.3", price="58")
    floor.settled()
    assert floor.reserved(order_id) == money(alice)["locked"] == "1.7487"  # 0.3 at 58


def test_the_same_key_is_the_same_amendment(floor: Floor) -> None:
    alice = floor.person()
    order_id = placed(alice)
    headers = alice.headers | {"Idempotency-Key": "once"}
    path = f"/orders/{order_id}"
    for price in ("58", "58.0", "058.00"):
        answer = alice.http.patch(path, json={"price": price}, headers=headers)
        assert answer.status_code == 202
        floor.settled()
    elsewhere = f"/orders/{placed(alice)}"
    for other, price in ((path, "57"), (elsewhere, "58")):
        refused = alice.http.patch(other, json={"price": price}, headers=headers)
        assert (refused.status_code, refused.json()) == (409, error_body(*KEY_REUSED))
    assert KEY_REUSED[1] == "This Idempotency-Key was used before for another request"
    asked = "SELECT count(*) FROM commands WHERE order_id = " + order_id.removeprefix("order_")
    assert floor.house.count(asked) == 2


def test_an_amendment_of_nothing_is_told_the_fields_that_there_are(floor: Floor) -> None:
    alice = floor.person()
    order_id = placed(alice)
    for body in ({}, {"price": None}):
        refused = alice.patch(f"/orders/{order_id}", body)
        assert error_of(refused) == (400, "INVALID_REQUEST")
        errors = refused.json()["error"]["details"]["errors"]
        named = [error["field"] for error in errors]
        assert named == ["quantity", "price", "triggerPrice", "trailingOffset"]
        assert {error["message"] for error in errors} == {
            "may be sent: at least one of these fields has to be"
        }


def test_a_stop_waits_for_another_price_and_its_limit_goes_with_it(floor: Floor) -> None:
    alice, maker = floor.person(), floor.person()
    order_id = placed(alice, **stop(triggerPrice="64"))
    seen(alice, order_id, status="OPEN", triggered=False)
    refused = alice.patch(f"/orders/{order_id}", {"price": "61"})
    assert refused.json()["error"]["message"] == "A STOP order has no price"
    amended(floor, alice, order_id, triggerPrice="60")
    seen(alice, order_id, triggerPrice="60", triggered=False)
    # never above 63, so 0.63 of margin, 0.00315 of fee, and 0.309 that it loses against mark
    assert money(alice)["locked"] == "0.94215"
    seen(maker, placed(maker, side="SELL", price="62"), status="OPEN")
    floor.trade_at("60")
    seen(alice, order_id, status="FILLED", averagePrice="62", triggered=True)
    late = alice.patch(f"/orders/{order_id}", {"triggerPrice": "61"})
    assert error_of(late) == (409, "ORDER_NOT_OPEN")


def test_a_stop_that_closes_is_amended_as_far_as_its_account_can_bear(floor: Floor) -> None:
    alice, maker = floor.person("0.4"), floor.person()
    seen(maker, placed(maker, side="SELL"), status="OPEN")
    seen(alice, placed(alice, leverage=20), status="FILLED")
    protection = placed(alice, **stop(side="SELL", triggerPrice="59.3", reduceOnly=True))
    assert floor.reserved(protection) == "0.359965"  # to 56.34: 0.357, and a fee at 59.3
    amended(floor, alice, protection, triggerPrice="58.5")
    # 5 % further it would lose 0.433; of the 0.397004 that are there closing at once takes 0.033
    assert floor.reserved(protection) == "0.363925"  # to 56.3: 0.361, and a fee at 58.5
    seen(alice, protection, status="OPEN", triggerPrice="58.5")


def test_what_cannot_be_amended_is_refused_in_words(floor: Floor) -> None:
    alice = floor.person()
    order_id = placed(alice)
    for body, message in (
        ({}, "Say what is to be otherwise: quantity, price, triggerPrice or trailingOffset"),
        ({"triggerPrice": "60"}, "A LIMIT order waits for no price"),
        ({"trailingOffset": "1"}, "A LIMIT order has no trailingOffset"),
        (
            {"price": "59.915"},
            "price 59.915 is not valid in this market; the nearest valid value is 59.92",
        ),
        (
            {"price": "70"},
            "price 70 is beyond the price band of ETH-PERP around mark, 59.91; the nearest valid"
            " value is 65.9",
        ),
    ):
        refused = alice.patch(f"/orders/{order_id}", body)
        assert refused.status_code == 400
        assert refused.json()["error"]["message"] == message


@pytest.mark.parametrize(
    ("side", "price", "loss"), [("BUY", "61", "0.2241"), ("SELL", "59", "0.1879")]
)
def test_what_is_asked_for_counts_before_the_market_has_done_it(
    side: str, price: str, loss: str, floor: Floor
) -> None:
    """0.2 that lose 1.09 or 0.91 each against mark, and the fee."""
    alice = floor.person()
    order_id = placed(alice, side=side)
    seen(alice, order_id, status="OPEN")
    floor.house.close()
    alice.patch(f"/orders/{order_id}", {"price": price, "quantity": "0.2"})
    asked = money(alice)
    assert asked["openLoss"] == loss
    floor.house.open()
    seen(alice, order_id, status="OPEN", quantity="0.2", price=price)
    floor.settled()
    assert (money(alice)["openLoss"], money(alice)["locked"]) == (loss, asked["locked"])
