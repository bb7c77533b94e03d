"""Money between a user's own accounts: never overdrawn, never lost, whoever else is at it."""

import asyncio
import random
from typing import Any

import psycopg
import pytest

from sim.refusals import Refusal, Refused
from sim.units import ATOMS_PER_UNIT
from storage.intake.accept import Acceptor
from storage.intake.accept_state import OpenOrdersMax
from storage.intake.cancel_after import check_in_use, set_cancel_after
from storage.intake.idempotency import Asked, once
from storage.intake.own_accounts import change, open_account, transfer
from storage.intake.transfers import deposit
from storage.people.idle_identities import remove_idle_guests
from storage.people.owned_accounts import ACCOUNTS_MAX, owned_accounts
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, unit_of_work
from tests.builders import order, paper_account, trader

TRANSFERS = 20
START_ATOMS = 100 * ATOMS_PER_UNIT
UNBALANCED = """
SELECT count(*) FROM (SELECT 1 FROM ledger_entries GROUP BY source, seq, asset
    HAVING sum(amount_atoms) <> 0) wrong"""
BY_LEDGER = "SELECT account_id, sum(amount_atoms) FROM ledger_entries GROUP BY 1"


def totals(database: psycopg.Connection[Any], accounts: list[int]) -> dict[int, int]:
    rows = database.execute(
        "SELECT account_id, total_atoms FROM balances WHERE account_id = ANY(%s)", (accounts,)
    )
    return {account: int(atoms) for account, atoms in rows}


async def moved(pool: AsyncPool, user: int, ends: tuple[int, int], atoms: int, key: str) -> int:
    """How much has moved; every other one with a key, which locks the MAIN account first."""

    async def work(connection: Connection) -> dict[str, Any]:
        return {"seq": (await transfer(connection, user, ends, "USDC", atoms)).seq}

    try:
        asked = Asked(user, "accounts/transfers", b"", key if hash(ends) % 2 else None)
        await once(pool, asked, work)
    except Refused as refused:
        if refused.refusal != Refusal.INSUFFICIENT_BALANCE:
            raise
        return 0
    return atoms


