"""PATCH of an order that only closes so that it opens, and the other way round: it is decided as if
it were placed now, and reserves, trades and ends as such.

ETH-PERP at mark 59.91, leverage 10, a fee of 5 in 10,000."""

from tests.api.deployment import Person, error_of
from tests.api.test_amended_orders import amended
from tests.api.trading_floor import Floor, money, placed, seen, stop


def bought(floor: Floor, person: Person, quantity: str = "0.1") -> None:
    """The person holds so much, from a stranger, of whom nothing rests."""
    seller = floor.person()
    seen(seller, placed(seller, side="SELL", quantity=quantity), status="OPEN")
    seen(person, placed(person, quantity=quantity), status="FILLED")
    floor.settled()


def sold(floor: Floor, person: Person, quantity: str = "0.1") -> None:
    """The person sells so much to a stranger, of whom nothing rests."""
    buyer = floor.person()
    seen(buyer, placed(buyer, quantity=quantity), status="OPEN")
    seen(person, placed(person, side="SELL", quantity=quantity), status="FILLED")
    floor.settled()


def position_of(person: Person) -> str:
    """Its only position, below 0 of who is short."""
    (held,) = person.get("/positions").json()
    return str(held["quantity"])


def closing(floor: Floor, **changes: object) -> tuple[Person, str]:
    """Who holds 0.1 and offers a half of it at 62, which reserves no more than its fee."""
    alice = floor.person()
    bought(floor, alice)
    order_id = placed(alice, side="SELL", price="62", quantity="0.05", **changes)
    seen(alice, order_id, status="OPEN")
    assert floor.reserved(order_id) == money(alice)["locked"] == "0.00155"
    return alice, order_id


def test_one_that_closed_is_accepted_trades_and_reserves_as_one_that_is_placed_to_open(
    floor: Floor,
) -> None:
    alice, order_id = closing(floor)
    other, buyer = floor.person(), floor.person()
    bought(floor, other)
    fresh = placed(other, side="SELL", price="62", quantity="3")
    amended(floor, alice, order_id, quantity="3")
    seen(alice, order_id, quantity="3", status="OPEN")
    # 18.6 of margin and 0.093 of fee
    assert floor.reserved(order_id) == money(alice)["locked"] == floor.reserved(fresh) == "18.693"
    other.delete(f"/orders/{fresh}")
    seen(buyer, placed(buyer, price="62", quantity="3"), status="FILLED")
    seen(alice, order_id, quantity="3", filledQuantity="3", status="FILLED")
    floor.settled()
    assert position_of(alice) == "-2.9"
    assert money(alice)["locked"] == "0"


def test_a_stop_that_closed_is_triggered_to_open(floor: Floor) -> None:
    alice, buyer = floor.person(), floor.person()
    bought(floor, alice)
    order_id = placed(alice, **stop(side="SELL", quantity="0.05", triggerPrice="59.5"))
    seen(alice, order_id, status="OPEN", triggered=False)
    amended(floor, alice, order_id, quantity="3")
    seen(alice, order_id, quantity="3", status="OPEN", triggered=False)
    # never below 56.53: 17.85 of margin, 0.08925 of fee, and 10.14 that it loses against mark
    assert floor.reserved(order_id) == money(alice)["locked"] == "28.07925"
    seen(buyer, placed(buyer, price="59", quantity="3"), status="OPEN")
    floor.trade_at("59.5")
    seen(alice, order_id, quantity="3", filledQuantity="3", status="FILLED", averagePrice="59")
    floor.settled()
    assert position_of(alice) == "-2.9"


def test_one_that_opened_gives_its_margin_back_where_it_only_closes_now(floor: Floor) -> None:
    alice = floor.person()
    order_id = placed(alice, side="SELL", price="62")
    seen(alice, order_id, status="OPEN")
    bought(floor, alice)
    assert floor.reserved(order_id) == "0.6231"
    amended(floor, alice, order_id, price="61")
    assert floor.reserved(order_id) == money(alice)["locked"] == "0.00305"
    sold(floor, alice)
    seen(alice, order_id, status="CANCELLED", cancelReason="REDUCE_ONLY_EXCESS")


