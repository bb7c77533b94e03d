"""What happens is told over WebSockets: to whom it belongs, in order, without a gap."""

from typing import Any

import psycopg
import pytest

from actors.live.market import Market
from storage.postgres.database import now_us
from storage.servers.embedded import EmbeddedPostgres
from storage.upkeep.pruning import prune
from tests.api.deployment import Person
from tests.api.listening import Ear, listening
from tests.api.trading_floor import MARKET, Floor, order_of, placed, seen
from tests.builders import KEPT
from tests.waiting import eventually

PRIVATE = ("orders", "fills", "positions", "balances")


def all_private(ear: Ear, **more: Any) -> int:
    """Listen to everything of an account; the last number it is told from."""
    return max(int(ear.listen(channel, **more)["sequence"]) for channel in PRIVATE)


def test_an_order_is_told_from_its_acceptance_to_its_end(floor: Floor) -> None:
    alice, bob = floor.person(), floor.person()
    offered = placed(bob, side="SELL", quantity="0.3")
    seen(bob, offered, status="OPEN")
    with listening(floor.exchange, alice) as ear:
        all_private(ear)
        bought = placed(alice, quantity="0.3")
        heard = ear.until("update", orderId=bought, status="FILLED")
        assert heard[-1]["data"] == order_of(alice, bought)
        heard += ear.until("update", marketId=MARKET, quantity="0.3", entryPrice="59.91")
        assert heard[-1]["data"] == alice.get("/positions").json()[0]
        (fill,) = alice.get("/fills").json()
        floor.settled()
        heard += ear.silence()
    told = {channel: [one for one in heard if one["channel"] == channel] for channel in PRIVATE}
    assert [one["data"] for one in told["fills"]] == [fill]
    assert told["balances"][-1]["data"] == alice.get("/balances").json()[0]
    assert {one["account"] for one in heard} == {alice.account_name}
    numbers = [one["sequence"] for one in heard]
    assert numbers == sorted(set(numbers))


def test_a_closed_position_is_told_with_nothing_in_it(floor: Floor) -> None:
    alice, bob = floor.person(), floor.person()
    seen(bob, placed(bob, side="SELL"), status="OPEN")
    seen(alice, placed(alice), status="FILLED")
    with listening(floor.exchange, alice) as ear:
        ear.listen("positions")
        seen(bob, placed(bob), status="OPEN")
        placed(alice, side="SELL")
        ear.until("update", marketId=MARKET, quantity="0")


def test_bob_never_receives_alices_frame(floor: Floor) -> None:
    alice, bob = floor.person(), floor.person()
    with (
        listening(floor.exchange, alice) as hers,
        listening(floor.exchange, bob) as his,
        listening(floor.exchange) as nobodys,
    ):
        for ear in (hers, his):
            all_private(ear)
        for channel in PRIVATE:
            assert nobodys.ask(op="subscribe", channel=channel)["code"] == "UNAUTHENTICATED"
            refused = his.ask(op="subscribe", channel=channel, account=alice.account_name)
            assert (refused["type"], refused["code"]) == ("error", "ACCOUNT_NOT_FOUND")
        order_id = placed(alice)
        hers.until("update", orderId=order_id, status="OPEN")
        alice.delete(f"/orders/{order_id}")
        hers.until("update", orderId=order_id, status="CANCELLED")
        assert his.silence() == []
        assert nobodys.silence() == []


def test_another_own_account_is_told_by_name(floor: Floor) -> None:
    alice = floor.person()
    other = alice.opened(USDC="500")
    with listening(floor.exchange, alice) as ear:
        ear.listen("orders", account=other.account)
        order_id = placed(other)
        heard = ear.until("update", orderId=order_id, status="OPEN")
        assert {one["account"] for one in heard} == {other.account}
    other.delete("/orders")


def test_an_amendment_is_told_while_it_is_under_way_and_when_it_is_done(floor: Floor) -> None:
    alice = floor.person()
    order_id = placed(alice)
    seen(alice, order_id, status="OPEN")
    with listening(floor.exchange, alice) as ear:
        ear.listen("orders")
        assert alice.patch(f"/orders/{order_id}", {"quantity": "0.2"}).status_code == 202
        ear.until("update", orderId=order_id, quantity="0.2", remainingQuantity="0.2")


