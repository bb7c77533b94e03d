"""The servers that come with sandpit, for a machine on which nothing is installed."""

from storage.embedded_postgres import EmbeddedPostgres
from storage.embedded_valkey import LIMITS_PREFIX, EmbeddedValkey

__all__ = ["LIMITS_PREFIX", "EmbeddedPostgres", "EmbeddedValkey"]
