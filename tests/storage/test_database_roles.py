"""Who may do what in the database: asked of a real server, as each of its users."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from sqlmodel import SQLModel

import storage.tables.frames
import storage.tables.identity
import storage.tables.markets
import storage.tables.money
import storage.tables.recordings
import storage.tables.simulations
import storage.tables.trading  # noqa: F401
from storage.migrations.run import upgrade
from storage.people.idle_identities import remove_expired_logins, remove_idle_guests
from storage.postgres.database_roles import DatabaseUrls, as_user, user_of
from storage.postgres.grants import SEQUENCES, TABLES, apply_grants
from storage.servers import bootstrap
from storage.servers.bootstrap import prepare_database
from storage.servers.data_directory import prepare
from storage.servers.embedded import EmbeddedPostgres
from storage.servers.given_roles import OneRole, given_urls, made_urls, script
from storage.settings import ConfigurationError, Settings
from tests.builders import trader

OVER_THE_TOP = (
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY markets FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "CREATE ROLE another",
    "CREATE DATABASE another",
    "ALTER SYSTEM SET fsync = off",
)
NOT_OF_THE_API = (
    "UPDATE market_heads SET epoch = epoch + 1",
    "UPDATE markets SET status = 1",
    "INSERT INTO journal DEFAULT VALUES",
    "SELECT 1 FROM snapshots",
    "UPDATE orders SET filled_lots = 0",
    "UPDATE ledger_entries SET amount_atoms = 0",
    "DELETE FROM commands",
    "UPDATE market_prices SET mark_ticks = 1",
    "INSERT INTO fills DEFAULT VALUES",
    "UPDATE users SET role = 'ADMIN'",
    "UPDATE users SET email = 'mine', status = 'ACTIVE'",
    "INSERT INTO users (id, email, password_hash, role, status, created_at_us)"
    " VALUES (1, 'mine', '', 'ADMIN', 'ACTIVE', 1)",
    "UPDATE balances SET account_id = 1",
    "UPDATE api_keys SET user_id = 1",
    "UPDATE api_keys SET scopes = 'trade'",
    "UPDATE login_sessions SET user_id = 1",
    "UPDATE simulations SET account_id = 1",
    "UPDATE idempotency SET route = ''",
    "DELETE FROM idempotency",
    "INSERT INTO commands (market_id, command_seq, account_id, order_id, payload, created_at_us)"
    " VALUES ('X', 1, 1, 1, '', 1)",
    "INSERT INTO accounts (id, kind, created_at_us) VALUES (1, 'MAIN', 1)",
    "INSERT INTO accounts (kind, created_at_us, archived_at_us) VALUES ('PAPER', 1, 1)",
    "UPDATE accounts SET owner_id = 1",
    "UPDATE accounts SET kind = 'SYSTEM'",
    "SET temp_file_limit = -1",
    *(f"SELECT 1; LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE" for name in ("users", "balances")),
)
NOT_OF_THE_ENGINE = (
    "SELECT password_hash FROM users",
    "UPDATE users SET role = 'ADMIN'",
    "INSERT INTO droids DEFAULT VALUES",
    "UPDATE ledger_entries SET amount_atoms = 0",
    "UPDATE markets SET tick_size = '1'",
    "UPDATE balances SET account_id = 1",
    "UPDATE orders SET account_id = 1",
    "INSERT INTO orders DEFAULT VALUES",
    "UPDATE simulations SET account_id = 1, kept_s = 0",
    *(f"SELECT 1; LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE" for name in ("markets", "orders")),
)
OF_NEITHER = (
    "CREATE TABLE mine (x int)",
    "CREATE TEMP TABLE mine (x int)",
    "DROP TABLE orders",
    "TRUNCATE orders",
    "ALTER TABLE orders ADD x int",
    "UPDATE alembic_version SET version_num = '0'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1",
)


LARGE_OBJECTS = (
    "SELECT lo_create(0)",
    "SELECT lo_creat(-1)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_put(1, 0, 'x')",
    "SELECT lo_open(1, 131072)",
    "SELECT lowrite(0, 'x')",
    "SELECT lo_unlink(1)",
)
CONNECTIONS_TRIED = 250
MUCH = "SELECT count(*) FROM generate_series(1, 10_000_000)"
"""More than the server holds in memory before it counts."""


def refused(url: str, statements: tuple[str, ...]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            try:
                connection.execute(statement)
            except errors.InsufficientPrivilege:
                continue
            pytest.fail(f"{user_of(url)} may: {statement}")


@pytest.fixture
def urls(postgres: EmbeddedPostgres, database_urls: DatabaseUrls) -> DatabaseUrls:
    """A database that is kept to its users as the embedded one is."""
    with psycopg.connect(postgres.admin_url, autocommit=True) as administration:
        name = database_urls.owner.split("?")[0].rpartition("/")[2]
        administration.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        for role in database_urls.roles.values():
            administration.execute(f"GRANT CONNECT ON DATABASE {name} TO {role}")
    return database_urls


def test_the_api_writes_wishes_and_cannot_touch_what_the_engine_keeps(urls: DatabaseUrls) -> None:
    refused(urls.api, (*OVER_THE_TOP, *OF_NEITHER, *NOT_OF_THE_API))


def test_the_engine_is_no_superuser_and_knows_no_passwords(urls: DatabaseUrls) -> None:
    refused(urls.engine, (*OVER_THE_TOP, *OF_NEITHER, *NOT_OF_THE_ENGINE))


def test_the_owner_who_migrates_is_no_superuser_either(urls: DatabaseUrls) -> None:
    refused(urls.owner, OVER_THE_TOP)
    upgrade(urls.owner)


def test_statements_of_the_api_have_an_end_whatever_its_session_asks_for(
    urls: DatabaseUrls,
) -> None:
    with psycopg.connect(urls.api) as connection:
        for bound in ("statement_timeout", "idle_in_transaction_session_timeout"):
            assert connection.execute(f"SHOW {bound}").fetchone() not in (("0",), None)


def test_nobody_keeps_large_objects(postgres: EmbeddedPostgres) -> None:
    urls = postgres.urls()
    for url in (urls.api, urls.engine, urls.owner):
        refused(url, LARGE_OBJECTS)


def test_no_question_of_the_api_fills_the_disk(urls: DatabaseUrls) -> None:
    with (
        psycopg.connect(urls.api) as connection,
        pytest.raises(errors.ConfigurationLimitExceeded, match="temp_file_limit"),
    ):
        connection.execute(MUCH)


def connect_often(url: str, open_ones: ExitStack) -> None:
    for _ in range(CONNECTIONS_TRIED):
        open_ones.enter_context(psycopg.connect(url))


def test_the_api_cannot_take_the_places_of_the_others(urls: DatabaseUrls) -> None:
    with ExitStack() as open_ones:
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            connect_often(urls.api, open_ones)
        for url in (urls.engine, urls.owner):
            psycopg.connect(url).close()


def test_every_table_and_sequence_is_declared_once(urls: DatabaseUrls) -> None:
    """Where this fails: add a line to storage/postgres/grants.py for the table that is new."""
    assert set(SQLModel.metadata.tables) == set(TABLES)
    with psycopg.connect(urls.owner) as connection:
        found = connection.execute(
            "SELECT c.relname, c.relkind FROM pg_class c WHERE c.relkind IN ('r', 'p', 'S')"
            " AND c.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_depend d"
            " WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND c.relkind = 'S'"
            " AND d.deptype IN ('a', 'i'))"
        ).fetchall()
    there = {name for name, _ in found} - {"alembic_version"}
    assert there == {*TABLES, *SEQUENCES}


def test_a_table_that_is_not_declared_is_nobodys_but_the_owners(urls: DatabaseUrls) -> None:
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE undeclared (x int)")
        apply_grants(connection, urls.roles)
    refused(urls.api, ("SELECT 1 FROM undeclared",))
    refused(urls.engine, ("SELECT 1 FROM undeclared",))


def test_applied_again_the_grants_take_back_what_somebody_gave(urls: DatabaseUrls) -> None:
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        connection.execute(f"GRANT ALL ON market_heads TO PUBLIC, {user_of(urls.api)}")
        connection.execute("GRANT ALL ON users TO PUBLIC")
        apply_grants(connection, urls.roles)
        apply_grants(connection, urls.roles)
    refused(urls.api, NOT_OF_THE_API)
    refused(urls.engine, NOT_OF_THE_ENGINE)


@pytest.mark.slow
def test_a_directory_of_one_superuser_is_handed_over_with_its_rows(servers_path: Path) -> None:
    server = EmbeddedPostgres(servers_path / "data", overrides={"fsync": "off"})
    try:
        server.start()
        with psycopg.connect(server.admin_url, autocommit=True) as former:
            former.execute("ALTER DATABASE sandpit OWNER TO sandpit")
            former.execute("GRANT ALL ON DATABASE sandpit TO PUBLIC")
            former.execute("GRANT ALL ON SCHEMA public TO PUBLIC")
        upgrade(server.admin_url)
        with psycopg.connect(server.admin_url, autocommit=True) as former:
            bootstrap.create_system_accounts(former)
            for user in ("sandpit_owner", "sandpit_engine", "sandpit_api"):
                former.execute(f"DROP OWNED BY {user}")
                former.execute(f"DROP ROLE {user}")
        for secret in (servers_path / "data").glob("postgres.sandpit_*"):
            secret.unlink()
        server.restart()
        urls = server.urls()
        prepare_database(urls, [])
        refused(urls.api, (*OVER_THE_TOP, *OF_NEITHER, *NOT_OF_THE_API))
        with psycopg.connect(urls.engine) as connection:
            assert connection.execute("SELECT count(*) FROM accounts").fetchone() == (5,)
        secrets = list((servers_path / "data").glob("*.password"))
        assert len(secrets) == 4
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in secrets)
    finally:
        server.stop()


def admin_of(postgres: EmbeddedPostgres) -> tuple[str, str]:
    parts = psycopg.conninfo.conninfo_to_dict(postgres.admin_url)
    return str(parts["user"]), str(parts["password"])


@pytest.fixture
def server_of_ones_own(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database on a server that is not ours, for a user who may make users."""
    with psycopg.connect(postgres.admin_url, autocommit=True) as administration:
        administration.execute("CREATE ROLE chief LOGIN CREATEROLE PASSWORD 'secret'")
        administration.execute("CREATE DATABASE theirs OWNER chief")
        yield as_user(postgres.urls("theirs").owner, "chief", "secret")
        administration.execute("DROP DATABASE theirs WITH (FORCE)")
        for role in ("theirs_api", "theirs_engine", "chief"):
            administration.execute(f"DROP ROLE IF EXISTS {role}")


