"""Who runs the exchange says who is ADMIN."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from actors.commands.role import role
from storage.settings import ConfigurationError, Settings
from tests.builders import trader


def role_of(database_url: str, account_id: int) -> Any:
    with psycopg.connect(database_url) as connection:
        return connection.execute("SELECT role FROM users WHERE id = %s", (account_id,)).fetchone()


def test_a_registered_user_gets_another_role(database_url: str) -> None:
    settings = Settings.load(database_url=database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        account_id = trader(connection)
        (email,) = connection.execute("SELECT email FROM users").fetchall()[0]
    assert role(settings, email.upper(), "admin") == f"{email.upper()} is ADMIN now."
    assert role_of(database_url, account_id) == ("ADMIN",)
    with pytest.raises(ConfigurationError, match="no role KING; there are PENDING, VIEWER"):
        role(settings, email, "KING")
    with pytest.raises(ConfigurationError, match="no role adm\u0131n"):
        role(settings, email, "adm\u0131n")
    with pytest.raises(ConfigurationError, match="Nobody is registered"):
        role(settings, "nobody@example.com", "ADMIN")


def test_where_no_sandpit_runs_nobody_gets_a_role(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No sandpit has run in"):
        role(Settings.load(data_dir=tmp_path / "none"), "a@example.com", "ADMIN")
    away = Settings.load(database_url="postgresql://127.0.0.1:1/none")
    with pytest.raises(ConfigurationError, match="does not answer"):
        role(away, "a@example.com", "ADMIN")
