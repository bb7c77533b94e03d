"""Orders that wait for a trigger, end at a time or are linked, from POST to their end."""

import pytest

from tests.api.deployment import error_of
from tests.api.trading_floor import MARKET, Floor, money, placed, seen, sent, stop


def test_a_stop_is_met_by_the_last_trade_and_takes_what_there_is(floor: Floor) -> None:
    alice, maker = floor.person(), floor.person()
    waiting = placed(alice, **stop(quantity="0.3"))
    told = seen(alice, waiting, status="OPEN", triggered=False, triggerPrice="61", triggerBy="LAST")
    assert told["type"] == "STOP"
    assert "price" not in told
    seen(maker, placed(maker, side="SELL", price="62", quantity="0.2"), status="OPEN")
    floor.trade_at("61")
    told = seen(alice, waiting, status="EXPIRED", filledQuantity="0.2", averagePrice="62")
    assert told["triggered"]
    assert told["cancelReason"] == "MARKET_LIQUIDITY_EXHAUSTED"
    assert told["triggeredAt"] >= told["createdAt"]


def test_a_stop_limit_rests_at_its_limit_once_it_is_met(floor: Floor) -> None:
    alice = floor.person()
    waiting = placed(alice, **stop(type="STOP_LIMIT", price="60.5"))
    seen(alice, waiting, status="OPEN", triggered=False, price="60.5")
    assert floor.exchange.http.get("/markets/ETH-PERP/orderbook").json()["bids"] == []
    floor.trade_at("61")
    seen(alice, waiting, triggered=True, status="OPEN")
    (bid,) = floor.exchange.http.get("/markets/ETH-PERP/orderbook").json()["bids"]
    assert (bid["price"], bid["quantity"]) == ("60.5", "0.1")
    assert money(alice)["locked"] == floor.reserved(waiting)


def test_a_profit_to_sell_is_met_from_below(floor: Floor) -> None:
    alice, maker = floor.person(), floor.person()
    profit = {"side": "SELL", "type": "TAKE_PROFIT", "triggerPrice": "61"}
    waiting = placed(alice, **stop(**profit))
    limited = placed(alice, **stop(**profit | {"type": "TAKE_PROFIT_LIMIT", "price": "61.5"}))
    seen(maker, placed(maker, price="60.8"), status="OPEN")
    assert not seen(alice, waiting, status="OPEN")["triggered"]
    floor.trade_at("61")
    seen(alice, waiting, status="FILLED", averagePrice="60.8")
    seen(alice, limited, status="OPEN", triggered=True, price="61.5")


def test_a_trailing_stop_follows_the_best_price_and_is_met_when_it_turns(floor: Floor) -> None:
    alice, maker = floor.person(), floor.person()
    waiting = placed(alice, side="SELL", type="trailing_stop", price=None, trailingOffset="0.5")
    told = seen(alice, waiting, status="OPEN", triggered=False, trailingOffset="0.5")
    assert told["type"] == "TRAILING_STOP"
    assert "triggerPrice" not in told
    floor.trade_at("62")
    floor.trade_at("61.6")
    seen(alice, waiting, triggered=False)
    seen(maker, placed(maker, price="61.2"), status="OPEN")
    floor.trade_at("61.5")
    seen(alice, waiting, status="FILLED", averagePrice="61.2", triggered=True)


def test_a_trailing_stop_that_would_have_no_trigger_is_told_the_longest_offset(
    floor: Floor,
) -> None:
    alice = floor.person()
    wish = {"side": "SELL", "type": "TRAILING_STOP", "price": None}
    refused = alice.post("/orders", sent(**wish, trailingOffset="70"))
    assert refused.json()["error"]["details"] == {"field": "trailingOffset", "nearest": "59.9"}
    waiting = placed(alice, **wish, trailingOffset="59.9")
    refused = alice.patch(f"/orders/{waiting}", {"trailingOffset": "59.91"})
    assert error_of(refused) == (400, "INVALID_ORDER")
    floor.trade_at("62")
    placed(alice, **wish, trailingOffset="61.99")
    refused = alice.post("/orders", sent(**wish, trailingOffset="61.99", triggerBy="MARK"))
    assert refused.json()["error"]["details"]["nearest"] == "59.9"