def test_on_a_given_server_users_are_made_where_the_given_one_may(
    server_of_ones_own: str, tmp_path: Path
) -> None:
    data_dir = prepare(tmp_path / "data")
    urls = made_urls(server_of_ones_own, data_dir)
    assert urls.roles == {"engine": "theirs_engine", "api": "theirs_api"}
    prepare_database(urls, [])
    refused(urls.api, (*OVER_THE_TOP, "UPDATE market_heads SET epoch = 0"))
    refused(urls.engine, NOT_OF_THE_ENGINE)
    assert made_urls(server_of_ones_own, data_dir, 24) == urls
    with psycopg.connect(urls.owner) as connection:
        limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'theirs_api'"
        assert connection.execute(limit).fetchone() == (24,)


def test_elsewhere_one_user_has_to_do_and_the_reason_is_told(
    server_of_ones_own: str, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    with psycopg.connect(postgres.admin_url, autocommit=True) as administration:
        administration.execute("ALTER ROLE chief NOCREATEROLE")
    with pytest.raises(OneRole, match="chief may not make others"):
        made_urls(server_of_ones_own, prepare(tmp_path / "data"))
    prepare_database(DatabaseUrls.of_one(server_of_ones_own), [])


def test_what_is_told_to_run_by_hand_makes_users_that_do(
    server_of_ones_own: str, postgres: EmbeddedPostgres
) -> None:
    named = DatabaseUrls(
        server_of_ones_own,
        as_user(server_of_ones_own, "theirs_engine", "choose one"),
        as_user(server_of_ones_own, "theirs_api", "choose one"),
    )
    upgrade(server_of_ones_own)
    with psycopg.connect(server_of_ones_own, autocommit=True) as connection:
        connection.execute("\n".join(script("theirs", named)).encode())
    prepare_database(named, [])
    refused(named.api, ("UPDATE market_heads SET epoch = 0",))
    with psycopg.connect(postgres.admin_url, autocommit=True) as administration:
        shared = "SELECT rolconnlimit FROM pg_roles WHERE rolname = ANY(%s) ORDER BY rolname"
        made = administration.execute(shared, ([user_of(named.api), user_of(named.engine)],))
        assert made.fetchall() == [(18,), (66,)]


def test_run_by_a_superuser_it_takes_large_objects_too(
    server_of_ones_own: str, postgres: EmbeddedPostgres
) -> None:
    upgrade(server_of_ones_own)
    administrator = as_user(server_of_ones_own, *admin_of(postgres))
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute("\n".join(script("theirs")).encode())
    refused(as_user(server_of_ones_own, "theirs_api", "choose one"), LARGE_OBJECTS)


def test_three_addresses_go_together() -> None:
    settings = Settings.load(
        database_url="postgresql://a@h/x", api_database_url="postgresql://b@h/x"
    )
    with pytest.raises(ConfigurationError, match="go together"):
        given_urls(settings)


def test_the_engine_removes_idle_guests_and_old_logins_as_itself(urls: DatabaseUrls) -> None:
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        idle, busy = trader(connection), trader(connection)
        connection.execute(
            "DELETE FROM ledger_entries WHERE account_id = %s",
            (idle,),
        )
        connection.execute(
            "UPDATE balances SET total_atoms = 0, version = 0 WHERE account_id = %s", (idle,)
        )
        connection.execute(
            "UPDATE users SET guest_since_us = 1 WHERE id = ANY(%s)", ([idle, busy],)
        )
    with psycopg.connect(urls.engine, autocommit=True) as engine:
        assert remove_idle_guests(engine, 2, 0) == 2
        assert remove_expired_logins(engine, 2) == 0
        left = engine.execute("SELECT id FROM users WHERE id = ANY(%s)", ([idle, busy],))
        assert left.fetchall() == [(busy,)]
