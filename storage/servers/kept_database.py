"""The database of a deployment, for the person who runs it: also while the exchange is stopped."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from storage.errors import DatabaseUnavailable
from storage.servers.embedded import EmbeddedPostgres, postgres_program
from storage.servers.recording_server import recording_database
from storage.settings import ConfigurationError, Settings

PSQL_VARIABLES: Mapping[str, str] = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "options": "PGOPTIONS",
}
"""Parts of an address that psql takes from its environment, where no other user sees them."""


@contextmanager
def kept_database(settings: Settings) -> Iterator[str]:
    """Its URL, with the newest schema; see recording_server.py. Raises ConfigurationError.

    Where no exchange runs in the data directory its server is started for as long as this lasts.
    """
    refuse_unused(settings)
    with recording_database(settings) as url:
        yield url


@contextmanager
def running_database(settings: Settings) -> Iterator[str]:
    """The URL of a database that somebody runs; for what only a running exchange can do.

    Raises ConfigurationError, also where the database goes away inside.
    """
    try:
        yield database_address(settings)
    except DatabaseUnavailable:
        place = "DATABASE_URL" if settings.database_url else str(settings.data_path)
        raise ConfigurationError(
            f"The database of {place} does not answer: the exchange must be running."
        ) from None


def database_address(settings: Settings) -> str:
    """The URL by which the database is reached while the exchange runs.

    Raises ConfigurationError.
    """
    refuse_unused(settings)
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return EmbeddedPostgres(settings.data_path).url


def refuse_unused(settings: Settings) -> None:
    """A wrong directory must not become a new, empty deployment."""
    if settings.database_url is None and not (settings.data_path / "postgres").is_dir():
        raise ConfigurationError(
            f"No sandpit has run in {settings.data_path}: name another --data-dir."
        )


def psql_program() -> Path | None:
    """Where psql is: on the PATH, else beside the embedded server."""
    found = shutil.which("psql")
    if found is not None:
        return Path(found)
    try:
        program = postgres_program("psql")
    except ConfigurationError:
        return None
    return program if program.exists() else None


def psql_environment(url: str) -> dict[str, str]:
    """What tells psql to connect to that address."""
    parts = conninfo_to_dict(url)
    return {
        variable: str(parts[name]) for name, variable in PSQL_VARIABLES.items() if name in parts
    }
