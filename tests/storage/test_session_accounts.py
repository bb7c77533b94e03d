"""Orders in the account of a session that is being stopped, whoever comes first."""

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest
from uuid_utils.compat import uuid7

from sim.refusals import Refused
from storage.agents.sessions import locked_session, set_status, start_session
from storage.intake.accept import Acceptor
from storage.intake.session_accounts import OWN_NAMES, SessionStatus
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import unit_of_work
from tests.builders import order, spot_order, trader

NO_MORE = "The session does not trade any more"


async def begun(pool: AsyncPool, user: int) -> tuple[UUID, int]:
    """A session on ETH-PERP and its account."""
    async with unit_of_work(pool) as connection:
        traded = ("ETH/USDT", "ETH-PERP")
        session = await start_session(connection, uuid7(), user, traded, 10_000_000_000)
        return session.session_id, session.account_id


def waits_for_a_lock(database: psycopg.Connection[Any]) -> bool:
    database.execute("SELECT pg_stat_clear_snapshot()")
    statement = (
        "SELECT 1 FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return database.execute(statement).fetchone() is not None


async def refusal_of(acceptor: Acceptor, user: int, wish: Any) -> str:
    with pytest.raises(Refused) as caught:
        await acceptor.place(wish, None, user)
    return caught.value.message


@pytest.mark.parametrize("tries", [0, 3], ids=["without a lock", "under lock"])
async def test_an_order_that_meets_its_session_being_stopped_is_refused(
    tries: int,
    acceptor: Acceptor,
    pool: AsyncPool,
    database: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("storage.intake.accept.OPTIMISTIC_TRIES_MAX", 3 - tries)
    user = trader(database)
    session_id, account_id = await begun(pool, user)
    async with unit_of_work(pool) as connection:
        session = await locked_session(connection, session_id, user)
        await set_status(connection, session, SessionStatus.STOPPING)
        placing = asyncio.ensure_future(refusal_of(acceptor, user, order(account_id)))
        while not waits_for_a_lock(database) and not placing.done():
            await asyncio.sleep(0.01)
    assert await placing == NO_MORE
    assert database.execute("SELECT 1 FROM orders").fetchone() is None


@pytest.mark.parametrize("status", list(SessionStatus))
async def test_orders_are_taken_while_a_session_runs_or_is_paused_and_then_such_as_close(
    status: SessionStatus, acceptor: Acceptor, pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    user = trader(database)
    session_id, account_id = await begun(pool, user)
    async with unit_of_work(pool) as connection:
        session = await locked_session(connection, session_id, user)
        await set_status(connection, session, status)
    if status.trades:
        assert (await acceptor.place(order(account_id), None, user)).order_id
    else:
        assert await refusal_of(acceptor, user, order(account_id)) == NO_MORE
    if status is SessionStatus.STOPPED:
        left_over = order(account_id, reduce_only=True)
        assert (await acceptor.place(left_over, None, user)).order_id


async def test_a_session_takes_orders_of_its_market_and_under_other_names_than_its_own(
    acceptor: Acceptor, pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    user = trader(database)
    _, account_id = await begun(pool, user)
    said = await refusal_of(acceptor, user, spot_order(account_id))
    assert said.endswith("on ETH/USDT: it takes orders in ETH-PERP alone")
    for prefix in OWN_NAMES:
        named = order(account_id, client_order_id=f"{prefix}1")
        assert "begins as the session's own" in await refusal_of(acceptor, user, named)
    assert (await acceptor.place(order(user, client_order_id="stop:1"), None, user)).order_id