@pytest.mark.parametrize("seed", range(3))
async def test_twenty_transfers_at_once_between_three_accounts_conserve_money(
    seed: int, pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    dice = random.Random(seed)
    print("seed", seed)
    user = trader(database, "100")
    accounts = [user, paper_account(database, user, "100"), paper_account(database, user, "100")]
    wishes = [
        (tuple(dice.sample(accounts, 2)), dice.randrange(1, START_ATOMS)) for _ in range(TRANSFERS)
    ]
    done = await asyncio.gather(
        *(
            moved(pool, user, (ends[0], ends[1]), atoms, f"key {number}")
            for number, (ends, atoms) in enumerate(wishes)
        )
    )
    assert any(done)
    expected = dict.fromkeys(accounts, START_ATOMS)
    for (ends, _), atoms in zip(wishes, done, strict=True):
        expected[ends[0]] -= atoms
        expected[ends[1]] += atoms
    found = totals(database, accounts)
    assert found == expected
    assert min(found.values()) >= 0
    assert database.execute(UNBALANCED).fetchone() == (0,)
    by_ledger = dict(database.execute(BY_LEDGER).fetchall())
    assert {account: int(by_ledger[account]) for account in accounts} == found


async def test_all_that_an_account_has_can_leave_it_once(
    pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    user = trader(database, "100")
    other = paper_account(database, user, "0")
    done = await asyncio.gather(
        *(moved(pool, user, (user, other), START_ATOMS, str(n)) for n in range(TRANSFERS))
    )
    assert sorted(done) == [0] * (TRANSFERS - 1) + [START_ATOMS]
    assert totals(database, [user, other]) == {user: 0, other: START_ATOMS}


async def test_a_stranger_moves_nothing_and_locks_nobody(
    pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    owner, stranger = trader(database), trader(database)
    database.execute("SET lock_timeout = '5s'")
    async with unit_of_work(pool) as connection:
        with pytest.raises(Refused) as caught:
            await transfer(connection, stranger, (owner, stranger), "USDC", 1)
        database.execute("SELECT 1 FROM balances WHERE account_id = %s FOR UPDATE", (owner,))
    assert caught.value.refusal == Refusal.ACCOUNT_NOT_FOUND


async def test_as_many_accounts_as_a_user_may_have_are_opened_at_once_and_no_more(
    pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    user = trader(database)

    async def opened(number: int) -> bool:
        try:
            async with unit_of_work(pool) as connection:
                await open_account(connection, user, f"account {number}", {})
        except Refused as refused:
            if refused.refusal != Refusal.TOO_MANY_ACCOUNTS:
                raise
            return False
        return True

    done = await asyncio.gather(*map(opened, range(ACCOUNTS_MAX + 5)))
    assert sum(done) == ACCOUNTS_MAX - 1
    found = await owned_accounts(pool, user, with_archived=True)
    assert len(found) == ACCOUNTS_MAX
    assert found[0].account_id == user


async def test_a_guest_who_is_removed_opens_no_account(
    pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    user = trader(database)
    database.execute("DELETE FROM ledger_entries WHERE account_id = %s", (user,))
    database.execute("UPDATE balances SET total_atoms = 0 WHERE account_id = %s", (user,))
    database.execute("UPDATE users SET guest_since_us = 1 WHERE id = %s", (user,))
    with database.transaction():
        assert remove_idle_guests(database, 2, 0) == 1
        opening = asyncio.ensure_future(opened_by(pool, user))
        while not waits_for_a_lock(database) and not opening.done():
            await asyncio.sleep(0.01)
    with pytest.raises(Refused) as caught:
        await opening
    assert caught.value.refusal == Refusal.UNAUTHENTICATED
    assert (
        database.execute("SELECT 1 FROM accounts WHERE owner_id = %s", (user,)).fetchone() is None
    )


async def opened_by(pool: AsyncPool, user: int) -> None:
    async with unit_of_work(pool) as connection:
        await open_account(connection, user, "late", {})


def waits_for_a_lock(database: psycopg.Connection[Any]) -> bool:
    database.execute("SELECT pg_stat_clear_snapshot()")
    statement = (
        "SELECT 1 FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return database.execute(statement).fetchone() is not None


@pytest.mark.parametrize("tries", [0, 3], ids=["without a lock", "under lock"])
async def test_an_order_that_meets_its_account_being_archived_is_refused(
    tries: int, pool: AsyncPool, database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.intake.accept.OPTIMISTIC_TRIES_MAX", 3 - tries)
    user = trader(database)
    paper = paper_account(database, user)
    acceptor = Acceptor(pool, OpenOrdersMax(50, 50))
    await acceptor.start()
    try:
        async with unit_of_work(pool) as connection:
            await change(connection, paper, user, None, archived=True)
            placing = asyncio.ensure_future(acceptor.place(order(paper), None, user))
            while not waits_for_a_lock(database) and not placing.done():
                await asyncio.sleep(0.01)
        with pytest.raises(Refused) as caught:
            await placing
        assert caught.value.refusal == Refusal.ACCOUNT_ARCHIVED
    finally:
        await acceptor.stop()
    assert database.execute("SELECT 1 FROM orders").fetchone() is None


async def test_money_that_meets_its_account_being_archived_stays_outside(
    pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    user = trader(database)
    paper = paper_account(database, user)

    async def deposited() -> None:
        async with unit_of_work(pool) as connection:
            await deposit(connection, paper, "USDC", 1)

    async with unit_of_work(pool) as connection:
        await change(connection, paper, user, None, archived=True)
        depositing = asyncio.ensure_future(deposited())
        while not waits_for_a_lock(database) and not depositing.done():
            await asyncio.sleep(0.01)
    with pytest.raises(Refused) as caught:
        await depositing
    assert caught.value.refusal == Refusal.ACCOUNT_ARCHIVED


async def test_a_switch_that_meets_its_account_being_archived_is_refused(
    pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    user = trader(database)
    paper = paper_account(database, user)

    async def switched() -> None:
        async with unit_of_work(pool) as connection:
            await check_in_use(connection, paper)
            await set_cancel_after(connection, paper, 1_000)

    async with unit_of_work(pool) as connection:
        await change(connection, paper, user, None, archived=True)
        switching = asyncio.ensure_future(switched())
        while not waits_for_a_lock(database) and not switching.done():
            await asyncio.sleep(0.01)
    with pytest.raises(Refused) as caught:
        await switching
    assert caught.value.refusal == Refusal.ACCOUNT_ARCHIVED
    assert database.execute("SELECT 1 FROM cancel_after").fetchone() is None


async def test_an_order_in_anothers_account_is_refused_whoever_asks_beside_it(
    pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    owner, stranger = trader(database), trader(database)
    acceptor = Acceptor(pool, OpenOrdersMax(50, 50))
    await acceptor.start()
    try:
        answers = await asyncio.gather(
            acceptor.place(order(owner), None, owner),
            acceptor.place(order(owner), None, stranger),
            acceptor.place(order(10**9), None, stranger),
            return_exceptions=True,
        )
    finally:
        await acceptor.stop()
    assert not isinstance(answers[0], BaseException)
    refused = [answer.refusal for answer in answers if isinstance(answer, Refused)]
    assert refused == [Refusal.ACCOUNT_NOT_FOUND] * 2


async def test_an_order_asks_as_much_of_the_database_in_any_account(
    pool: AsyncPool, database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    user = trader(database)
    paper = paper_account(database, user)
    execute, asked = psycopg.AsyncConnection.execute, []

    async def counted(self: Any, query: Any, *values: Any, **more: Any) -> Any:
        asked.append(query)
        return await execute(self, query, *values, **more)

    acceptor = Acceptor(pool, OpenOrdersMax(50, 50))
    await acceptor.start()
    monkeypatch.setattr(psycopg.AsyncConnection, "execute", counted)
    try:
        for account in (user, paper):
            asked.clear()
            await acceptor.place(order(account), None, user)
            assert len(asked) == 5  # accounts, what they hold, open orders, markets; the write
    finally:
        await acceptor.stop()
