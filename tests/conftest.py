"""One PostgreSQL, one Valkey and at most one Ray a run; a fresh database a test."""

import inspect
import itertools
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psycopg
import pytest
import redis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from storage.postgres.database_roles import DatabaseUrls
from storage.servers.data_directory import prepare
from storage.servers.embedded import EmbeddedPostgres, EmbeddedValkey
from storage.settings import Settings
from tests.waiting import PROGRAM_S_MAX, bounded

if TYPE_CHECKING:
    from tests.actors.house import House

ROOT = Path(__file__).parents[1]
TEMPLATE, OWNER = "sandpit_template", "sandpit_owner"
# A lost database costs a test run nothing, so the tests' server may skip the disk.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
RAY_CPUS = 8
# In memory a clone of the template takes a hundredth of a second, on a disk up to half a second.
MEMORY = Path("/dev/shm")
MEMORY_FREE_MIN = 2 << 30

hypothesis_settings.register_profile(
    "sandpit",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.load_profile("sandpit")
_numbers = itertools.count()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Every run has a seed that can be given again with --hypothesis-seed."""
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(secrets.randbelow(2**32))


def pytest_sessionstart(session: pytest.Session) -> None:
    """A run of all tests does not wait for kernels that a new tree has not compiled yet."""
    config = session.config
    is_whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    is_of_actors = "tests/actors" in config.args  # as `make test` runs them
    if (is_whole or is_of_actors) and not config.option.collectonly:
        compiling = subprocess.Popen([sys.executable, "-m", "tests.kernels_ahead"], cwd=ROOT)

        def end() -> None:
            compiling.kill()
            compiling.wait(PROGRAM_S_MAX)

        config.add_cleanup(end)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Nothing is awaited for ever. Who shares the run's Ray comes last: a process that has joined
    it cannot start Ray of its own, as others do, and those would end it for all."""
    items.sort(key=lambda item: "ray_session" in getattr(item, "fixturenames", ()))
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = bounded(item.obj)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """At the end, where a quiet run shows it too."""
    terminalreporter.write_line(f"seed: --hypothesis-seed={config.option.hypothesis_seed}")


@pytest.fixture(scope="session")
def servers_dir() -> Iterator[Path]:
    """A directory with a short name, for sockets stand in it; in memory where there is room."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_FREE_MIN
    path = Path(tempfile.mkdtemp(prefix="sandpit-tests-", dir=MEMORY if in_memory else None))
    prepare(path)  # or what a test puts there first makes it a directory that is somebody's
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def servers_path(servers_dir: Path) -> Path:
    """A directory of this test alone for the data of servers that it starts itself."""
    path = servers_dir / f"test_{next(_numbers)}"
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def postgres(servers_dir: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(servers_dir, overrides=NOT_DURABLE, api_connections=100)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey(servers_dir: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(servers_dir)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def template_database(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated database that nobody is connected to."""
    from storage.migrations.run import upgrade
    from storage.postgres.grants import apply_grants

    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE} OWNER {OWNER}")
    urls = postgres.urls(TEMPLATE)
    upgrade(urls.owner)
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        apply_grants(connection, urls.roles)
    return TEMPLATE


@pytest.fixture
def database_urls(postgres: EmbeddedPostgres, template_database: str) -> Iterator[DatabaseUrls]:
    """A database of this test alone, with the newest schema and no rows, for each of its users."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template_database} STRATEGY FILE_COPY"
        )
        yield postgres.urls(name)
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def database_url(database_urls: DatabaseUrls) -> str:
    """The same, for its owner, who may write every table."""
    return database_urls.owner


@pytest.fixture
def redis_url(valkey: EmbeddedValkey) -> str:
    """The application's user on an empty server."""
    with redis.Redis.from_url(valkey.admin_url) as client:
        client.flushall()
    return valkey.url


@pytest.fixture
def settings(
    database_urls: DatabaseUrls, redis_url: str, valkey: EmbeddedValkey, tmp_path: Path
) -> Settings:
    """An API process's."""
    return Settings.load(
        database_url=database_urls.api,
        redis_url=redis_url,
        limits_redis_url=valkey.limits_url,
        data_dir=tmp_path / "data",
    )


@pytest.fixture
def house(database_urls: DatabaseUrls, redis_url: str) -> Iterator["House"]:
    """All rooms below the API on this test's own database; it is opened by the test."""
    from tests.actors.house import House

    built = House(database_urls, redis_url)
    yield built
    built.close()
    built.database.close()


@pytest.fixture(scope="session")
def ray_session(servers_dir: Path) -> Iterator[str]:
    """The address of a Ray cluster of this run; the test needs the marker ray."""
    from actors.cluster.ours import start_local_ray, stop_ray

    yield start_local_ray(servers_dir, cpus=RAY_CPUS)
    stop_ray()


@pytest.fixture(autouse=True)
def only_marked_tests_start_ray(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Test modules are imported before: a test that could start Ray has it in sys.modules."""
    ray = sys.modules.get("ray")
    if ray is None or request.node.get_closest_marker("ray") is not None:
        return

    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("this test starts Ray and is not marked ray")

    monkeypatch.setattr(ray, "init", refuse)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the person running the tests has set for a deployment stays out of them."""
    for name in list(os.environ):
        if name.startswith("SANDPIT_") or name in ("DATABASE_URL", "REDIS_URL", "RAY_ADDRESS"):
            monkeypatch.delenv(name)
