"""Migrations and table declarations say the same."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from storage.migrations.run import sqlalchemy_url, upgrade
from storage.tables import audit, identity, markets, money, recordings, simulations, trading

DECLARED = (audit, identity, markets, money, recordings, simulations, trading)


def test_the_migrated_schema_is_the_declared_one(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_migrating_again_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    upgrade(database_url)
