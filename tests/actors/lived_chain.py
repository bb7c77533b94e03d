"""A chain and its pools in a database, driven by hand; and what all of it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import psycopg

from actors.live.chain import Chain
from actors.live.pool import PoolActor
from sim.chain.known_pools import POOLS
from storage.chain.books import differences
from storage.chain.founding import found_chain
from storage.chain.mining import wish_blocks, withdraw
from storage.chain.node import read_head
from storage.postgres.database_roles import DatabaseUrls

SEED = 7
START_S = 1_800_000_000
PRICE = Fraction(3_500)


@dataclass
class LivedChain:
    urls: DatabaseUrls
    connection: psycopg.Connection[Any]
    pools: Mapping[int, PoolActor]
    is_quiet: bool = False
    _chains: list[Chain] = field(default_factory=list)

    def mined(self, count: int) -> int:
        """So many blocks more; the number of the newest."""
        last = wish_blocks(self.connection, count)
        assert last is not None, "nobody else mines"
        for _ in range(3 * count):
            if self.number == last:
                withdraw(self.connection)
                return last
            self.chain.look()
        raise AssertionError(f"{self.number} is the newest block, not {last}")

    @property
    def number(self) -> int:
        head = read_head(self.connection)
        assert head is not None
        return head.tip.number

    def differences(self) -> list[str]:
        """What does not add up."""
        return differences(self.connection, SEED)

    @property
    def halt_reason(self) -> str | None:
        head = read_head(self.connection)
        return head.halt_reason if head is not None else None

    def restart(self) -> None:
        """Others in the place of these, which end as if they were killed: nothing is kept."""
        self.close()
        self.pools = {pool_id: PoolActor(pool_id, self.urls.engine) for pool_id in POOLS}
        self.supersede()

    def supersede(self) -> None:
        """Another chain's actor, while the one before may live."""
        self._chains.append(Chain(self.urls.engine, self.pools, SEED, is_quiet=self.is_quiet))

    @property
    def chain(self) -> Chain:
        return self._chains[-1]

    def close(self) -> None:
        """Give all connections back."""
        while self._chains:
            self._chains.pop().stop()
        for actor in self.pools.values():
            actor.end()


def founded(
    urls: DatabaseUrls,
    connection: psycopg.Connection[Any],
    price: Fraction = PRICE,
    is_quiet: bool = False,
) -> LivedChain:
    found_chain(connection, SEED, price, START_S)
    pools = {pool_id: PoolActor(pool_id, urls.engine) for pool_id in POOLS}
    lived = LivedChain(urls, connection, pools, is_quiet)
    lived.supersede()
    return lived
