"""A user's open orders have a limit over all accounts, beside that of each."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from sim.orders import AcceptedOrder
from sim.refusals import Refusal, Refused
from storage.intake.accept import Acceptor
from storage.intake.accept_request import OrderRequest
from storage.intake.accept_sql import ACCOUNTS, LOCK_ACCOUNTS
from storage.intake.accept_state import OpenOrdersMax
from storage.intake.idempotency import Asked
from storage.postgres.database import AsyncPool
from tests.builders import order, paper_account, trader
from tests.placing import place_many

MOST = OpenOrdersMax(of_account=5, of_user=8)
STRANGERS = 20_000
CROWD = f"""
WITH made AS (INSERT INTO accounts (kind, created_at_us)
    SELECT 'MAIN', 0 FROM generate_series(1, {STRANGERS}) RETURNING id),
users AS (INSERT INTO users (id, email, password_hash, status, created_at_us)
    SELECT id, id || '@example.com', 'x', 'ACTIVE', 0 FROM made)
INSERT INTO balances (account_id, asset, total_atoms, locked_atoms, open_orders)
SELECT id, 'USDC', 0, 0, 0 FROM made"""


@pytest_asyncio.fixture(params=[0, 3], ids=["without a lock", "under lock"])
async def acceptor(
    pool: AsyncPool, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Acceptor]:
    monkeypatch.setattr("storage.intake.accept.OPTIMISTIC_TRIES_MAX", 3 - request.param)
    started = Acceptor(pool, MOST)
    await started.start()
    yield started
    await started.stop()


async def refused_in(acceptor: Acceptor, account_id: int, user: int) -> str:
    """The words in which one order more is refused."""
    with pytest.raises(Refused) as caught:
        await acceptor.place(order(account_id), None, user)
    assert caught.value.refusal == Refusal.TOO_MANY_OPEN_ORDERS
    return caught.value.message


async def test_open_orders_in_all_accounts_of_a_user_have_a_limit(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    user = trader(database)
    first, second = (paper_account(database, user) for _ in range(2))
    await place_many(acceptor, [order(user)] * 5)
    for account_id in (first, second, first):
        await acceptor.place(order(account_id), None, user)
    told = "A user may have 8 open orders over all accounts"
    assert await refused_in(acceptor, first, user) == told
    assert await refused_in(acceptor, second, user) == told
    assert await refused_in(acceptor, user, user) == "An account may have 5 open orders"
    await acceptor.place(order(trader(database)))
    database.execute("UPDATE balances SET open_orders = 4 WHERE account_id = %s", (user,))
    await acceptor.place(order(second), None, user)
    assert await refused_in(acceptor, second, user) == told


async def test_orders_in_two_accounts_that_come_side_by_side_count_with_each_other(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    user = trader(database)
    accounts = [user, paper_account(database, user)]
    placing = [acceptor.place(order(accounts[n % 2]), None, user) for n in range(10)]
    answers = await asyncio.gather(*placing, return_exceptions=True)
    assert sum(isinstance(answer, AcceptedOrder) for answer in answers) == MOST.of_user
    assert sum(isinstance(answer, Refused) for answer in answers) == 10 - MOST.of_user


async def test_orders_of_one_request_count_with_those_in_other_accounts(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    user = trader(database)
    paper = paper_account(database, user)
    await place_many(acceptor, [order(user)] * 5)
    asked = Asked(paper, "batch", b"", None, user)
    answers = await acceptor.request(OrderRequest(asked, [order(paper)] * 5, is_single=False))
    assert [isinstance(answer, AcceptedOrder) for answer in answers] == [True] * 3 + [False] * 2


@pytest.mark.parametrize("statement", [ACCOUNTS, LOCK_ACCOUNTS], ids=["ACCOUNTS", "LOCK"])
@pytest.mark.parametrize("is_analyzed", [False, True], ids=["before", "after"])
def test_no_strangers_balance_is_read_before_and_after_an_analyze(
    database: psycopg.Connection[Any], statement: str, is_analyzed: bool
) -> None:
    database.execute(CROWD)
    user = trader(database)
    ids = [user, *(paper_account(database, user) for _ in range(19))]
    if is_analyzed:
        database.execute("ANALYZE accounts, balances, users")
    plan = database.execute(f"EXPLAIN {statement}", (ids,)).fetchall()
    assert [line for (line,) in plan if "Seq Scan" in line] == []