def test_one_that_becomes_smaller_keeps_its_share_and_what_it_was_accepted_as(
    floor: Floor,
) -> None:
    alice = floor.person()
    order_id = placed(alice, side="SELL", price="62")
    seen(alice, order_id, status="OPEN")
    bought(floor, alice)
    amended(floor, alice, order_id, quantity="0.05")
    assert floor.reserved(order_id) == "0.31155"
    sold(floor, alice)
    seen(alice, order_id, quantity="0.05", status="OPEN")


def test_one_that_was_sent_to_reduce_opens_nothing_however_it_is_amended(floor: Floor) -> None:
    alice, order_id = closing(floor, reduceOnly=True)
    amended(floor, alice, order_id, quantity="3")
    seen(alice, order_id, quantity="0.1", status="OPEN")
    assert floor.reserved(order_id) == money(alice)["locked"] == "0.0031"


def test_one_that_only_reduces_is_cut_alike_when_it_is_placed_and_amended_and_no_reason_is_given(
    floor: Floor,
) -> None:
    alice = floor.person()
    bought(floor, alice)
    asked = {"side": "SELL", "price": "62", "reduceOnly": True}
    first, second = placed(alice, quantity="0.04", **asked), placed(alice, quantity="3", **asked)
    told = [seen(alice, second, quantity="0.06", status="OPEN")]
    amended(floor, alice, second, quantity="5")
    told.append(seen(alice, second, quantity="0.06", status="OPEN"))
    alice.delete(f"/orders/{first}")
    floor.settled()
    amended(floor, alice, second, quantity="5")
    told.append(seen(alice, second, quantity="0.1", status="OPEN"))
    sold(floor, alice, "0.03")
    told.append(seen(alice, second, quantity="0.07", status="OPEN"))
    for order in told:
        assert not {"rejectionReason", "cancelReason", "amendRejectionReason"} & set(order)
    schemas = floor.exchange.http.get("/openapi.json").json()["components"]["schemas"]
    for name in ("OrderSent", "OrderAnswer"):
        said = schemas[name]["properties"]["reduceOnly"]["description"]
        assert "cut to what the position leaves" in said
        assert "when it is placed or amended" in said
    assert "cut as `reduceOnly` tells" in " ".join(schemas["OrderAnswer"]["description"].split())


def test_what_the_account_cannot_open_is_refused_and_still_closes(floor: Floor) -> None:
    poor = floor.person("2")
    bought(floor, poor)
    order_id = placed(poor, side="SELL", price="62", quantity="0.05")
    seen(poor, order_id, status="OPEN")
    refused = poor.patch(f"/orders/{order_id}", {"quantity": "3"})
    assert error_of(refused) == (400, "INSUFFICIENT_MARGIN")
    assert refused.json()["error"]["details"]["required"] == "18.693"
    assert money(poor)["locked"] == "0.00155"
    sold(floor, poor)
    seen(poor, order_id, status="CANCELLED", cancelReason="REDUCE_ONLY_EXCESS")


def test_what_the_market_refuses_leaves_it_to_close(floor: Floor) -> None:
    alice, order_id = closing(floor, postOnly=True)
    buyer = floor.person()
    bid = placed(buyer, price="60", quantity="0.1")
    seen(buyer, bid, status="OPEN")
    amended(floor, alice, order_id, quantity="3", price="60")
    told = seen(alice, order_id, quantity="0.05", price="62", status="OPEN")
    assert told["amendRejectionReason"] == "POST_ONLY_WOULD_TAKE"
    assert money(alice)["locked"] == "0.00155"
    seen(alice, placed(alice, side="SELL", price="60"), status="FILLED")
    seen(alice, order_id, status="CANCELLED", cancelReason="REDUCE_ONLY_EXCESS")


def test_it_turns_as_often_as_it_is_amended(floor: Floor) -> None:
    alice, order_id = closing(floor)
    for quantity, reserved in (("0.2", "1.2462"), ("0.1", "0.6231"), ("0.12", "0.74772")):
        amended(floor, alice, order_id, quantity=quantity)
        assert floor.reserved(order_id) == money(alice)["locked"] == reserved
    amended(floor, alice, order_id, quantity="0.1", price="61")
    assert floor.reserved(order_id) == money(alice)["locked"] == "0.00305"
    amended(floor, alice, order_id, quantity="0.11")
    assert floor.reserved(order_id) == money(alice)["locked"] == "0.674355"
