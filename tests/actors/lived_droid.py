"""A droid on a chain that is driven by hand: its owner, its host, and a price that goes where it
is sent."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

import psycopg

from actors.live.droid_places import own_name
from actors.live.droids import DroidHost
from sim.chain.acts import SwapIn, Wish, act_text
from sim.chain.known_pools import POOLS
from sim.chain.wallets import Wallets, droid_wallet
from sim.droid.config import DroidConfig, read_config
from sim.droid.states import Active
from storage.droids.changes import change_config, set_active
from storage.droids.rows import Onlooker, create
from storage.postgres.database import AsyncPool, open_pool
from storage.postgres.unit_of_work import unit_of_work
from tests.actors.lived_chain import SEED, LivedChain
from tests.builders import trader, with_money

PRICE = Fraction("3215.5")
GAS_ATOMS = 20_000_000
"""0.2 ETH."""

GIVEN: dict[str, object] = {
    "funding_usd": Decimal(50_000),
    "trigger_type": "SPOT",
    "tick_buckets": 10,
    "bucket_offset": 0,
    "funding_curve": "LINEAR",
    "max_bots": 5,
    "max_price": Decimal(4_000),
    "min_price": Decimal(2_500),
    "gas_budget_usd": Decimal(2_000),
    "max_gas_price_gwei": Decimal(50),
    "priority_gwei": Decimal(1),
    "derivative_threshold": Decimal(0),
    "ladder_margin": Decimal("0.02"),
    "falling_trigger": Decimal("0.03"),
    "rising_trigger": Decimal("0.05"),
}
"""The document's droid, but that it goes by the price itself and does not wait."""

Result = TypeVar("Result")


@dataclass
class LivedDroid:
    """pushes   so far, of the price"""

    lived: LivedChain
    droid_id: int
    account_id: int
    host: DroidHost | None = None
    pushes: int = 0

    @property
    def connection(self) -> psycopg.Connection[Any]:
        return self.lived.connection

    def with_pool(self, url: str, work: Callable[[AsyncPool], Awaitable[Result]]) -> Result:
        """As the database's user of the API or of actors."""

        async def worked() -> Result:
            pool = await open_pool(url, 2)
            try:
                return await work(pool)
            finally:
                await pool.close()

        return asyncio.run(worked())

    def asked(self, active: Active) -> None:
        async def ask(pool: AsyncPool) -> None:
            async with unit_of_work(pool) as connection:
                await set_active(connection, self.owner, self.droid_id, active, GAS_ATOMS)

        self.with_pool(self.lived.urls.api, ask)

    def patched(self, **changes: object) -> None:
        async def patch(pool: AsyncPool) -> None:
            async with unit_of_work(pool) as connection:
                await change_config(connection, self.owner, self.droid_id, changes)

        self.with_pool(self.lived.urls.api, patch)

    @property
    def owner(self) -> Onlooker:
        return Onlooker(self.account_id, False)

    def killed(self) -> None:
        """Its actor ends with all that it knew; the next look is another's."""
        if self.host is not None:
            self.host.stop()
        self.host = None

    def look(self) -> None:
        """At all blocks that are new."""
        if self.host is None:
            self.host = DroidHost(self.name, self.lived.urls.engine, SEED)
        self.with_pool(self.lived.urls.engine, self.host.look)

    @property
    def name(self) -> str:
        rows = self.rows("SELECT status FROM droid_sessions WHERE NOT ended")
        return "droids:paused" if rows == [("PAUSED",)] else own_name(self.droid_id)

    def lives(self, blocks: int) -> None:
        """So many blocks, each looked at."""
        for _ in range(blocks):
            self.lived.mined(1)
            self.look()

    def push(self, price: str) -> None:
        """Somebody swaps until the pool has this price."""
        pool, self.pushes = POOLS[42], self.pushes + 1
        limit_x96 = pool.terms.sqrt_price_x96(Decimal(price))
        (now_x96,) = self.rows("SELECT sqrt_price_x96 FROM pools WHERE id = 42")[0]
        zero_for_one = limit_x96 < now_x96
        amount = 10**13 if zero_for_one else 10**22
        act = SwapIn(42, zero_for_one, amount, limit_x96)
        label = f"push/{self.pushes}"
        wish = Wish(label, "swapper-0", act, 10**12, 2 * 10**9, 1 << 62)
        self.connection.execute(
            "INSERT INTO chain_wishes (label, wallet, act, max_fee_wei, priority_fee_wei,"
            " last_block) VALUES (%s, %s, %s, %s, %s, %s)",
            (
                *(wish.label, wish.wallet, act_text(wish.act)),
                *(wish.max_fee_wei, wish.priority_fee_wei, wish.last_block),
            ),
        )

    def rows(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement, values).fetchall()

    @property
    def open_buckets(self) -> list[int]:
        found = "SELECT bucket FROM droid_bots WHERE status = 'ACTIVE' ORDER BY bucket"
        return [bucket for (bucket,) in self.rows(found)]

    def session(self) -> tuple[str, str | None, bool]:
        """Status, note and whether it has ended, of the newest."""
        found = "SELECT status, note, ended FROM droid_sessions ORDER BY id DESC LIMIT 1"
        status, note, ended = self.rows(found)[0]
        return status, note, ended

    @property
    def figures(self) -> dict[str, Any]:
        rows = self.rows("SELECT figures FROM droid_states ORDER BY session_id DESC LIMIT 1")
        found: dict[str, Any] = json.loads(rows[0][0])
        return found

    @property
    def positions_on_chain(self) -> list[tuple[Any, ...]]:
        holder = Wallets(SEED).address(droid_wallet(self.droid_id))
        return self.rows(
            "SELECT tick_lower, tick_upper, liquidity FROM chain_positions WHERE holder = %s"
            " ORDER BY tick_lower",
            (holder,),
        )

    @property
    def transactions(self) -> int:
        """That its wallet has sent."""
        holder = Wallets(SEED).address(droid_wallet(self.droid_id))
        rows = self.rows("SELECT nonce FROM chain_accounts WHERE address = %s", (holder,))
        return int(rows[0][0])

    def brought_over(self) -> dict[str, int]:
        """What is on the chain by the ledger, in atoms by asset."""
        found = "SELECT asset, -sum(amount_atoms) FROM ledger_entries WHERE account_id = %s"
        types = "AND entry_type IN ('TO_CHAIN', 'FROM_CHAIN') GROUP BY asset"
        return {
            asset: int(sum_) for asset, sum_ in self.rows(f"{found} {types}", (self.account_id,))
        }

    def money(self) -> dict[str, int]:
        """What the account has, in atoms by asset."""
        found = "SELECT asset, total_atoms FROM balances WHERE account_id = %s"
        return {asset: int(atoms) for asset, atoms in self.rows(found, (self.account_id,))}


def config(**changes: object) -> DroidConfig:
    return read_config({**GIVEN, **changes}, POOLS[42].terms)


def owned(lived: LivedChain, asked: DroidConfig) -> Iterator[LivedDroid]:
    """A droid of one who has 200,000 USDC and 20 ETH."""
    account_id = trader(lived.connection, "200000")
    with_money(lived.connection, account_id, "20", "ETH")
    droid = LivedDroid(lived, 0, account_id)

    async def made(pool: AsyncPool) -> int:
        async with unit_of_work(pool) as connection:
            return await create(connection, account_id, account_id, 42, asked)

    droid.droid_id = droid.with_pool(lived.urls.api, made)
    yield droid
    droid.killed()
