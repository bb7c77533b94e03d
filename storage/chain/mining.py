"""Blocks that somebody wishes for without waiting: by one at a time, and for as long as they are
there. Who asks holds a lock of the session; a session that ends, however it does, gives it back."""

from typing import Any

import psycopg

from storage.errors import CorruptState, wrapped

MINING_LOCK = 7_236_013
TAKE = "SELECT pg_try_advisory_lock(%s)"
GIVE_BACK = "SELECT pg_advisory_unlock(%s)"
IS_ASKED = """
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"""
WISH = "UPDATE chain_head SET mine_to = number + %s RETURNING mine_to"
WITHDRAW = "UPDATE chain_head SET mine_to = number"

Connection = psycopg.Connection[Any]


def wish_blocks(connection: Connection, count: int) -> int | None:
    """The number of the last of so many blocks more; None where somebody else waits for theirs.

    The wish holds until it is withdrawn or the connection ends. Raises CorruptState where there is
    no chain, DatabaseUnavailable.
    """
    with wrapped():
        if connection.execute(TAKE, (MINING_LOCK,)).fetchone() != (True,):
            return None
        row = connection.execute(WISH, (count,)).fetchone()
    if row is None:
        raise CorruptState("there is no chain in this world")
    return int(row[0])


def withdraw(connection: Connection) -> None:
    """What is not built yet is not wished for any more."""
    with wrapped():
        connection.execute(WITHDRAW)
        connection.execute(GIVE_BACK, (MINING_LOCK,))


def is_asked(connection: Connection) -> bool:
    """Whether who wished for blocks is there: else nobody does."""
    with wrapped():
        return connection.execute(IS_ASKED, (MINING_LOCK,)).fetchone() == (True,)