def test_who_comes_back_is_told_what_was_missed(floor: Floor) -> None:
    alice, bob = floor.person(), floor.person()
    with listening(floor.exchange, alice) as ear:
        started = {channel: int(ear.listen(channel)["sequence"]) for channel in PRIVATE}
    orders = [placed(alice, quantity="0.01") for _ in range(3)]
    seen(alice, orders[-1], status="OPEN")
    seen(bob, placed(bob, side="SELL", quantity="0.03"), status="FILLED")
    floor.settled()
    with listening(floor.exchange, alice) as ear:
        ear.listen("fills", fromSequence=started["fills"])
        heard = [ear.hear() for _ in orders]
        assert {one["data"]["orderId"] for one in heard} == set(orders)
        ear.listen("orders", fromSequence=started["orders"])
        told = [ear.hear()["data"] for _ in orders]
        assert {one["orderId"]: one["status"] for one in told} == dict.fromkeys(orders, "FILLED")


def test_who_was_away_for_too_long_is_told_to_read_anew(floor: Floor) -> None:
    alice = floor.person()
    with listening(floor.exchange, alice) as ear:
        told = ear.listen("orders", fromSequence=17)
        assert told["sequence"] == 17
        again = ear.next("resync", channel="orders")
        assert again["sequence"] > 17
        order_id = placed(alice)
        assert ear.until("update", orderId=order_id)[0]["sequence"] > again["sequence"]


def test_a_lost_notification_only_delays(floor: Floor) -> None:
    alice = floor.person()
    with listening(floor.exchange, alice) as ear:
        ear.listen("balances")
        database = floor.house.database
        database.execute(
            "UPDATE listened_accounts SET seq = seq + 1 WHERE account_id = %s", (alice.user_id,)
        )
        database.execute(
            "INSERT INTO account_frames SELECT account_id, seq, 'BALANCE', 'USDC', 0"
            " FROM listened_accounts WHERE account_id = %s",
            (alice.user_id,),
        )
        assert ear.until("update", asset="USDC")[-1]["data"] == alice.get("/balances").json()[0]


def test_a_gap_in_what_is_written_is_told(floor: Floor) -> None:
    alice = floor.person()
    with listening(floor.exchange, alice) as ear:
        ear.listen("orders")
        floor.house.database.execute(
            "UPDATE listened_accounts SET seq = seq + 5 WHERE account_id = %s", (alice.user_id,)
        )
        ear.next("resync", channel="orders")
        order_id = placed(alice)
        ear.until("update", orderId=order_id)


def test_who_listens_while_the_database_goes_and_comes_back_misses_nothing(
    floor: Floor, postgres: EmbeddedPostgres
) -> None:
    alice = floor.person()
    row = floor.house.database.execute("SELECT current_database()").fetchone()
    assert row is not None
    with listening(floor.exchange, alice) as ear:
        all_private(ear)
        with psycopg.connect(postgres.admin_url, autocommit=True) as administrator:
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND usename LIKE '%%api%%'",
                row,
            )
        order_id = eventually(lambda: placed(alice))
        ear.until("update", orderId=order_id, status="OPEN")


def test_an_account_that_was_forgotten_is_read_anew(floor: Floor) -> None:
    alice = floor.person()
    with listening(floor.exchange, alice) as ear:
        before = int(ear.listen("orders")["sequence"])
    floor.house.database.execute("UPDATE listened_accounts SET until_us = 0")
    prune(floor.house.database, now_us(), KEPT)
    with listening(floor.exchange, alice) as ear:
        ear.listen("orders", fromSequence=before)
        assert ear.next("resync")["sequence"] > before


def test_nothing_is_written_for_accounts_that_nobody_listens_to(floor: Floor) -> None:
    alice = floor.person()
    seen(alice, placed(alice), status="OPEN")
    frames = f"SELECT count(*) FROM account_frames WHERE account_id = {alice.user_id}"
    assert floor.house.count(frames) == 0


@pytest.mark.parametrize("channel", ["orderbook", "trades"])
def test_a_market_is_told_from_a_snapshot_on(floor: Floor, channel: str) -> None:
    with listening(floor.exchange) as ear:
        ear.listen(channel, market=MARKET)
        begun = ear.next("snapshot", channel=channel)
        floor.trade_at("60.01")
        update = ear.next("update", channel=channel)
        assert update["sequence"] > begun["sequence"]


