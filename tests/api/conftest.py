"""One API process for most tests, and one with tight limits."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from storage.postgres.database_roles import DatabaseUrls
from storage.servers.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.api.agents_floor import AgentsFloor, agents_floor
from tests.api.asked_backtests import Backtests, with_candles
from tests.api.browsers import Browser, close_all, without_anybody
from tests.api.deployment import Deployment, Person, running
from tests.api.lived_app import LivedApp, lived_app
from tests.api.trading_floor import Floor, trading_floor
from tests.builders import listed_markets

TIGHT = {
    "SANDPIT_LOGIN_RATE": "3/minute",
    "SANDPIT_READ_RATE": "60/hour",
    "SANDPIT_CANCEL_RATE": "10/hour",
    "SANDPIT_USERS_AN_ADDRESS": "1000",
    "SANDPIT_WRITE_RATE": "2000/hour",
    "SANDPIT_ORDER_RATE": "10/hour",
    "SANDPIT_PROBE_RATE": "120/hour",
    "SANDPIT_BODY_TIMEOUT_S": "2",
    "SANDPIT_WRITE_TIMEOUT_S": "2",
    "SANDPIT_CONNECTIONS_MAX": "300",
    "SANDPIT_CONNECTIONS_OF_ADDRESS_MAX": "300",
    "SANDPIT_HOST": "0.0.0.0",
    "SANDPIT_TOKEN_TTL_S": "60",
}

BEHIND_A_PROXY = {
    "SANDPIT_PROXIES_TRUSTED": '["127.0.0.0/8", "10.0.0.0/8"]',
    "SANDPIT_USERS_AN_ADDRESS": "2",
    "SANDPIT_READ_RATE": "30/hour",
    "SANDPIT_ORDER_RATE": "10/hour",
    "SANDPIT_CANCEL_RATE": "5/hour",
    "SANDPIT_ACCOUNT_RATE": "5/hour",
    "SANDPIT_LOGIN_RATE": "3/minute",
}
"""Whoever asks here chooses its address, by X-Forwarded-For: the tests are the trusted proxy."""


def empty_database(postgres: EmbeddedPostgres, template: str, name: str) -> DatabaseUrls:
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER sandpit_owner TEMPLATE {template}")
    return postgres.urls(name)


def database_of(postgres: EmbeddedPostgres, template: str, name: str) -> DatabaseUrls:
    urls = empty_database(postgres, template, name)
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        listed_markets(connection)
    return urls


@pytest.fixture(scope="session")
def exchange(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, template_database: str, servers_dir: Path
) -> Iterator[Deployment]:
    """An API process whose limits are in nobody's way."""
    urls = database_of(postgres, template_database, "api_exchange")
    with running(urls, valkey.limits_url, servers_dir / "api") as deployment:
        yield deployment


@pytest.fixture(scope="session")
def tight(
    postgres: EmbeddedPostgres, template_database: str, servers_dir: Path
) -> Iterator[Deployment]:
    """An API process with tight limits, which believes that it is open to the world
    and counts failed logins by itself."""
    urls = database_of(postgres, template_database, "api_tight")
    with running(urls, "", servers_dir / "tight", **TIGHT) as deployment:
        yield deployment


@pytest.fixture(scope="session")
def proxied(
    postgres: EmbeddedPostgres, template_database: str, servers_dir: Path
) -> Iterator[Deployment]:
    """An API process behind a proxy, with a small budget for each address."""
    url = database_of(postgres, template_database, "api_proxied")
    with running(url, "", servers_dir / "proxied", **BEHIND_A_PROXY) as deployment:
        yield deployment


@pytest.fixture(scope="session")
def paddock(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, template_database: str, servers_dir: Path
) -> Iterator[Deployment]:
    """An API process for people with droids, beside which nobody builds blocks."""
    urls = database_of(postgres, template_database, "api_paddock")
    with running(urls, valkey.limits_url, servers_dir / "paddock") as deployment:
        yield deployment


@pytest.fixture
def alice(exchange: Deployment) -> Person:
    return exchange.person()


@pytest.fixture
def bob(exchange: Deployment) -> Person:
    return exchange.person()


@pytest.fixture(scope="module")
def opened(
    request: pytest.FixtureRequest,
    postgres: EmbeddedPostgres,
    valkey: EmbeddedValkey,
    template_database: str,
    servers_dir: Path,
) -> Iterator[Floor]:
    """A trading floor for the tests of one file."""
    name = request.module.__name__.rpartition(".")[2]
    urls = empty_database(postgres, template_database, f"api_{name}")
    with trading_floor(urls, valkey, servers_dir / name) as floor:
        yield floor


@pytest.fixture
def floor(opened: Floor) -> Iterator[Floor]:
    """Mark and the last trade are at 59.91; cleared and audited behind each test."""
    opened.mark_at(5_991)
    opened.trade_at("59.91")
    yield opened
    opened.cleared()


@pytest.fixture(scope="module")
def lived(
    request: pytest.FixtureRequest,
    postgres: EmbeddedPostgres,
    valkey: EmbeddedValkey,
    template_database: str,
    servers_dir: Path,
) -> Iterator[LivedApp]:
    """The trading app with a market, a chain and a droid, for the tests of one file."""
    name = request.module.__name__.rpartition(".")[2]
    urls = empty_database(postgres, template_database, f"api_{name}")
    with lived_app(urls, valkey, servers_dir / name) as found:
        yield found


@pytest.fixture(scope="session")
def agents(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, template_database: str, servers_dir: Path
) -> Iterator[AgentsFloor]:
    """Where BTC/USDT is traded by whoever sits at this machine."""
    urls = empty_database(postgres, template_database, "api_agents")
    with agents_floor(urls, valkey, servers_dir / "agents") as floor:
        yield floor


@pytest.fixture
def backtests(agents: AgentsFloor) -> Iterator[Backtests]:
    """Where there are candles, and nobody waits."""
    database = agents.app.database
    for table in ("simulations", "agent_backtests", "control_entries", "agent_settings"):
        database.execute(f"DELETE FROM {table}")
    with_candles(database)
    yield Backtests(agents)
    database.execute("DELETE FROM simulations")
    database.execute("DELETE FROM agent_backtests")


@pytest.fixture(scope="session")
def app(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, template_database: str, servers_dir: Path
) -> Iterator[Deployment]:
    """An API process for people who join the trading app."""
    urls = database_of(postgres, template_database, "api_people")
    with running(urls, valkey.limits_url, servers_dir / "people") as deployment:
        yield deployment


@pytest.fixture
def admin(app: Deployment) -> Iterator[Browser]:
    """The first who has joined."""
    without_anybody(app)
    browser = Browser(app, "admin")
    answer = browser.joins()
    assert answer.status_code == 201, answer.text
    yield browser
    close_all()


@pytest.fixture
def newcomer(app: Deployment, admin: Browser) -> Browser:
    """Someone who has joined, waits, and has logged in."""
    browser = Browser(app)
    assert browser.joins().status_code == 201
    assert browser.logs_in().status_code == 200
    return browser
