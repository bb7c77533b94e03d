"""The trading app with all that it shows: a market, a chain of real blocks that is indexed, and
the document's droid at work on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from storage.chain.indexing import CONFIRMATIONS, index_step
from storage.postgres.database_roles import DatabaseUrls
from storage.servers.embedded import EmbeddedValkey
from tests.actors.lived_chain import LivedChain, founded
from tests.actors.lived_droid import PRICE, LivedDroid
from tests.api.browsers import close_all
from tests.api.deployment import Deployment
from tests.api.droid_owners import owner
from tests.api.trading_floor import trading_floor

SPOT, SPOT_MARK_TICKS = "ETH_USDC", 321_550
BLOCKS = 40
"""That are shown; so many that the pool's transactions fill two pages and more."""

Holdings = dict[tuple[bytes, bytes], int]
"""Base units by token and holder; wei under no token."""


@dataclass(frozen=True)
class LivedApp:
    """
    genesis, indexed   what everybody had before the first block and has after the last that is
                       shown
    """

    app: Deployment
    droid: LivedDroid
    genesis: Holdings
    indexed: Holdings


@contextmanager
def lived_app(urls: DatabaseUrls, valkey: EmbeddedValkey, data_dir: Path) -> Iterator[LivedApp]:
    """All of it, on a database of its own."""
    with (
        trading_floor(urls, valkey, data_dir, SPOT) as floor,
        psycopg.connect(urls.owner, autocommit=True) as connection,
    ):
        floor.mark_at(SPOT_MARK_TICKS, SPOT)
        lived = founded(urls, connection, PRICE)
        try:
            yield shown(floor.exchange, lived)
        finally:
            lived.close()


def shown(app: Deployment, lived: LivedChain) -> LivedApp:
    """A droid's first quarter of an hour, and as many blocks as the indexer stays behind."""
    genesis = holdings(lived.connection)
    lived.mined(1)
    olga = owner(app, ETH="2")
    droid = LivedDroid(lived, olga.droid(), olga.person.user_id)
    assert olga.sets(droid.droid_id, 1).status_code == 200
    close_all()
    droid.look()
    droid.lives(BLOCKS)
    indexed = holdings(lived.connection)
    droid.lives(CONFIRMATIONS)
    droid.killed()
    while index_step(lived.connection):
        pass
    assert lived.differences() == []
    return LivedApp(app, droid, genesis, indexed)


def holdings(connection: psycopg.Connection[Any]) -> Holdings:
    tokens = connection.execute("SELECT token, holder, amount FROM chain_holdings").fetchall()
    ether = connection.execute("SELECT ''::bytea, address, wei FROM chain_accounts").fetchall()
    return {(bytes(token), bytes(holder)): int(sum_) for token, holder, sum_ in tokens + ether}
