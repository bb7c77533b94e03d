"""A droid as its owner wants it. Its owner sees it and so do ADMINs; to others there is none."""

from dataclasses import dataclass
from typing import NamedTuple

from sim.chain.known_pools import POOLS, KnownPool
from sim.droid.config import DroidConfig
from sim.refusals import Refusal, Refused
from storage.droids.configs import config_of, config_text
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, Row, fetch_all, fetch_one

COLUMNS = "id, owner_id, account_id, pool_id, config, active, resets, revision, created_at_us"
DROIDS_MAX = 100
"""That a user may have made."""

LOCK_USER = "SELECT 1 FROM users WHERE id = %s FOR UPDATE"
COUNT = "SELECT count(*) FROM droids WHERE owner_id = %s"
INSERT = """
INSERT INTO droids (owner_id, account_id, pool_id, config, active, resets, revision, created_at_us)
VALUES (%s, %s, %s, %s, 0, 0, 0, %s) RETURNING id"""
SELECT = f"SELECT {COLUMNS} FROM droids WHERE id = %(droid)s"
LIST = f"SELECT {COLUMNS} FROM droids WHERE id < %(before)s"
NEWEST_FIRST = " ORDER BY id DESC LIMIT %(limit)s"
OWN = " AND owner_id = %(user)s"
WRITE = """
UPDATE droids SET config = %s, active = %s, resets = %s, revision = revision + 1 WHERE id = %s"""


class Onlooker(NamedTuple):
    """Who asks, and whether they see everybody's droids."""

    user_id: int
    sees_all: bool

    @property
    def only(self) -> str:
        """The condition on what they see."""
        return "" if self.sees_all else OWN


@dataclass(frozen=True)
class Droid:
    """`active` is what was asked last: see storage/tables/droids.py."""

    droid_id: int
    owner_id: int
    account_id: int
    pool_id: int
    config: DroidConfig
    active: int
    resets: int
    revision: int
    created_at_us: int

    @property
    def pool(self) -> KnownPool:
        """Where it works."""
        return POOLS[self.pool_id]


async def create(
    connection: Connection, user_id: int, account_id: int, pool_id: int, config: DroidConfig
) -> int:
    """A droid of the user that does nothing yet, paid by one of their accounts; its id. Raises
    Refused TOO_MANY_DROIDS."""
    await connection.execute(LOCK_USER, (user_id,))
    count = await (await connection.execute(COUNT, (user_id,))).fetchone()
    if count is not None and count[0] >= DROIDS_MAX:
        raise Refused(
            Refusal.TOO_MANY_DROIDS,
            f"A user may make at most {DROIDS_MAX} droids; run those that there are",
        )
    values = (user_id, account_id, pool_id, config_text(config), now_us())
    row = await (await connection.execute(INSERT, values)).fetchone()
    assert row is not None
    return int(row[0])


async def find(pool: AsyncPool, onlooker: Onlooker, droid_id: int) -> Droid:
    """A droid that they see. Raises Refused NOT_FOUND."""
    values = {"droid": droid_id, "user": onlooker.user_id}
    return there(await fetch_one(pool, SELECT + onlooker.only, values))


async def droids(pool: AsyncPool, onlooker: Onlooker, before_id: int, limit: int) -> list[Droid]:
    """A page of those that they see, newest first."""
    values = {"before": before_id, "user": onlooker.user_id, "limit": limit}
    rows = await fetch_all(pool, LIST + onlooker.only + NEWEST_FIRST, values)
    return [as_droid(row) for row in rows]


async def locked(connection: Connection, onlooker: Onlooker, droid_id: int) -> Droid:
    """A droid that they see, under its lock. Raises Refused NOT_FOUND."""
    values = {"droid": droid_id, "user": onlooker.user_id}
    found = await connection.execute(f"{SELECT}{onlooker.only} FOR UPDATE", values)
    return there(await found.fetchone())


async def write(connection: Connection, droid: Droid) -> None:
    """Keep what is wanted of a droid that is locked: one revision more."""
    values = (config_text(droid.config), droid.active, droid.resets, droid.droid_id)
    await connection.execute(WRITE, values)


def no_such_droid() -> Refused:
    """The refusal of another's droid, of a missing one, and of text that names none."""
    return Refused(Refusal.NOT_FOUND, "No such droid")


def there(row: Row | None) -> Droid:
    """A row of COLUMNS. Raises Refused where there is none."""
    if row is None:
        raise no_such_droid()
    return as_droid(row)


def as_droid(row: Row) -> Droid:
    """A row of COLUMNS."""
    droid_id, owner_id, account_id, pool_id, config, *rest = row
    config = config_of(config, POOLS[pool_id].terms)
    return Droid(droid_id, owner_id, account_id, pool_id, config, *rest)
