"""Accepting orders of spot markets: each asset is reserved once, whoever else is at it."""

import asyncio
import random
from functools import partial
from typing import Any

import psycopg
import pytest

from sim.refusals import Refusal, Refused
from sim.rows.messages import Side
from storage.intake.accept import Acceptor
from storage.intake.idempotency import Asked, once
from storage.intake.own_accounts import transfer
from storage.intake.transfers import deposit, reset, withdraw
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, unit_of_work
from tests.auditor import check_money
from tests.builders import order, paper_account, spot_order, trader, with_money
from tests.placing import place_many

ETH = 10**8
LOT = 100_000
LOCKED = "SELECT asset, total_atoms, locked_atoms, open_orders FROM balances WHERE account_id = %s"


def balances(database: psycopg.Connection[Any], account_id: int) -> dict[str, tuple[int, int, int]]:
    """Total, locked and open orders, by asset."""
    rows = database.execute(LOCKED, (account_id,)).fetchall()
    return {row[0]: (int(row[1]), int(row[2]), row[3]) for row in rows}


def rich(database: psycopg.Connection[Any], usdc: str = "1000", eth: str = "5") -> int:
    account_id = trader(database, usdc)
    with_money(database, account_id, eth, "ETH")
    return account_id


async def test_a_sale_locks_what_it_sells_and_counts_with_the_account(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    seller = rich(database)
    await acceptor.place(spot_order(seller, Side.SELL, 1_234))
    assert balances(database, seller) == {
        "ETH": (5 * ETH, 1_234 * LOT, 0),
        "USDC": (1_000_000_000, 0, 1),
    }
    check_money(database)


async def test_a_purchase_may_take_all_that_there_is_and_not_an_atom_more(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    """A lot at 60.00 costs 0.06 and a fee of 0.00003, so no fill of it rounds."""
    for usdc, is_taken in (("60.03", True), ("60.029999", False)):
        buyer = trader(database, usdc)
        (answer,) = await place_many(
            acceptor, [spot_order(buyer, Side.BUY, 1_000, price_ticks=6_000)]
        )
        assert isinstance(answer, Refused) != is_taken
        locked = 60_030_000 if is_taken else 0
        assert balances(database, buyer)["USDC"][1] == locked


async def test_who_has_none_of_an_asset_sells_none(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    (answer,) = await place_many(acceptor, [spot_order(trader(database), Side.SELL, 1)])
    assert isinstance(answer, Refused)
    assert answer.refusal == Refusal.INSUFFICIENT_BALANCE
    assert answer.details == {"asset": "ETH", "required": "0.001", "available": "0"}


async def test_twenty_sales_at_once_of_what_is_there_for_nine_are_nine_yes_and_eleven_no(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    seller = rich(database, eth="0.95")
    answers = await place_many(acceptor, [spot_order(seller, Side.SELL, 100) for _ in range(20)])
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert [answer.refusal for answer in refused] == [Refusal.INSUFFICIENT_BALANCE] * 11
    assert balances(database, seller)["ETH"] == (95_000_000, 90_000_000, 0)
    check_money(database)


async def test_what_is_locked_for_a_purchase_can_neither_leave_nor_be_spent_again(
    acceptor: Acceptor, pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    buyer = rich(database, "100", "1")
    await acceptor.place(spot_order(buyer, Side.BUY, 1_000, price_ticks=6_000))
    await acceptor.place(spot_order(buyer, Side.SELL, 999))
    for asset, free in (("USDC", 39_970_000 - 1_000), ("ETH", LOT)):
        with pytest.raises(Refused) as refused:
            async with unit_of_work(pool) as connection:
                await withdraw(connection, buyer, asset, free + 1)
        assert refused.value.refusal == Refusal.INSUFFICIENT_BALANCE
        async with unit_of_work(pool) as connection:
            await withdraw(connection, buyer, asset, free)
    check_money(database)


@pytest.mark.parametrize("atoms", [2**15, 2**31, 2**63])
async def test_an_amount_leaves_whose_opposite_is_the_least_of_a_type(
    pool: AsyncPool, database: psycopg.Connection[Any], atoms: int
) -> None:
    owner, most = rich(database, "0", "0"), 10**9 * ETH
    for leave in (
        partial(withdraw, asset="ETH", amount_atoms=atoms),
        partial(reset, opening_atoms={}),
    ):
        async with unit_of_work(pool) as connection:
            for done in range(0, atoms, most):
                await deposit(connection, owner, "ETH", min(most, atoms - done))
        async with unit_of_work(pool) as connection:
            await leave(connection, owner)
    assert balances(database, owner)["ETH"][0] == 0
    check_money(database)


async def test_an_account_anew_has_the_assets_that_it_is_given_and_no_others(
    pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    account_id = rich(database)
    for opening in ({"ETH": 7}, {"USDC": 3}, {"USDC": 1, "ETH": 2}):
        async with unit_of_work(pool) as connection:
            after = await reset(connection, account_id, opening)
        assert (after.asset, after.total_atoms) == ("USDC", opening.get("USDC", 0))
        found = {asset: total for asset, (total, _, _) in balances(database, account_id).items()}
        assert found == {"USDC": 0, "ETH": 0} | opening
    check_money(database)


async def moved(pool: AsyncPool, key: str | None, user: int, work: Any) -> None:
    """One movement of money, as it would come by HTTP; being refused is an answer."""

    async def remembered(connection: Connection) -> dict[str, Any]:
        await work(connection)
        return {}

    try:
        await once(pool, Asked(user, "deposits", b"", key), remembered)
    except Refused as refused:
        if refused.refusal != Refusal.INSUFFICIENT_BALANCE:
            raise


@pytest.mark.parametrize("seed", range(3))
async def test_everything_at_once_in_two_assets_of_two_accounts_leaves_no_account_short(
    seed: int, acceptor: Acceptor, pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    print("seed", seed)
    dice = random.Random(seed)
    user = rich(database)
    other = paper_account(database, user, "1000")
    accounts = [user, other]

    def movement(number: int) -> Any:
        asset, whose = dice.choice(["USDC", "ETH"]), dice.choice(accounts)
        atoms = dice.randrange(1, 3 * ETH)
        between, kind = dice.random() < 0.3, dice.choice([deposit, withdraw])
        ends = (whose, other if whose == user else user)

        async def work(connection: Connection) -> object:
            if between:
                return await transfer(connection, user, ends, asset, atoms)
            return await kind(connection, whose, asset, atoms)

        return moved(pool, str(number) if dice.random() < 0.5 else None, user, work)

    wishes = [
        dice.choice([spot_order, order])(
            user,
            dice.choice(list(Side)),
            dice.randrange(1, 900),
            price_ticks=dice.choice([5_900, 6_000]),
        )
        for _ in range(40)
    ]
    await asyncio.gather(place_many(acceptor, wishes), *map(movement, range(40)))
    for account_id in accounts:
        for asset, (total, locked, _) in balances(database, account_id).items():
            assert total >= 0
            assert asset == "USDC" or total >= locked >= 0
    check_money(database)
