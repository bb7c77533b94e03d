"""The servers that come with sandpit, for a machine on which nothing is installed."""

from pathlib import Path

from storage.servers import postgres as embedded_postgres
from storage.servers import valkey as embedded_valkey
from storage.servers.postgres import EmbeddedPostgres, refuse_another_version
from storage.servers.valkey import EmbeddedValkey

__all__ = [
    "EmbeddedPostgres",
    "EmbeddedValkey",
    "postgres_program",
    "programs",
    "refuse_another_version",
]


def programs() -> dict[str, Path]:
    """What has to be executable. Raises ConfigurationError when a wheel is not installed."""
    return {**embedded_postgres.programs(), "Valkey": embedded_valkey.program().path}


def postgres_program(name: str) -> Path:
    """Where a program of the embedded PostgreSQL is. Raises ConfigurationError."""
    return embedded_postgres.own_program(name)
