"""Accepting: one commit for many, exact reservations, one order a name."""

import asyncio
from typing import Any

import psycopg
import pytest

from sim.orders import AcceptedOrder, OrderStatus
from sim.refusals import Refusal, Refused
from sim.rows.messages import OrderType, Side
from sim.units import format_atoms
from storage.errors import DatabaseUnavailable, OutcomeUnknown, StorageError
from storage.intake.accept import Acceptor
from storage.intake.accept_request import OrderRequest
from storage.intake.accept_state import OpenOrdersMax
from storage.intake.cancels import CancelAll, request_cancel, request_cancel_all
from storage.intake.idempotency import Asked
from storage.postgres.database import AsyncPool
from tests.builders import order, trader
from tests.markets import ETH_PERP

pytestmark = pytest.mark.asyncio


def locked(database: psycopg.Connection[Any], account_id: int) -> tuple[str, int]:
    row = database.execute(
        "SELECT locked_atoms, open_orders FROM balances WHERE account_id = %s", (account_id,)
    ).fetchone()
    assert row is not None
    return format_atoms(row[0]), row[1]


async def refusal_of(work: Any) -> Refusal:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value.refusal


async def test_an_accepted_order_is_pending_reserved_and_commanded(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    accepted = await acceptor.place(order(account_id, leverage=3))
    assert (accepted.status, accepted.repeated) == (OrderStatus.PENDING, False)
    assert locked(database, account_id) == ("1.999996", 1)
    rows = database.execute("SELECT order_id, command_seq FROM commands").fetchall()
    assert rows == [(accepted.order_id, None)]


async def test_twenty_at_once_on_ten_usdc_are_nine_yes_and_eleven_no(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database, "10")
    wish = order(account_id, lots=100, price_ticks=1_000)  # 10 USDC at 10x: 1 + 0.005
    answers = await asyncio.gather(
        *(acceptor.place(wish) for _ in range(20)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(refused) == 11
    assert {answer.refusal for answer in refused} == {Refusal.INSUFFICIENT_MARGIN}
    assert locked(database, account_id) == ("9.045", 9)


async def test_orders_that_wait_share_a_commit(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    await asyncio.gather(*(acceptor.place(order(account_id)) for _ in range(40)))
    row = database.execute("SELECT count(*), count(DISTINCT xmin::text) FROM orders").fetchone()
    assert row is not None
    assert row[0] == 40
    assert row[1] <= 3


async def test_the_same_name_and_body_is_the_same_order(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    wish = order(account_id, client_order_id="mine")
    answers = await asyncio.gather(*(acceptor.place(wish) for _ in range(5)))
    assert len({answer.order_id for answer in answers}) == 1
    assert [answer.repeated for answer in answers].count(False) == 1
    assert (await acceptor.place(wish)).repeated
    other = order(account_id, client_order_id="mine", body_hash=b"other")
    with pytest.raises(Refused) as caught:
        await acceptor.place(other)
    assert caught.value.refusal == Refusal.DUPLICATE_CLIENT_ORDER_ID
    assert caught.value.details == {"order_id": answers[0].order_id}


async def test_a_name_belongs_to_its_account(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    alice, bob = trader(database), trader(database)
    first = await acceptor.place(order(alice, client_order_id="mine"))
    second = await acceptor.place(order(bob, client_order_id="mine", body_hash=b"other"))
    assert first.order_id != second.order_id


async def test_an_idempotency_key_works_like_a_name(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    first = await acceptor.place(order(account_id), "k")
    again = await acceptor.place(order(account_id), "k")
    assert again == AcceptedOrder(first.order_id, OrderStatus.PENDING, repeated=True)
    other = acceptor.place(order(account_id, body_hash=b"other"), "k")
    assert await refusal_of(other) == Refusal.IDEMPOTENCY_KEY_REUSED


async def test_who_may_not_trade_is_refused(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    viewer = trader(database, role="VIEWER")
    assert await refusal_of(acceptor.place(order(viewer))) == Refusal.FORBIDDEN
    assert await refusal_of(acceptor.place(order(10**9))) == Refusal.UNAUTHENTICATED


async def test_open_orders_have_a_limit(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database, "1000000")
    for _ in range(50):
        await acceptor.place(order(account_id))
    assert await refusal_of(acceptor.place(order(account_id))) == Refusal.TOO_MANY_OPEN_ORDERS


async def test_a_market_order_without_depth_or_fresh_price_is_refused(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    wish = order(account_id, order_type=OrderType.MARKET, price_ticks=0)
    assert await refusal_of(acceptor.place(wish)) == Refusal.INSUFFICIENT_LIQUIDITY
    database.execute("UPDATE market_prices SET updated_at_us = 0")
    assert await refusal_of(acceptor.place(wish)) == Refusal.PRICE_UNAVAILABLE


async def test_a_closed_market_takes_no_orders(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    database.execute("UPDATE markets SET status = 2")
    assert await refusal_of(acceptor.place(order(account_id))) == Refusal.MARKET_NOT_OPEN


async def test_reduce_only_reserves_its_fee_and_what_it_loses_at_its_limit(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database, "1")
    await acceptor.place(order(account_id, Side.SELL, reduce_only=True))
    assert locked(database, account_id) == ("0.002996", 1)
    below = order(account_id, Side.SELL, reduce_only=True, price_ticks=5_981)
    await acceptor.place(below)  # 0.1 at 0.1 below mark
    assert locked(database, account_id) == ("0.015987", 2)


async def test_a_cancel_needs_the_owner_and_an_open_order(
    acceptor: Acceptor, pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    alice, bob = trader(database), trader(database)
    order_id = (await acceptor.place(order(alice))).order_id
    assert await refusal_of(request_cancel(pool, bob, order_id)) == Refusal.ORDER_NOT_FOUND
    await request_cancel(pool, alice, order_id)
    assert await request_cancel_all(pool, alice, None) == CancelAll(1, ())
    database.execute("UPDATE orders SET status = 5")
    assert await refusal_of(request_cancel(pool, alice, order_id)) == Refusal.ORDER_NOT_OPEN
    row = database.execute("SELECT count(*) FROM commands").fetchone()
    assert row == (3,)


async def test_a_connection_lost_before_commit_changed_nothing(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    await acceptor.place(order(account_id))
    with database.transaction():
        database.execute("SELECT 1 FROM balances FOR UPDATE")
        waiting = asyncio.create_task(acceptor.place(order(account_id)))
        while not terminated(database):
            await asyncio.sleep(0.01)
        with pytest.raises(DatabaseUnavailable):
            await waiting
    assert locked(database, account_id)[1] == 1
    assert (await acceptor.place(order(account_id))).status == OrderStatus.PENDING


def terminated(database: psycopg.Connection[Any]) -> int:
    return database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ).rowcount


async def test_a_reply_lost_at_commit_is_unknown_and_the_retry_resolves_it(
    acceptor: Acceptor, database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id = trader(database)
    execute = psycopg.AsyncConnection.execute

    async def lose_the_commit(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        if "INSERT INTO orders" in str(query):
            self.pgconn.finish()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return await execute(self, query, *args, **more)

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", lose_the_commit)
    wish = order(account_id, client_order_id="mine")
    with pytest.raises(OutcomeUnknown):
        await acceptor.place(wish)
    monkeypatch.undo()
    again = await acceptor.place(wish)
    assert (await acceptor.place(wish)).order_id == again.order_id
    assert locked(database, account_id)[1] == 1


async def test_a_batch_whose_answer_was_lost_after_commit_is_answered_when_sent_again(
    acceptor: Acceptor, database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    account_id = trader(database)
    too_dear = order(account_id, lots=1_000_000)
    entries = (order(account_id), too_dear, order(account_id, lots=20))
    batch = OrderRequest(Asked(account_id, "orders/batch", b"batch", "k"), entries, is_single=False)
    execute = psycopg.AsyncConnection.execute

    async def lose_the_answer(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        answer = await execute(self, query, *args, **more)
        if "INSERT INTO orders" in str(query):
            self.pgconn.finish()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return answer

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", lose_the_answer)
    with pytest.raises(OutcomeUnknown):
        await acceptor.request(batch)
    monkeypatch.undo()
    again = await acceptor.request(batch)
    assert [isinstance(answer, AcceptedOrder) for answer in again] == [True, False, True]
    stored = database.execute("SELECT id FROM orders ORDER BY id").fetchall()
    assert [answer.order_id for answer in again if isinstance(answer, AcceptedOrder)] == [
        row[0] for row in stored
    ]
    assert locked(database, account_id)[1] == 2


async def test_an_order_that_cannot_be_stored_does_not_fail_its_neighbours(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    wishes = [order(account_id, client_order_id=name) for name in ("a", "b\x00", "c")]
    answers = await asyncio.gather(*map(acceptor.place, wishes), return_exceptions=True)
    assert [isinstance(answer, AcceptedOrder) for answer in answers] == [True, False, True]
    assert locked(database, account_id)[1] == 2


async def test_a_sell_below_the_best_bid_reserves_for_the_bid(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database, "60")
    wish = order(account_id, Side.SELL, lots=100)  # 1 at 59.91
    database.execute("UPDATE market_views SET best_bid_ticks = 6100")
    await acceptor.place(wish)
    assert locked(database, account_id) == ("6.1305", 1)
    database.execute("UPDATE market_views SET best_bid_ticks = 0")
    await acceptor.place(wish)
    assert locked(database, account_id) == ("12.151455", 2)


async def test_numbers_that_could_not_be_stored_are_refused(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database, "500000000000")
    database.execute("UPDATE market_prices SET mark_ticks = 2147483647")
    most = order(account_id, lots=ETH_PERP.max_quantity_lots, price_ticks=2**31 - 1, leverage=1)
    assert await refusal_of(acceptor.place(most)) == Refusal.INVALID_ORDER
    most = order(account_id, lots=ETH_PERP.max_quantity_lots, price_ticks=5_000_000, leverage=1)
    await acceptor.place(most)  # a thousand million
    poor = order(trader(database), lots=ETH_PERP.max_quantity_lots, price_ticks=2**31 - 1)
    assert await refusal_of(acceptor.place(poor)) == Refusal.INSUFFICIENT_MARGIN
    database.execute("UPDATE balances SET total_atoms = 2000000000000000000")
    assert await refusal_of(acceptor.place(order(account_id))) == Refusal.INVALID_ORDER


async def test_two_processes_accept_a_name_once_and_no_margin_twice(
    pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database, "10")
    first, second = Acceptor(pool, OpenOrdersMax(5, 5)), Acceptor(pool, OpenOrdersMax(5, 5))
    for acceptor in (first, second):
        await acceptor.start()
    wish = order(account_id, lots=100, price_ticks=1_000, client_order_id="mine")
    same = await asyncio.gather(*(a.place(wish) for a in (first, second) * 4))
    assert len({answer.order_id for answer in same}) == 1
    more = [order(account_id, lots=300, price_ticks=1_000) for _ in range(4)]
    answers = await asyncio.gather(
        *(a.place(wish) for a in (first, second) for wish in more), return_exceptions=True
    )
    refused = [answer.refusal for answer in answers if isinstance(answer, Refused)]
    assert refused == [Refusal.INSUFFICIENT_MARGIN] * 6
    assert locked(database, account_id) == ("7.035", 3)
    cheap = [order(account_id, lots=1, price_ticks=1) for _ in range(3)]
    answers = await asyncio.gather(
        *(a.place(wish) for a in (first, second) for wish in cheap), return_exceptions=True
    )
    refused = [answer.refusal for answer in answers if isinstance(answer, Refused)]
    assert refused == [Refusal.TOO_MANY_OPEN_ORDERS] * 4
    for acceptor in (first, second):
        await acceptor.stop()


@pytest.mark.parametrize("rounds", range(8))
async def test_whoever_waits_when_the_acceptor_stops_is_answered(
    pool: AsyncPool, database: psycopg.Connection[Any], rounds: int
) -> None:
    stopping, account_id = Acceptor(pool, OpenOrdersMax(50, 50)), trader(database)
    await stopping.start()
    asked = [asyncio.ensure_future(stopping.place(order(account_id))) for _ in range(3)]
    for _ in range(rounds):
        await asyncio.sleep(0)
    await stopping.stop()
    answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)
    assert all(isinstance(one, StorageError | AcceptedOrder) for one in answers)


@pytest.mark.parametrize("delay_us", range(0, 6_000, 200))
async def test_an_acceptor_ends_wherever_it_is_stopped(
    pool: AsyncPool, database: psycopg.Connection[Any], delay_us: int
) -> None:
    account_id = trader(database)
    for _ in range(5):
        stopping = Acceptor(pool, OpenOrdersMax(500, 500))
        await stopping.start()
        asked = [asyncio.ensure_future(stopping.place(order(account_id))) for _ in range(3)]
        await asyncio.sleep(delay_us / 1_000_000)
        await asyncio.wait_for(stopping.stop(), 10)
        await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)
