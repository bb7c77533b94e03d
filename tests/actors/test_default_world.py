"""The exchange as it comes, started once: beside foreign folders, killed, polled, ended."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tests.actors.foreign_rooms import COMMAND, foreign_rooms
from tests.actors.pollers import MARKETS, Poller, Trading, assert_nothing_was_missed
from tests.deployment import Deployment
from tests.waiting import eventually

pytestmark = [pytest.mark.ray, pytest.mark.slow]
FILLS_WANTED = 250
STOP_S_MAX = 10.0
GONE_S_MAX = 10.0
ORDER = {
    "marketId": "ETH-PERP",
    "side": "BUY",
    "type": "LIMIT",
    "quantity": "0.01",
    "price": "100",
}


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a foreign module tells that it was loaded."""
    return tmp_path_factory.mktemp("default") / "canary"


@pytest.fixture(scope="module")
def exchange(canary: Path, servers_dir: Path) -> Iterator[Deployment]:
    """Four markets, and strategies that trade in all; the last test ends it."""
    beside = foreign_rooms(canary.parent / "work")
    data_dir = servers_dir / "default_world"
    started = Deployment(
        data_dir, command=[COMMAND], cwd=beside, environment={"CANARY": str(canary)}
    )
    yield started
    if started.process.poll() is None:
        assert started.stop() == 0
    assert not canary.exists()


def test_an_exchange_started_beside_foreign_folders_takes_orders_and_loads_none(
    exchange: Deployment, canary: Path
) -> None:
    token = exchange.trader()
    status, answer, _ = exchange.ask("POST", "/orders", ORDER, token)
    assert status == 202, answer
    path = f"/orders/{answer['orderId']}"
    eventually(lambda: exchange.ask("GET", path, token=token)[1]["status"] == "OPEN", 60)
    assert_each_knows_its_own(environments_below(exchange.process.pid), exchange.directory)
    assert not canary.exists()


def environments_below(pid: int) -> dict[str, dict[str, str]]:
    """What every process of a deployment has been told, by its command line."""
    found = {}
    for process in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):  # some live but a moment
            line, told = " ".join(process.cmdline()), process.environ()
            if "launcher" not in line:
                found[line] = told
    return found


def assert_each_knows_its_own(found: dict[str, dict[str, str]], data_dir: Path) -> None:
    """The API the API's user, and nobody another's: in its environment at least."""
    passwords = {
        role: (data_dir / f"postgres.sandpit_{role}.password").read_text()
        for role in ("owner", "engine", "api")
    }
    api = next(told for line, told in found.items() if "api.server" in line)
    assert passwords["api"] in api["DATABASE_URL"]
    assert "REDIS_URL" not in api
    for line, told in found.items():
        others = {"owner", "engine", "api"} - ({"api"} if "api.server" in line else set())
        assert not any(passwords[role] in str(told) for role in others), line


def test_after_kill_9_the_next_up_goes_on_and_nobody_is_endowed_twice(
    exchange: Deployment,
) -> None:
    children = psutil.Process(exchange.process.pid).children(recursive=True)
    with exchange.database() as database:
        accounts = strategy_accounts(database)
        exchange.kill()
    eventually(lambda: all(map(is_a_worker_in_waiting, left_of(children))), GONE_S_MAX)
    exchange.start()
    with exchange.database() as database:
        assert strategy_accounts(database) == accounts


def left_of(processes: list[psutil.Process]) -> list[psutil.Process]:
    return list(psutil.wait_procs(processes, timeout=0)[1])


def is_a_worker_in_waiting(process: psutil.Process) -> bool:
    """Of Ray, starting and without work: it ends when its connection attempt times out."""
    try:
        return any("default_worker.py" in word for word in process.cmdline())
    except psutil.Error:
        return True


def strategy_accounts(database: psycopg.Connection[Any]) -> list[Any]:
    """How many accounts each strategy has, and what they were given."""
    return database.execute(
        "SELECT a.name, count(*), sum(l.amount_atoms) FROM accounts a"
        " JOIN ledger_entries l ON l.account_id = a.id AND l.source = 'endowment'"
        " WHERE a.kind = 'STRATEGY' GROUP BY a.name ORDER BY a.name"
    ).fetchall()


def test_what_polls_newest_first_misses_nothing(exchange: Deployment) -> None:
    token = exchange.trader()
    ether = {"asset": "ETH", "amount": "1000"}
    assert exchange.ask("POST", "/deposits", ether, token)[0] == 201
    eventually(lambda: all(book_is_there(exchange, market_id) for market_id in MARKETS), 60)
    pollers = [Poller(exchange, path, token) for path in ("/fills", "/ledger", "/orders")]
    pollers += [Poller(exchange, f"/markets/{market_id}/trades", token) for market_id in MARKETS]
    for tape in pollers[3:]:
        tape.begin()
    trading = Trading(exchange, token)
    fills = pollers[0]

    def enough() -> bool:
        for poller in pollers:
            poller.poll()
        return len(fills.seen) >= FILLS_WANTED

    eventually(enough, 90)
    trading.stop()
    assert exchange.ask("POST", "/admin/drain")[0] == 200
    for poller in pollers:
        poller.poll()
        assert_nothing_was_missed(poller)


def book_is_there(exchange: Deployment, market_id: str) -> bool:
    _, book, _ = exchange.ask("GET", f"/markets/{market_id}/orderbook?depth=1")
    return bool(book["bids"] and book["asks"])


def test_ctrl_c_ends_every_process_below_it(exchange: Deployment) -> None:
    children = psutil.Process(exchange.process.pid).children(recursive=True)
    os.killpg(exchange.process.pid, signal.SIGINT)
    assert exchange.process.wait(STOP_S_MAX) == 0
    assert psutil.wait_procs(children, timeout=1)[1] == []
