"""No user takes more than its share of the trailing stops that a market has."""

import asyncio
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from sim.market import BTC_PERP
from sim.orders import AcceptedOrder, PlaceOrder, Terms
from sim.refusals import Refusal, Refused
from sim.rows.messages import OrderType, Side
from storage.intake.accept import Acceptor
from storage.intake.accept_check import TRAILING_OF_A_USER_MAX
from storage.intake.accept_request import OrderRequest
from storage.intake.idempotency import Asked
from tests.builders import order, paper_account, trader
from tests.placing import place_many

pytestmark = pytest.mark.asyncio


def trailing(account_id: int, **more: Any) -> PlaceOrder:
    kind = OrderType.TRAILING
    wish = {"order_type": kind, "price_ticks": 0, "terms": Terms(50), "leverage": None}
    return order(account_id, Side.SELL, 1, **{**wish, **more})


async def test_one_trailing_stop_more_than_a_user_may_have_is_refused_in_words(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    other_id = trader(database)
    for _ in range(TRAILING_OF_A_USER_MAX):
        await acceptor.place(trailing(account_id))
    with pytest.raises(Refused) as caught:
        await acceptor.place(trailing(account_id))
    assert caught.value.refusal == Refusal.TOO_MANY_OPEN_ORDERS
    told = "A user may have 20 trailing stops that wait in ETH-PERP, over all accounts"
    assert caught.value.message == told
    await acceptor.place(trailing(other_id))
    await acceptor.place(trailing(account_id, spec=BTC_PERP))
    await acceptor.place(replace(trailing(account_id), order_type=OrderType.STOP))


@pytest.mark.parametrize("over", ["status = 5", "triggered_at_us = 1"])
async def test_what_has_ended_or_was_triggered_waits_no_longer(
    acceptor: Acceptor, database: psycopg.Connection[Any], over: str
) -> None:
    account_id = trader(database)
    await place_many(acceptor, [trailing(account_id)] * TRAILING_OF_A_USER_MAX)
    database.execute(f"UPDATE orders SET {over} WHERE id = (SELECT min(id) FROM orders)")
    await acceptor.place(trailing(account_id))
    with pytest.raises(Refused):
        await acceptor.place(trailing(account_id))


async def test_those_of_one_request_count_with_each_other(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    await acceptor.place(trailing(account_id))
    asked = Asked(account_id, "batch", b"", None)
    wishes = [trailing(account_id)] * (TRAILING_OF_A_USER_MAX + 1)
    answers = await acceptor.request(OrderRequest(asked, wishes, is_single=False))
    taken = [isinstance(answer, AcceptedOrder) for answer in answers]
    assert taken == [True] * (TRAILING_OF_A_USER_MAX - 1) + [False] * 2


async def test_those_that_come_side_by_side_count_with_each_other(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    answers = await place_many(acceptor, [trailing(account_id)] * 30)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(refused) == 30 - TRAILING_OF_A_USER_MAX


async def test_those_of_all_accounts_of_a_user_count_with_each_other(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    user = trader(database)
    papers = [paper_account(database, user) for _ in range(2)]
    await place_many(acceptor, [trailing(user)] * (TRAILING_OF_A_USER_MAX - 3))
    for account_id in (*papers, user):
        await acceptor.place(trailing(account_id), None, user)
    for account_id in (*papers, user):
        with pytest.raises(Refused) as caught:
            await acceptor.place(trailing(account_id), None, user)
        assert caught.value.refusal == Refusal.TOO_MANY_OPEN_ORDERS
    await acceptor.place(trailing(trader(database)))
    await acceptor.place(trailing(papers[0], spec=BTC_PERP), None, user)


async def test_those_of_two_accounts_that_come_side_by_side_count_with_each_other(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    user = trader(database)
    accounts = [user, paper_account(database, user)]
    placing = [acceptor.place(trailing(accounts[n % 2]), None, user) for n in range(30)]
    answers = await asyncio.gather(*placing, return_exceptions=True)
    assert sum(isinstance(answer, AcceptedOrder) for answer in answers) == TRAILING_OF_A_USER_MAX
    assert sum(isinstance(answer, Refused) for answer in answers) == 30 - TRAILING_OF_A_USER_MAX
