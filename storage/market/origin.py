"""Whose a stream's entries are: a Valkey may still hold what another deployment left in it."""

from typing import Any

import psycopg

from sim.money.ledger import EXTERNAL
from storage.errors import wrapped

FOUNDED = "SELECT created_at_us FROM accounts WHERE id = %s"


def origin_of(connection: psycopg.Connection[Any]) -> bytes:
    """What tells this database from every other: the microsecond its first account was made."""
    with wrapped():
        row = connection.execute(FOUNDED, (EXTERNAL,)).fetchone()
    assert row is not None, "the house's accounts are made before any actor starts"
    return str(row[0]).encode()
