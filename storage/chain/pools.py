"""How a pool is rebuilt: its newest snapshot, then what blocks have asked of it since."""

from collections.abc import Iterator
from typing import Any

import psycopg

from sim.chain.pool_calls import calls_of
from sim.chain.pool_host import PoolHost
from sim.pool.saving import pool_of
from sim.sealed import opened, sealed
from storage.errors import CorruptState, wrapped

Connection = psycopg.Connection[Any]

SNAPSHOTS_KEPT = 3
BLOCKS_AT_ONCE = 500

SNAPSHOTS = """
SELECT block_number, state_hash, state FROM pool_snapshots WHERE pool_id = %s
ORDER BY block_number DESC"""
AFTER = """
SELECT number, time_s, pool_calls FROM chain_blocks WHERE number > %s ORDER BY number LIMIT %s"""
STAND = "SELECT block_number, state_hash FROM pools WHERE id = %s"
KEEP = """
INSERT INTO pool_snapshots (pool_id, block_number, state_hash, state) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING"""
DROP = """
DELETE FROM pool_snapshots WHERE pool_id = %(pool)s AND block_number < (
    SELECT min(block_number) FROM (SELECT block_number FROM pool_snapshots
    WHERE pool_id = %(pool)s ORDER BY block_number DESC LIMIT %(kept)s) AS newest)"""


def keep_snapshot(connection: Connection, pool_id: int, host: PoolHost) -> None:
    """As after the last block that is kept."""
    with wrapped(), connection.transaction():
        state = sealed(host.saved())
        connection.execute(KEEP, (pool_id, host.number, host.state_hash, state))
        connection.execute(DROP, {"pool": pool_id, "kept": SNAPSHOTS_KEPT})


def recovered(connection: Connection, pool_id: int) -> PoolHost:
    """The pool after the newest block, from the newest snapshot that leads to what the chain has.

    Raises CorruptState where none does, DatabaseUnavailable.
    """
    met = "it has no snapshot"
    with wrapped():
        snapshots = connection.execute(SNAPSHOTS, (pool_id,)).fetchall()
    for number, state_hash, state in snapshots:
        try:
            host = PoolHost(pool_of(opened(bytes(state))), number, bytes(state_hash))
            catch_up(connection, pool_id, host)
            return host
        except (ValueError, TypeError, CorruptState) as error:
            met = str(error)
    raise CorruptState(f"pool {pool_id} cannot be rebuilt: {met}")


def catch_up(connection: Connection, pool_id: int, host: PoolHost) -> None:
    """Do what blocks have asked of it since. Raises CorruptState where it comes out otherwise."""
    for _ in followed(connection, pool_id, host):
        pass
    with wrapped():
        row = connection.execute(STAND, (pool_id,)).fetchone()
    if row is not None and row[0] == host.number and bytes(row[1]) != host.state_hash:
        raise CorruptState("what its blocks asked of it comes to another state than they had")


def followed(connection: Connection, pool_id: int, host: PoolHost) -> Iterator[int]:
    """The times of the blocks since, in seconds, each when what it asked has been done."""
    for number, time_s, kept in _blocks_after(connection, host.number):
        host.begin(number, host.state_hash)
        for call in calls_of(kept):
            if call.pool_id == pool_id:
                host.run(time_s, {call.call.owner: call.purse}, [call.call])
        host.keep(number)
        yield time_s


def as_it_was(connection: Connection, pool_id: int, number: int) -> PoolHost:
    """The pool after a block that is not newer, where a snapshot is old enough; else as old as
    there is. Raises CorruptState, DatabaseUnavailable."""
    with wrapped():
        snapshots = connection.execute(SNAPSHOTS, (pool_id,)).fetchall()
    old = [one for one in snapshots if one[0] <= number] or snapshots[-1:]
    if not old:
        raise CorruptState(f"pool {pool_id} has no snapshot")
    found, state_hash, state = old[0]
    try:
        return PoolHost(pool_of(opened(bytes(state))), found, bytes(state_hash))
    except ValueError as error:
        raise CorruptState(f"a snapshot of pool {pool_id} is damaged: {error}") from error


def _blocks_after(connection: Connection, number: int) -> Iterator[tuple[int, int, bytes]]:
    while True:
        with wrapped():
            rows = connection.execute(AFTER, (number, BLOCKS_AT_ONCE)).fetchall()
        for number, time_s, kept in rows:
            yield number, time_s, bytes(kept)
        if len(rows) < BLOCKS_AT_ONCE:
            return
