"""What the engine and the API may do to every table: the one place that says so.

A table that is not here is nobody's but the owner's, and a test fails until it is. Commands of a
right are PostgreSQL's words; a list of columns may follow one, as in UPDATE (status).
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from storage.database_roles import API, ENGINE


class Rights(NamedTuple):
    """What may be done to a table. Nothing, where nothing is said."""

    api: str = ""
    engine: str = ""


TABLES: Mapping[str, Rights] = {
    "accounts": Rights(api="SELECT, INSERT, DELETE", engine="SELECT, DELETE"),
    "api_keys": Rights(api="SELECT, INSERT, UPDATE, DELETE"),
    "audit_readings": Rights(api="SELECT", engine="SELECT, INSERT, UPDATE, DELETE"),
    "balances": Rights(api="SELECT, INSERT, UPDATE", engine="SELECT, INSERT, UPDATE, DELETE"),
    "cancel_after": Rights(api="SELECT, INSERT, UPDATE, DELETE", engine="SELECT, UPDATE, DELETE"),
    "candles": Rights(api="SELECT", engine="SELECT, INSERT, UPDATE, DELETE"),
    "commands": Rights(api="SELECT, INSERT", engine="SELECT, INSERT, UPDATE, DELETE"),
    "ended_sessions": Rights(api="SELECT, INSERT", engine="SELECT, DELETE"),
    "fills": Rights(api="SELECT", engine="SELECT, INSERT, DELETE"),
    "idempotency": Rights(api="SELECT, INSERT, UPDATE, DELETE", engine="SELECT, DELETE"),
    "journal": Rights(engine="SELECT, INSERT, DELETE"),
    "journal_packs": Rights(engine="SELECT, INSERT, DELETE"),
    "ledger_entries": Rights(api="SELECT, INSERT", engine="SELECT, INSERT, DELETE"),
    "login_addresses": Rights(api="SELECT, INSERT, UPDATE, DELETE"),
    "login_sessions": Rights(
        api="SELECT, INSERT, UPDATE, DELETE", engine="SELECT (id, expires_at_us), DELETE"
    ),
    "market_heads": Rights(engine="SELECT, UPDATE"),
    "market_prices": Rights(api="SELECT", engine="SELECT, INSERT, UPDATE"),
    "market_sequences": Rights(engine="SELECT, UPDATE"),
    "market_views": Rights(api="SELECT", engine="SELECT, UPDATE"),
    "markets": Rights(api="SELECT", engine="SELECT, UPDATE"),
    "orders": Rights(api="SELECT, INSERT", engine="SELECT, INSERT, UPDATE, DELETE"),
    "positions": Rights(
        api="SELECT, UPDATE (realized_before_atoms)", engine="SELECT, INSERT, UPDATE, DELETE"
    ),
    "projections": Rights(api="SELECT", engine="SELECT, UPDATE"),
    "recorded_quotes": Rights(),
    "recorded_runs": Rights(),
    "recorded_standings": Rights(),
    "recorded_trades": Rights(),
    "simulation_checkpoints": Rights(engine="SELECT, INSERT, UPDATE, DELETE"),
    "simulation_reports": Rights(api="SELECT", engine="SELECT, INSERT, UPDATE, DELETE"),
    "simulations": Rights(api="SELECT, INSERT, UPDATE, DELETE", engine="SELECT, UPDATE, DELETE"),
    "snapshots": Rights(engine="SELECT, INSERT, UPDATE, DELETE"),
    "strategy_ledger": Rights(engine="SELECT, INSERT, DELETE"),
    "table_sizes": Rights(engine="SELECT, INSERT, DELETE"),
    "trades": Rights(api="SELECT", engine="SELECT, INSERT, DELETE"),
    "transfers": Rights(api="SELECT, INSERT"),
    "upkeep": Rights(api="SELECT", engine="SELECT, INSERT, UPDATE"),
    "users": Rights(
        api="SELECT, INSERT, UPDATE",
        engine="SELECT (id, guest_since_us), UPDATE (guest_since_us), DELETE",
    ),
}
SEQUENCES: Mapping[str, Rights] = {
    "fill_ids": Rights(engine="USAGE"),
    "order_ids": Rights(api="USAGE", engine="USAGE"),
}
"""Those that are not a column's own: these come with the table."""

GRANTS_LOCK = 7_236_004
"""Advisory lock number, next to the migrations'."""

EXISTING = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relname = ANY(%s)"""

Connection = psycopg.Connection[Any]


def apply_grants(connection: Connection, roles: Mapping[str, str]) -> None:
    """Give the roles what is declared, and take whatever else they or everybody had.

    roles   names of the engine's and the API's users; empty where the owner does for both

    The connection is the owner's. All in one transaction: whoever works meanwhile sees the old
    rights or the new ones.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [GRANTS_LOCK])
        there = connection.execute(EXISTING, [[*TABLES, *SEQUENCES]]).fetchall()
        row = connection.execute("SELECT current_schema()").fetchone()
        assert row is not None
        wishes = statements(roles, str(row[0]), {name for (name,) in there})
        connection.execute(sql.SQL(";\n").join(wishes))


def statements(
    roles: Mapping[str, str], schema: str = "public", there: set[str] | None = None
) -> Iterator[sql.Composed]:
    """The SQL that gives the roles their rights to what is there; None: to everything."""
    names = [sql.Identifier(name) for name in roles.values()]
    if names:
        usage = sql.SQL("GRANT USAGE ON SCHEMA {} TO {}")
        yield usage.format(sql.Identifier(schema), sql.SQL(", ").join(names))
    for kind, declared in (("TABLE", TABLES), ("SEQUENCE", SEQUENCES)):
        for name, rights in declared.items():
            if there is None or name in there:
                yield from _on(kind, name, rights, roles)


def _on(kind: str, name: str, rights: Rights, roles: Mapping[str, str]) -> Iterator[sql.Composed]:
    thing = sql.SQL(f"{kind} {{}}").format(sql.Identifier(name))
    losing = sql.SQL(", ").join([sql.SQL("PUBLIC"), *map(sql.Identifier, roles.values())])
    yield sql.SQL("REVOKE ALL ON {} FROM {}").format(thing, losing)
    for role, given in ((ENGINE, rights.engine), (API, rights.api)):
        if role in roles and given:
            words = sql.SQL(given)
            yield sql.SQL("GRANT {} ON {} TO {}").format(words, thing, sql.Identifier(roles[role]))
