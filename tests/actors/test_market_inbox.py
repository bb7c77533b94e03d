"""What strategies send a market: applied once, in order, however often; and a bounded inbox."""

import threading
from typing import Any

import pytest

import actors.live.inbox
from actors.live.inbox import ClientRows, Inbox, StrategyBatch
from actors.live.market import Market
from sim.rows.messages import CommandKind, OrderType, Side, empty_commands
from storage.market import journal
from tests.actors.house import MARKET, House
from tests.waiting import eventually

ACCOUNT = 1_000_000_000


def placing(order_id: int) -> Any:
    rows = empty_commands(1)
    rows["kind"], rows["order_id"], rows["account_id"] = CommandKind.PLACE, order_id, ACCOUNT
    rows["side"], rows["order_type"], rows["time_in_force"] = Side.BUY, OrderType.LIMIT, 1
    rows["price_ticks"], rows["quantity_lots"] = 1, 1
    return rows


@pytest.fixture
def market(house: House) -> Market:
    started = Market(MARKET, *house.urls, run=True)
    house.actors.append(started)
    return started


def test_a_batch_is_applied_once_however_often_it_is_sent(market: Market) -> None:
    last = market.register(1, ACCOUNT, ACCOUNT).batch_no
    for _ in range(3):
        assert market.submit(1, last + 1, placing(-1)).batch_no == last + 1
    assert market.health().open_orders == 1


def test_a_batch_after_a_gap_is_not_applied_and_the_answer_says_so(market: Market) -> None:
    last = market.register(1, ACCOUNT, ACCOUNT).batch_no
    assert market.submit(1, last + 2, placing(-1)).batch_no == last
    assert market.health().open_orders == 0


def test_batches_are_known_again_after_a_restart(market: Market, house: House) -> None:
    last = market.register(1, ACCOUNT, ACCOUNT).batch_no
    market.submit(1, last + 1, placing(-1))
    house.close()
    again = Market(MARKET, *house.urls, run=True)
    house.actors.append(again)
    assert again.submit(1, last + 1, placing(-1)).batch_no == last + 1
    assert again.health().open_orders == 1
    assert again.register(1, ACCOUNT, ACCOUNT).batch_no == last + 2
    assert again.health().open_orders == 0


def test_a_batch_whose_answer_came_too_late_is_not_applied_again(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = market.register(1, ACCOUNT, ACCOUNT).batch_no
    commit, go_on = journal.commit_batch, threading.Event()

    def held_up(*arguments: Any) -> None:
        go_on.wait(10)
        commit(*arguments)

    monkeypatch.setattr(journal, "commit_batch", held_up)
    monkeypatch.setattr(actors.live.inbox, "ANSWER_WAIT_S", 0.0)
    with pytest.raises(TimeoutError):
        market.submit(1, last + 1, placing(-1))
    go_on.set()
    monkeypatch.undo()
    assert market.submit(1, last + 1, placing(-1)).batch_no == last + 1
    assert market.health().open_orders == 1


def test_the_inbox_gives_no_more_rows_than_a_batch_may_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(actors.live.inbox, "TAKE_ROWS_MAX", 10)
    inbox = Inbox()
    for size in (4, 4, 4, 25, 1):
        inbox.put(StrategyBatch(1, 1, empty_commands(size)))
    taken = [[item.size for item in inbox.take(0)] for _ in range(5)]
    assert taken == [[4, 4], [4], [25], [1], []]


def test_a_full_inbox_makes_whoever_brings_more_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actors.live.inbox, "ITEMS_MAX", 2)
    inbox = Inbox()
    for _ in range(2):
        inbox.put(ClientRows(empty_commands(1)))
    waiting = threading.Thread(target=inbox.put, args=(ClientRows(empty_commands(7)),))
    waiting.start()
    assert [item.size for item in inbox.take(0)] == [1, 1]
    eventually(lambda: not waiting.is_alive())
    assert [item.size for item in inbox.take(0)] == [7]
