"""Migrations and table declarations say the same."""

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

from storage.migrations.run import alembic_config, sqlalchemy_url, upgrade
from storage.tables import audit, identity, markets, money, recordings, simulations, trading, upkeep

BEFORE_CREDENTIALS = "0003"
DECLARED = (audit, identity, markets, money, recordings, simulations, trading, upkeep)


def test_the_migrated_schema_is_the_declared_one(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_guests_of_an_older_database_are_known_as_guests(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), BEFORE_CREDENTIALS)
        for number, password_hash in ((2_001, "!"), (2_002, "$argon2id$")):
            connection.execute(
                text(
                    f"INSERT INTO accounts VALUES ({number}, 'CLIENT', NULL, 5);"
                    f"INSERT INTO users VALUES ({number}, 'u{number}@example.com',"
                    f" '{password_hash}', 'TRADER', 'ACTIVE', 5)"
                )
            )
    upgrade(database_url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, email, guest_since_us FROM users ORDER BY id"))
        assert rows.fetchall() == [
            (2_001, "u2001@example.com", 5),
            (2_002, "u2002@example.com", None),
        ]
    engine.dispose()


def test_migrating_again_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    upgrade(database_url)