def test_one_that_waits_for_mark_looks_at_no_trade(floor: Floor) -> None:
    alice, maker = floor.person(), floor.person()
    waiting = placed(alice, **stop(triggerBy="MARK"))
    floor.trade_at("61")
    seen(alice, waiting, status="OPEN", triggered=False, triggerBy="MARK")
    seen(maker, placed(maker, side="SELL", price="61.3"), status="OPEN")
    floor.mark_at(6_100)
    seen(alice, waiting, status="FILLED", averagePrice="61.3")


def test_a_trigger_that_is_met_already_comes_in_at_once(floor: Floor) -> None:
    floor.trade_at("61")
    alice, maker = floor.person(), floor.person()
    seen(maker, placed(maker, side="SELL", price="61.3"), status="OPEN")
    seen(alice, placed(alice, **stop(triggerPrice="60.9")), status="FILLED", triggered=True)


def test_a_trigger_that_was_met_long_ago_trades_about_where_the_price_is(floor: Floor) -> None:
    seller, buyer = floor.person(), floor.person()
    floor.trade_at("59.91")
    seen(seller, placed(seller, side="SELL", price="60", quantity="0.1"), status="OPEN")
    told = seen(buyer, placed(buyer, **stop(triggerPrice="20")), status="FILLED", triggered=True)
    assert told["averagePrice"] == "60"
    floor.settled()
    floor.cleared()


def test_an_order_with_an_end_ends_by_itself_in_a_quiet_market(floor: Floor) -> None:
    alice = floor.person()
    now_ms = alice.get("/time").json()["time"]
    until = {"timeInForce": "GTD", "expiresAt": now_ms + 1_500}
    resting, waiting = placed(alice, **until), placed(alice, **stop(**until))
    told = seen(alice, resting, status="OPEN", timeInForce="GTD", expiresAt=now_ms + 1_500)
    for order_id in (resting, waiting):
        told = seen(alice, order_id, status="EXPIRED", cancelReason="TIME")
        assert told["updatedAt"] >= now_ms + 1_500
    floor.settled()
    assert money(alice)["locked"] == "0"


def test_the_fill_of_one_of_two_cancels_the_other(floor: Floor) -> None:
    alice, maker = floor.person(), floor.person()
    placed(maker, side="SELL", quantity="0.2")
    seen(alice, placed(alice, quantity="0.2"), status="FILLED")
    exits = {"side": "SELL", "quantity": "0.2", "reduceOnly": True, "linkId": "exit-1"}
    both = [
        sent(**exits | {"price": "61"}),
        sent(**stop(**exits | {"triggerPrice": "58"})),
    ]
    results = alice.post("/orders/batch", {"orders": both}).json()["results"]
    profit, protection = (result["orderId"] for result in results)
    seen(alice, protection, status="OPEN", linkId="exit-1", triggered=False)
    placed(maker, price="61", quantity="0.05")
    seen(alice, profit, status="PARTIALLY_FILLED")
    seen(alice, protection, status="CANCELLED", cancelReason="LINKED")
    floor.settled()
    assert money(alice)["locked"] == floor.reserved(profit)


