"""Where `sandpit bench agents` measures: a deployment whose markets are traded in; and in its own
PostgreSQL another database with as many symbols as are asked for."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from uuid_utils.compat import uuid7

from actors.bench.agents_past import WORLD, Past, leaning_book, pasts
from actors.bench.orders import Deployment, start
from sim.market import COLLATERAL, MarketSpec
from sim.money.candles import MINUTE_US, Candle
from storage.agents.founding import name_markets
from storage.agents.sessions import OPEN_SESSIONS_MAX, start_session
from storage.market.depth import levels_to_bytes
from storage.market.markets import create_markets
from storage.market.past import write_past
from storage.migrations.run import upgrade
from storage.postgres.database import connect, now_us, open_pool
from storage.postgres.database_roles import DatabaseUrls
from storage.postgres.grants import apply_grants
from storage.postgres.unit_of_work import unit_of_work
from storage.servers.bootstrap import create_system_accounts
from storage.servers.embedded import EmbeddedPostgres

MINUTES = 480
OWNER = "sandpit_owner"
INITIAL_ATOMS = 10_000_000_000
STOP_S_MAX = 30
SEEN_US = "UPDATE market_views SET at_us = %s"
PRICED_US = "UPDATE market_prices SET updated_at_us = %s"
DROP_WISHES = "UPDATE decisions SET order_state = 'DROPPED' WHERE order_state = 'WISHED'"
INSERT_PRICE = "INSERT INTO market_prices VALUES (%s, %s, %s, 0, NULL, 0)"
SHOW_BOOK = """
UPDATE market_views SET best_bid_ticks = %s, best_ask_ticks = %s, bids = %s, asks = %s
WHERE market_id = %s"""
INSERT_OWNER = """
WITH made AS (INSERT INTO accounts (kind, created_at_us) VALUES ('MAIN', 0) RETURNING id),
known AS (INSERT INTO users (id, email, password_hash, status, created_at_us)
    SELECT id, id || '@example.com', 'x', 'ACTIVE', 0 FROM made)
INSERT INTO balances (account_id, asset, total_atoms, locked_atoms, open_orders)
SELECT id, %s, 0, 0, 0 FROM made RETURNING account_id"""


@dataclass(frozen=True)
class Exchange:
    """A deployment, and how its PostgreSQL is reached."""

    deployment: Deployment
    postgres: EmbeddedPostgres

    @property
    def urls(self) -> DatabaseUrls:
        return self.postgres.urls()


@contextmanager
def deployed() -> Iterator[Exchange]:
    """A sandpit of its own on the default world: people trade on its markets all the while."""
    with tempfile.TemporaryDirectory(prefix="sandpit-bench-") as directory:
        deployment = start(Path(directory), WORLD)
        try:
            yield Exchange(deployment, EmbeddedPostgres(Path(directory) / "data"))
        finally:
            deployment.process.send_signal(signal.SIGINT)
            deployment.process.wait(STOP_S_MAX)


class SymbolsHouse:
    """A database in which so many symbols are looked at and traded on by a session each.

    `ahead_us` is how far its time is ahead of the machine's.
    """

    def __init__(self, postgres: EmbeddedPostgres, symbols: int, seed: int) -> None:
        name = f"symbols_{symbols}"
        with connect(postgres.admin_url, "bench") as server:
            server.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
        self.urls, self.ahead_us = postgres.urls(name), 0
        upgrade(self.urls.owner)
        self._database = connect(self.urls.owner, "bench")
        apply_grants(self._database, self.urls.roles)
        self._list_markets(symbols, seed)

    def close(self) -> None:
        """Give the connection back."""
        self._database.close()

    def clock_us(self) -> int:
        """Its time."""
        return now_us() + self.ahead_us

    def later(self, seconds: float) -> None:
        """So much later; books and prices are fresh, and no approval of before waits any more."""
        self.ahead_us += int(seconds * 1e6)
        for statement in (SEEN_US, PRICED_US):
            self._database.execute(statement, (self.clock_us(),))
        self._database.execute(DROP_WISHES)

    def count(self, what: str) -> int:
        """How many rows."""
        row = self._database.execute(f"SELECT count(*) FROM {what}").fetchone()
        assert row is not None
        return int(str(row[0]))

    def _list_markets(self, symbols: int, seed: int) -> None:
        dice, markets = np.random.default_rng(seed), list(markets_of(symbols, seed))
        create_markets(self._database, [one.spec for one in markets])
        create_system_accounts(self._database)
        newest_us = now_us() // MINUTE_US * MINUTE_US
        write_past(
            self._database, {one.spec.market_id: candles_of(one, newest_us) for one in markets}
        )
        for one in markets:
            self._show(one.spec, int(one.minutes[-1, 4]), dice)
        name_markets(
            self._database, {f"{one.spec.base_asset}/USDT": one.spec.market_id for one in markets}
        )

    def _show(self, spec: MarketSpec, ticks: int, dice: np.random.Generator) -> None:
        """A book and a mark price."""
        bids, asks = leaning_book(ticks, float(dice.standard_normal()), dice)
        self._database.execute(INSERT_PRICE, (spec.market_id, ticks, ticks))
        best = int(bids[0, 0]), int(asks[0, 0])
        sides = levels_to_bytes(bids), levels_to_bytes(asks)
        self._database.execute(SHOW_BOOK, (*best, *sides, spec.market_id))

    async def start_sessions(self) -> None:
        """One on every symbol."""
        pool = await open_pool(self.urls.api, 1)
        try:
            rows = self._database.execute("SELECT symbol, market_id FROM symbols").fetchall()
            owner_id = 0
            for place, (symbol, market_id) in enumerate(rows):
                if place % OPEN_SESSIONS_MAX == 0:
                    owner_id = self._another_owner()
                traded = str(symbol), str(market_id)
                async with unit_of_work(pool) as connection:
                    await start_session(connection, uuid7(), owner_id, traded, INITIAL_ATOMS)
        finally:
            await pool.close()

    def _another_owner(self) -> int:
        row = self._database.execute(INSERT_OWNER, (COLLATERAL,)).fetchone()
        assert row is not None
        return int(str(row[0]))


def markets_of(symbols: int, seed: int) -> Iterator[Past]:
    """Markets of as many assets, each with a stretch of a past of its own."""
    found = pasts(seed)
    for place in range(symbols):
        past = found[place % len(found)]
        asset = f"A{place}"
        spec = replace(past.spec, market_id=f"{asset}-PERP", base_asset=asset)
        begin = (place // len(found)) * MINUTES % (len(past.minutes) - MINUTES)
        yield Past(spec, past.minutes[begin : begin + MINUTES])


def candles_of(past: Past, newest_us: int) -> dict[int, Candle]:
    """Its minutes, as if the last were under way."""
    first_us = newest_us - (len(past.minutes) - 1) * MINUTE_US
    return {
        first_us + place * MINUTE_US: Candle(*map(int, row))
        for place, row in enumerate(past.minutes[:, 1:].tolist())
    }
