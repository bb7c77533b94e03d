"""The PostgreSQL that a simulation is recorded to: a given one, or that of a data directory."""

from collections.abc import Iterator
from contextlib import contextmanager

from storage.errors import StorageError
from storage.migrations.run import upgrade
from storage.postgres.database import connect
from storage.servers.embedded import EmbeddedPostgres
from storage.servers.given import check_postgres
from storage.settings import ConfigurationError, Settings


@contextmanager
def recording_database(settings: Settings) -> Iterator[str]:
    """Its URL, with the newest schema. Raises ConfigurationError.

    DATABASE_URL, where it is set. Else the data directory's own server, started for as long as
    this lasts where no deployment runs it.
    """
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        check_postgres(url)
        upgrade(url)
        yield url
        return
    server = EmbeddedPostgres(
        settings.data_path,
        servers_user=settings.servers_user,
        api_connections=settings.api_connections,
    )
    try:
        url = server.url if _runs(settings, server) else server.start()
        upgrade(url)
        yield url
    finally:
        server.stop()


def _runs(settings: Settings, server: EmbeddedPostgres) -> bool:
    """Whether somebody has started the server of this data directory."""
    if not (settings.data_path / "postgres").is_dir():
        return False
    try:
        connect(server.url, "recording").close()
    except (ConfigurationError, StorageError):
        return False
    return True
