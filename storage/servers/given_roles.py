"""Users of their own for the processes of a deployment on somebody's own PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from storage.errors import DatabaseUnavailable, first_line, wrapped
from storage.postgres.connection_shares import (
    API_WANTED,
    PLACES_UNKNOWN,
    places_of,
    share_out,
    shares,
)
from storage.postgres.database import connect
from storage.postgres.database_roles import (
    API,
    ENGINE,
    DatabaseUrls,
    as_user,
    bound_role,
    make_roles,
    user_of,
    without_large_objects,
)
from storage.postgres.grants import Connection, statements
from storage.servers.data_directory import secret
from storage.settings import ConfigurationError, Settings

NAME_BYTES_MAX = 50
"""Of a database's name in the name of its users, which PostgreSQL cuts at 63 bytes."""

MAY_MAKE = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"


class OneRole(Exception):
    """No users of their own can be had. The message is a clause that says why."""


def given_urls(settings: Settings) -> DatabaseUrls | None:
    """The addresses in the settings, where they name all users of the database.

    Raises ConfigurationError where they name some.
    """
    owner, engine, api = (
        url and url.get_secret_value()
        for url in (settings.database_url, settings.engine_database_url, settings.api_database_url)
    )
    if engine is None and api is None:
        return None
    if not (owner and engine and api):
        raise ConfigurationError(
            "DATABASE_URL, SANDPIT_ENGINE_DATABASE_URL and SANDPIT_API_DATABASE_URL go together: "
            "set all three, or DATABASE_URL alone."
        )
    return DatabaseUrls(owner, engine, api)


def users_of_given(settings: Settings, data_dir: Path) -> tuple[DatabaseUrls, str | None]:
    """The users of a given database: named, made, or one for all and the reason for it.

    Raises ConfigurationError and DatabaseUnavailable.
    """
    assert settings.database_url is not None
    named, url = given_urls(settings), settings.database_url.get_secret_value()
    try:
        return named or made_urls(url, data_dir, settings.api_connections), None
    except OneRole as error:
        return DatabaseUrls.of_one(url), str(error)


def made_urls(url: str, data_dir: Path, api_connections: int = API_WANTED) -> DatabaseUrls:
    """Makes the engine's and the API's users, where the given one may, with secrets of ours.

    Their names begin with the database's: one server may have several deployments, each of which
    is shared out as if it were alone. Raises OneRole where they cannot be had, and
    DatabaseUnavailable.
    """
    with wrapped(), connect(url, "roles") as connection:
        try:
            names = _make(connection, data_dir, api_connections)
        except (psycopg.errors.InsufficientPrivilege, ConfigurationError) as error:
            raise OneRole(first_line(error).rstrip(".")) from None
    passwords = {role: _password(data_dir, role) for role in names}
    urls = {role: as_user(url, name, passwords[role]) for role, name in names.items()}
    for role, its_url in urls.items():
        try:
            connect(its_url, "roles").close()
        except DatabaseUnavailable as error:  # pg_hba.conf, or a pooler in between
            raise OneRole(f"the server does not let {names[role]} in: {error}") from None
    return DatabaseUrls(url, urls[ENGINE], urls[API])


def role_names(database: str) -> dict[str, str]:
    """The users of a database, by what they are for."""
    head = database.encode()[:NAME_BYTES_MAX].decode(errors="ignore")
    return {role: f"{head}_{role}" for role in (ENGINE, API)}


def may_make_users(url: str) -> bool:
    """Whether the given user may. Raises DatabaseUnavailable."""
    with wrapped(), connect(url, "doctor") as connection:
        return connection.execute(MAY_MAKE).fetchone() == (True,)


def _make(connection: Connection, data_dir: Path, api_connections: int) -> dict[str, str]:
    if connection.execute(MAY_MAKE).fetchone() != (True,):
        raise OneRole(f"{connection.info.user} may not make others")
    names = role_names(connection.info.dbname)
    with connection.transaction():
        make_roles(connection, {names[role]: _password(data_dir, role) for role in names})
        bound_role(connection, names[API])
        for limit in share_out(names, shares(places_of(connection), api_connections)):
            connection.execute(limit)
        connection.execute(without_large_objects())
        wish = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}, {}")
        parts = (connection.info.dbname, *names.values())
        connection.execute(wish.format(*map(sql.Identifier, parts)))
    return names


def _password(data_dir: Path, role: str) -> str:
    return secret(data_dir / f"database.{role}.password").hex()


def script(
    database: str, given: DatabaseUrls | None = None, api_connections: int = API_WANTED
) -> Iterator[str]:
    """SQL for whoever administers a server: the users and their rights, a statement a line.

    given             addresses whose users are to be named; None: the users that we would make
    api_connections   see connection_shares.py; the server is taken to have PostgreSQL's own
                      max_connections
    """
    names = given.roles if given is not None else role_names(database)
    for name in names.values():
        role = sql.Identifier(name)
        yield sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'choose one';").format(role).as_string()
        wish = sql.SQL("GRANT CONNECT ON DATABASE {} TO {};")
        yield wish.format(sql.Identifier(database), role).as_string()
    for limit in share_out(names, shares(PLACES_UNKNOWN, api_connections)):
        yield f"{limit.as_string()};"
    yield f"{without_large_objects().as_string()};"
    for statement in statements(names):
        yield f"{statement.as_string()};"


def database_of(settings: Settings) -> tuple[str, DatabaseUrls | None, int]:
    """What `script` asks for: the name of the given database, its users' addresses where the
    settings have them, and the API's connections."""
    given = given_urls(settings)
    url = settings.database_url
    parts = psycopg.conninfo.conninfo_to_dict(url.get_secret_value()) if url else {}
    found = parts.get("dbname") or (url and user_of(url.get_secret_value())) or "sandpit"
    return str(found), given, settings.api_connections