def test_a_link_is_of_two_orders_and_a_third_is_refused_in_words(floor: Floor) -> None:
    alice = floor.person()
    first = placed(alice, linkId="pair")
    same_side = alice.post("/orders", sent(price="59", linkId="pair"))
    assert same_side.json()["error"]["details"] == {"field": "linkId", "orderId": first}
    assert same_side.json()["error"]["message"] == (
        "linkId pair links a BUY LIMIT order already: of two that rest, the other one is on the"
        " other side, or else one waits for a trigger"
    )
    second = placed(alice, **stop(linkId="pair"))
    third = alice.post("/orders", sent(side="SELL", price="62", linkId="pair"))
    assert third.json()["error"]["message"] == "linkId pair links two open orders already"
    alice.delete(f"/orders/{second}")
    seen(alice, second, status="CANCELLED", cancelReason="CLIENT")
    alone = alice.post("/orders", sent(side="SELL", price="62", linkId="pair"))
    assert alone.json()["error"]["message"] == (
        "linkId pair links nothing more: its open order has traded, was triggered, or lost its"
        " partner"
    )
    alice.delete(f"/orders/{first}")
    seen(alice, first, status="CANCELLED")
    seen(alice, placed(alice, linkId="pair"), status="OPEN", linkId="pair")


def test_what_the_market_does_not_link_is_told(floor: Floor) -> None:
    alice, bob = floor.person(), floor.person()
    first = placed(alice, linkId="race")
    seen(alice, first, status="OPEN")
    floor.house.close()
    placed(bob, side="SELL", quantity="0.05")
    second = placed(alice, **stop(linkId="race"))
    floor.house.open()
    seen(alice, first, status="PARTIALLY_FILLED")
    seen(alice, second, status="REJECTED", rejectionReason="LINK_REFUSED")


def test_what_waits_reserves_for_the_worst_price_it_may_trade_at(floor: Floor) -> None:
    """To buy 0.1 from 61 on: never above 64.05, at leverage 10; mark is at 59.91."""
    alice = floor.person()
    waiting = placed(alice, **stop())
    assert floor.reserved(waiting) == "1.057703"  # 0.6405 + 0.0032025 + 0.1 × 4.14, rounded up
    assert money(alice)["locked"] == "1.057703"
    assert float(money(alice)["openLoss"]) == pytest.approx(0.414 + 0.003203)
    # far beyond the band it loses no more than the band lets it: to 65.90
    far = placed(alice, **stop(triggerPrice="100"))
    assert floor.reserved(far) == "1.65425"  # 1.05 + 0.00525 + 0.599
    floor.settled()


def test_a_stop_that_protects_reserves_no_margin_and_ends_with_its_position(floor: Floor) -> None:
    alice, maker = floor.person(), floor.person()
    placed(maker, side="SELL", quantity="0.2")
    seen(alice, placed(alice, quantity="0.2"), status="FILLED")
    protection = placed(
        alice, **stop(side="SELL", quantity="0.2", triggerPrice="58", reduceOnly=True)
    )
    # never below 55.1: 0.0058 of fee at 58, and 0.2 × 4.81 against mark
    assert floor.reserved(protection) == "0.9678"
    placed(maker, quantity="0.2")
    seen(alice, placed(alice, side="SELL", quantity="0.2", reduceOnly=True), status="FILLED")
    seen(alice, protection, status="CANCELLED", cancelReason="REDUCE_ONLY_EXCESS")


def test_what_waits_is_open_for_whoever_lists_or_cancels(floor: Floor) -> None:
    alice = floor.person()
    waiting = [placed(alice, **stop(triggerPrice=price)) for price in ("61", "62", "63")]
    seen(alice, waiting[2], status="OPEN")
    listed = alice.get("/orders", params={"open": "true"}).json()
    assert [told["orderId"] for told in listed] == waiting[::-1]
    assert error_of(alice.post("/account/reset")) == (409, "ACCOUNT_NOT_FLAT")
    assert error_of(alice.http.put("/leverage", json={"marketId": MARKET, "leverage": 5},
                                   headers=alice.headers)) == (409, "LEVERAGE_IN_USE")  # fmt: skip
    alice.delete(f"/orders/{waiting[0]}")
    seen(alice, waiting[0], status="CANCELLED", cancelReason="CLIENT")
    assert alice.delete("/orders").json()["requested"] == 2
    for order_id in waiting[1:]:
        seen(alice, order_id, status="CANCELLED", cancelReason="CLIENT")


