"""The servers that come with sandpit, for a machine on which nothing is installed."""

from pathlib import Path

from storage import embedded_postgres, embedded_valkey
from storage.embedded_postgres import EmbeddedPostgres, refuse_another_version
from storage.embedded_valkey import LIMITS_PREFIX, EmbeddedValkey

__all__ = [
    "LIMITS_PREFIX",
    "EmbeddedPostgres",
    "EmbeddedValkey",
    "programs",
    "refuse_another_version",
]


def programs() -> dict[str, Path]:
    """What has to be executable. Raises ConfigurationError when a wheel is not installed."""
    return {**embedded_postgres.programs(), "Valkey": embedded_valkey.program().path}
