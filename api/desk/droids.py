"""Making droids, and asking things of them: each request in one transaction."""

from collections.abc import Mapping
from typing import Protocol

from api.desk.digests import digest
from sim.chain.known_pools import POOLS
from sim.droid.config import read_config
from sim.droid.states import Active
from sim.refusals import Name, Refusal, Refused
from storage.droids import changes, rows
from storage.droids.configs import config_text
from storage.droids.rows import Droid, Onlooker
from storage.intake.idempotency import Asked, Outcome, once
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, unit_of_work


class Payer(Protocol):
    """Who makes a droid, and the account that pays for it."""

    @property
    def user_id(self) -> int: ...
    @property
    def account_id(self) -> int: ...


async def create(
    pool: AsyncPool, payer: Payer, pool_id: int, given: Mapping[str, object], key: str | None
) -> int:
    """A new droid's id. Raises Refused where there is no such pool, ConfigRefused as
    sim/droid/config.py."""
    if pool_id not in POOLS:
        known = ", ".join(map(str, POOLS))
        raise Refused(Refusal.INVALID_REQUEST, f"{Name.POOL_ID}: must be one of {known}")
    config = read_config(given, POOLS[pool_id].terms)

    async def work(connection: Connection) -> Outcome:
        made = await rows.create(connection, payer.user_id, payer.account_id, pool_id, config)
        return {"droid_id": made}

    asked = Asked(payer.account_id, "droids", digest(str(pool_id), config_text(config)), key)
    return int((await once(pool, asked, work))["droid_id"])


async def set_active(
    pool: AsyncPool, onlooker: Onlooker, droid_id: int, wanted: Active, gas_atoms: int
) -> Droid:
    """The droid as storage/droids/changes.py leaves it."""
    async with unit_of_work(pool) as connection:
        return await changes.set_active(connection, onlooker, droid_id, wanted, gas_atoms)


async def change_config(
    pool: AsyncPool, onlooker: Onlooker, droid_id: int, given: Mapping[str, object]
) -> Droid:
    """The same."""
    async with unit_of_work(pool) as connection:
        return await changes.change_config(connection, onlooker, droid_id, given)
