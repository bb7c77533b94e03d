"""Money that comes back from the chain, booked by the engine's own database user."""

import psycopg

from sim.money.ledger import CHAIN
from storage.droids.rows import Droid
from storage.droids.sessions import bring_home
from storage.postgres.database import open_pool
from storage.postgres.database_roles import DatabaseUrls
from storage.postgres.unit_of_work import unit_of_work
from tests.actors.lived_droid import config
from tests.auditor import check_money
from tests.builders import listed_markets, trader

HOME = {"USDC": 12_500_000, "ETH": 300_000_000}


async def test_money_comes_home_in_kind_and_the_ledger_adds_up(
    database_urls: DatabaseUrls,
) -> None:
    with psycopg.connect(database_urls.owner, autocommit=True) as owner:
        listed_markets(owner)
        account_id = trader(owner, "10")
        droid = Droid(7, account_id, account_id, 42, config(), 0, 0, 0, 0)
        pool = await open_pool(database_urls.engine, 2)
        async with unit_of_work(pool) as connection:
            await bring_home(connection, droid, HOME)
        await pool.close()
        balances = owner.execute(
            "SELECT asset, total_atoms FROM balances WHERE account_id = %s ORDER BY asset",
            (account_id,),
        ).fetchall()
        assert balances == [("ETH", 300_000_000), ("USDC", 22_500_000)]
        legs = owner.execute(
            "SELECT account_id, asset, amount_atoms FROM ledger_entries"
            " WHERE entry_type = 'FROM_CHAIN' AND reference = 'droid_7' ORDER BY id"
        ).fetchall()
        assert sorted(legs) == [
            (CHAIN, "ETH", -300_000_000),
            (CHAIN, "USDC", -12_500_000),
            (account_id, "ETH", 300_000_000),
            (account_id, "USDC", 12_500_000),
        ]
        check_money(owner)