def applied(book: dict[str, dict[str, Any]], told: dict[str, Any]) -> None:
    """Change a book that is followed by what is told."""
    for side in ("bids", "asks"):
        for level in told["data"][side]:
            if level["quantity"] == "0":
                book[side].pop(level["price"], None)
            else:
                book[side][level["price"]] = level


def test_a_book_that_is_followed_is_the_book_of_a_read_at_the_same_sequence(floor: Floor) -> None:
    sellers = [floor.person() for _ in range(2)]
    path = f"/markets/{MARKET}/orderbook"
    matched = 0
    with listening(floor.exchange) as ear:
        ear.listen("orderbook", market=MARKET)
        told = ear.next("snapshot")
        book: dict[str, Any] = {"bids": {}, "asks": {}}
        applied(book, told)
        for number in range(40):
            seller = sellers[number % 2]
            if number == 20:
                restart_market(floor)
            if number % 5 == 4:
                seller.delete("/orders")
            else:
                price = 5_000 + 7 * (number * 13 % 30)
                side, cents = ("BUY", price) if number % 3 else ("SELL", price + 1_100)
                placed(seller, side=side, price=f"{cents / 100:.2f}", quantity="0.01")
            told = follow(ear, book, told)
            read = floor.exchange.http.get(path).json()
            while told["data"]["seq"] < read["sequence"]:
                told = follow(ear, book, told, wait=True)
            if told["data"]["seq"] == read["sequence"]:
                matched += 1
                for side in ("bids", "asks"):
                    assert {level["price"]: level for level in read[side]} == book[side]
    assert matched >= 10


def restart_market(floor: Floor) -> None:
    """Another actor takes the market over, and rebuilds it from the journal."""
    actors = floor.house.actors
    actors[0].stop()
    actors[0] = Market(MARKET, *floor.house.urls, run=True)


def follow(
    ear: Ear, book: dict[str, Any], last: dict[str, Any], wait: bool = False
) -> dict[str, Any]:
    """Apply what is told up to now, or one update more; the last one."""
    heard = [ear.next("update")] if wait else ear.silence()
    for told in heard:
        assert told["data"]["prevSeq"] == last["data"]["seq"]
        applied(book, told)
        last = told
    return last


def test_trades_are_told_once_and_resumed(floor: Floor) -> None:
    with listening(floor.exchange) as ear:
        ear.listen("trades", market=MARKET)
        shown = ear.next("snapshot")
    for number in range(3):
        floor.trade_at(f"59.9{number}")
    with listening(floor.exchange) as ear:
        ear.listen("trades", market=MARKET, fromSequence=shown["sequence"])
        missed = ear.next("update")
    path = f"/markets/{MARKET}/trades?limit=3"
    assert missed["data"] == floor.exchange.http.get(path).json()[::-1]
    assert missed["sequence"] == missed["data"][-1]["sequence"]


def test_candles_prices_and_funding_are_told(floor: Floor) -> None:
    with listening(floor.exchange) as ear:
        ear.listen("candles", market=MARKET, interval="1d")
        ear.next("snapshot", channel="candles", interval="1d")
        floor.trade_at("60.02")
        told = ear.until("update", close="60.02")[-1]
        path = f"/markets/{MARKET}/candles?interval=1d&limit=1"
        assert told["data"] == floor.exchange.http.get(path).json()[0]
        ear.listen("mark_price", market=MARKET)
        ear.next("snapshot", channel="mark_price")
        ear.listen("funding", market=MARKET)
        assert "not yet" in ear.next("snapshot", channel="funding")["data"]["note"]


def test_what_is_unsubscribed_is_told_no_longer(floor: Floor) -> None:
    alice: Person = floor.person()
    with listening(floor.exchange, alice) as ear:
        ear.listen("orders")
        ear.listen("balances")
        answer = ear.ask(op="unsubscribe", channel="orders")
        assert (answer["type"], answer["channel"]) == ("unsubscribed", "orders")
        order_id = placed(alice)
        seen(alice, order_id, status="OPEN")
        ear.next("update", channel="balances")
        assert {one["channel"] for one in ear.silence()} <= {"balances"}


def test_metrics_count_sockets_and_messages(floor: Floor) -> None:
    with listening(floor.exchange) as ear:
        ear.ask(op="ping")
        metrics = floor.exchange.metrics()
        assert "sandpit_ws_clients 1.0" in metrics
        assert "sandpit_ws_frames_sent_total" in metrics
    eventually(lambda: "sandpit_ws_clients 0.0" in floor.exchange.metrics())
