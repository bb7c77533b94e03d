"""Brings a database to the newest schema; the only place that runs alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from storage.errors import first_line
from storage.settings import ConfigurationError

MIGRATION_LOCK = 7_236_001
"""Advisory lock number: two instances starting on one database migrate one after the other."""


def upgrade(database_url: str) -> None:
    """Apply every migration that the database does not have yet. Raises ConfigurationError."""
    engine = create_engine(sqlalchemy_url(database_url))
    try:
        with engine.begin() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            command.upgrade(alembic_config(connection), "head")
    except CommandError:  # a revision that is not among ours
        raise ConfigurationError(
            "A newer sandpit made this database: use that one, or another database."
        ) from None
    except DBAPIError as error:
        said = first_line(error.orig) if isinstance(error.orig, Exception) else str(error)
        raise ConfigurationError(f"The database cannot be brought up to date: {said}.") from error
    finally:
        engine.dispose()


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def sqlalchemy_url(database_url: str) -> str:
    """A libpq URL as SQLAlchemy with psycopg 3 spells it."""
    return database_url.replace("postgresql://", "postgresql+psycopg://", 1).replace(
        "postgres://", "postgresql+psycopg://", 1
    )
