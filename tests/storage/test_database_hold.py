"""A database belongs to one deployment at a time."""

import psycopg
import pytest

from storage.errors import DatabaseUnavailable
from storage.servers.database_hold import DatabaseHold
from storage.settings import ConfigurationError


def test_a_second_deployment_is_refused_until_the_first_has_gone(database_url: str) -> None:
    first, second = DatabaseHold(database_url), DatabaseHold(database_url)
    first.take()
    with pytest.raises(ConfigurationError, match="Another sandpit"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_a_hold_that_the_server_dropped_is_taken_again(database_url: str) -> None:
    held, other = DatabaseHold(database_url), DatabaseHold(database_url)
    held.take()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'sandpit-deployment'"
        )
    with pytest.raises(DatabaseUnavailable):
        held.take()
    held.keep()
    with pytest.raises(ConfigurationError):
        other.take()
    held.release()
