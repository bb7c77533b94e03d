"""The database's users: none is a superuser, and each process knows only its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from storage.postgres.database import STATEMENT_TIMEOUT_MS, TRANSACTION_IDLE_MS_MAX
from storage.settings import ConfigurationError

OWNER, ENGINE, API = "owner", "engine", "api"
"""Who migrates and opens accounts; what matches and books; what answers requests."""

BOUNDS = {
    "statement_timeout": STATEMENT_TIMEOUT_MS,
    "idle_in_transaction_session_timeout": TRANSACTION_IDLE_MS_MAX,
}
"""What the server holds the API's user to, whatever its sessions ask for at their start."""

TEMP_FILE_MB_MAX = {API: 64, ENGINE: 1_024}
"""What a session may put on the disk for sorting and joining; its lists are read by an index."""

LARGE_OBJECTS = (
    "lo_creat",
    "lo_create",
    "lo_from_bytea",
    "lo_open",
    "lo_put",
    "lo_truncate",
    "lo_truncate64",
    "lo_unlink",
    "lowrite",
)
"""Functions that everybody may call where nobody says otherwise, to write what no table holds."""

WITHHOLD = """
DO $$ DECLARE one regprocedure; BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        FOR one IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace
            AND p.proname = ANY({}) AND has_function_privilege('public', p.oid, 'EXECUTE') LOOP
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', one);
        END LOOP;
    END IF;
END $$"""
"""Only a superuser may take what comes with the server; for others it does nothing."""

POWERS = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class DatabaseUrls:
    """One database, as each of its users reaches it."""

    owner: str = field(repr=False)
    engine: str = field(repr=False)
    api: str = field(repr=False)

    @classmethod
    def of_one(cls, url: str) -> "DatabaseUrls":
        """Where one user has to do for all."""
        return cls(url, url, url)

    @property
    def roles(self) -> dict[str, str]:
        """Names of the engine's and the API's users, where they are not the owner."""
        found = {ENGINE: user_of(self.engine), API: user_of(self.api)}
        return {role: name for role, name in found.items() if name != user_of(self.owner)}


def user_of(url: str) -> str:
    """The user that an address names, as libpq reads it."""
    return str(psycopg.conninfo.conninfo_to_dict(url).get("user", ""))


def as_user(url: str, user: str, password: str) -> str:
    """The same database for another user."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{place}"
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in ("user", "password", "passfile")
    ]
    return urlunsplit((parts.scheme, netloc, parts.path, urlencode(kept), parts.fragment))


def make_roles(connection: Connection, passwords: Mapping[str, str]) -> None:
    """Users by name that may log in with these passwords; those that there are get theirs anew.

    Raises ConfigurationError where one of that name has powers that no user of ours may have.
    """
    for name, password in passwords.items():
        role = sql.Identifier(name)
        found = connection.execute(f"SELECT {POWERS} FROM pg_roles WHERE rolname = %s", [name])
        powers = found.fetchone()
        if powers is None:
            connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        elif powers[0]:
            raise ConfigurationError(
                f"The database's user {name} may do more than a user of sandpit's should: "
                f"ALTER ROLE {name} NOSUPERUSER NOCREATEROLE NOCREATEDB."
            )
        wish = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}")
        connection.execute(wish.format(role, _verifier(connection, name, password)))


def _verifier(connection: Connection, name: str, password: str) -> sql.Literal:
    """What the server keeps of a password: so the password itself never travels."""
    encrypted = connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    )
    return sql.Literal(encrypted.decode())


def without_large_objects() -> sql.Composed:
    """The SQL that takes large objects from all users of the database."""
    line = " ".join(WITHHOLD.split())
    return sql.SQL(line).format(sql.Literal(list(LARGE_OBJECTS)))


def bound_files(connection: Connection, role: str, name: str) -> None:
    """A limit of temporary files for the sessions of a role's user. Takes a superuser."""
    wish = sql.SQL("ALTER ROLE {} SET temp_file_limit = {}")
    limit = sql.Literal(f"{TEMP_FILE_MB_MAX[role]}MB")
    connection.execute(wish.format(sql.Identifier(name), limit))


def bound_role(connection: Connection, name: str) -> None:
    """Limits of time for whatever this user's sessions do."""
    for setting, milliseconds in BOUNDS.items():
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(
                sql.Identifier(name), sql.Identifier(setting), sql.Literal(f"{milliseconds}ms")
            )
        )