def test_the_same_name_and_stop_again_is_the_same_order(floor: Floor) -> None:
    alice = floor.person()
    first = placed(alice, **stop(clientOrderId="mine"))
    assert placed(alice, **stop(clientOrderId="mine")) == first
    other = alice.post("/orders", sent(**stop(clientOrderId="mine", triggerPrice="62")))
    assert error_of(other) == (409, "DUPLICATE_CLIENT_ORDER_ID")


REFUSED = {
    "A STOP order needs a triggerPrice": stop(triggerPrice=None),
    "A STOP order has no price": stop(price="61"),
    "A STOP_LIMIT order needs a price": stop(type="STOP_LIMIT"),
    "A trailing stop needs a trailingOffset": stop(type="TRAILING_STOP", triggerPrice=None),
    "A trailing stop has no triggerPrice: it follows the price": stop(
        type="TRAILING_STOP", trailingOffset="1"
    ),
    "A STOP order has no trailingOffset": stop(trailingOffset="1"),
    "A LIMIT order waits for no price": {"triggerPrice": "61"},
    "A MARKET order waits for no price": {"type": "MARKET", "price": None, "triggerBy": "MARK"},
    "postOnly needs a LIMIT order": stop(postOnly=True),
    "postOnly needs timeInForce GTC or GTD": stop(
        type="STOP_LIMIT", price="61", postOnly=True, timeInForce="IOC"
    ),
    "timeInForce GTD needs expiresAt": {"timeInForce": "GTD"},
    "expiresAt needs timeInForce GTD": {"expiresAt": 2_000_000_000_000},
    "A MARKET order trades at once: it cannot end at a time": {
        "type": "MARKET",
        "price": None,
        "timeInForce": "GTD",
        "expiresAt": 2_000_000_000_000,
    },
    "linkId needs an order that stands: one that waits for a trigger, or a LIMIT order with"
    " timeInForce GTC or GTD": {"timeInForce": "IOC", "linkId": "x"},
    "triggerPrice 61.001 is not valid in this market; the nearest valid value is 61": stop(
        triggerPrice="61.001"
    ),
    "trailingOffset 0 is not valid in this market; the nearest valid value is 0.01": stop(
        type="TRAILING_STOP", triggerPrice=None, trailingOffset="0"
    ),
    "trailingOffset 59.91 leaves no trigger price in ETH-PERP, where the price that it follows is"
    " 59.91; the nearest valid value is 59.9": stop(
        type="TRAILING_STOP", triggerPrice=None, trailingOffset="59.91", side="SELL"
    ),
    "trailingOffset 21474836.47 leaves no trigger price in ETH-PERP, where the price that it"
    " follows is 59.91; the nearest valid value is 21474776.56": stop(
        type="TRAILING_STOP", triggerPrice=None, trailingOffset="21474836.47"
    ),
    "price 80 is beyond the price band of ETH-PERP around where it is triggered, 70; the nearest"
    " valid value is 77": stop(type="STOP_LIMIT", price="80", triggerPrice="70"),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_the_market_would_reject_is_refused_in_words(message: str, floor: Floor) -> None:
    refused = floor.person().post("/orders", sent(**REFUSED[message]))
    assert error_of(refused) == (400, "INVALID_ORDER")
    assert refused.json()["error"]["message"] == message


def test_a_time_that_is_over_is_refused_with_the_nearest_that_is_not(floor: Floor) -> None:
    alice = floor.person()
    refused = alice.post("/orders", sent(timeInForce="GTD", expiresAt=1_000))
    assert error_of(refused) == (400, "INVALID_ORDER")
    assert refused.json()["error"]["details"]["nearest"] > 1_700_000_000_000
