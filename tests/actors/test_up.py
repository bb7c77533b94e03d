"""`sandpit up` as an operator meets it: wrong settings, signals, servers of one's own."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import structlog

from actors.commands.signals import Signals
from actors.commands.up import Running
from sim.scenario.fields import ScenarioError
from storage.files.trades_file import TradesFileError
from storage.servers.data_directory import Hold, prepare
from storage.servers.embedded import EmbeddedValkey
from storage.settings import ConfigurationError, Settings
from tests.auditor import audit
from tests.deployment import Deployment
from tests.waiting import eventually, within

pytestmark = [pytest.mark.ray, pytest.mark.slow]
SECRET = "canary"
STOP_S_MAX = 10.0
TRADES = """\
1,150.10,1,150.1,1723161256000,false
2,150.30,1,150.3,1723161257000,true
3,151.70,1,151.7,1723161258000,false
"""
LAST_PRICE = "151.7"
WORLD = """
name = "mine"
seed = 7
[[markets]]
id = "SOL-PERP"
base = "SOL"
quote = "USDC"
tick_size = "0.1"
lot_size = "0.01"
max_quantity = "1000"
price = { process = "constant", price = "100" }
[[populations]]
name = "makers"
strategy = "ladder"
heads = 2
capital = "1000000"
markets = ["SOL-PERP"]
"""


def started_processes() -> list[psutil.Process]:
    """Below this one, but for PostgreSQL's own, which come and go as it vacuums; what starts a
    PostgreSQL is one of ours."""
    found = psutil.Process().children(recursive=True)
    return [process for process in found if process.name() != "postgres"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Starts in this process what is to be refused before there is a server or a Ray."""

    def start(**given: Any) -> None:
        wish = {"data_dir": tmp_path / "data", "port": 0, **given}
        with ExitStack() as stack:
            Running(Settings.load(**wish), Signals(), stack).start()

    before = started_processes()
    yield start
    structlog.reset_defaults()
    assert started_processes() == before


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"world": "nosuch"}, "not one of the worlds default, quiet"),
        ({"world": "."}, "it is not a regular file"),
        ({"replay": Path("nosuch.csv")}, r"nosuch\.csv cannot be read: No such file"),
        ({"database_url": f"postgresql://u:{SECRET}@127.0.0.1:1/x"}, "Connection refused"),
        ({"database_url": SECRET}, "DATABASE_URL does not read like postgresql://"),
        ({"redis_url": f"redis://:{SECRET}@127.0.0.1:1/0"}, "REDIS_URL.*Connection refused"),
        ({"redis_url": f"redis://:{SECRET}@localhost:port/0"}, "REDIS_URL does not read like"),
        ({"redis_url": f"http://{SECRET}"}, "REDIS_URL does not read like redis://"),
        ({"ray_address": "127.0.0.1:1"}, "Nothing answers at RAY_ADDRESS=127.0.0.1:1"),
        ({"ray_address": "ray://127.0.0.1"}, "does not read like HOST:PORT"),
        ({"data_dir": Path("/proc/sandpit")}, "cannot be used"),
        ({"data_dir": Path(__file__)}, "is not a directory"),
        ({"host": "nosuch.invalid"}, "Choose another --host"),
        ({"host": "203.0.113.1"}, "Choose another --host"),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_starts(
    start: Callable[..., None], given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises((ConfigurationError, ScenarioError, TradesFileError), match=sentence) as one:
        start(**given)
    assert SECRET not in str(one.value)
    assert "\n" not in str(one.value)


def test_a_port_where_somebody_listens_is_refused(start: Callable[..., None]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"Port {port} .* in use.*another --port"):
            start(port=port)
        answer_in_http(taken)
        with pytest.raises(ConfigurationError, match=r"what answers is not Ray|timed out"):
            start(ray_address=f"127.0.0.1:{port}")


def answer_in_http(listener: socket.socket) -> None:
    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.recv(100)

    threading.Thread(target=answer, daemon=True).start()


def test_a_directory_that_another_up_holds_is_refused(
    start: Callable[..., None], tmp_path: Path
) -> None:
    hold = Hold(prepare(tmp_path / "data") / "up.lock")
    hold.take()
    with pytest.raises(ConfigurationError, match=r"Another sandpit runs in .*another --data-dir"):
        start()
    hold.release()


def test_a_directory_with_somebodys_files_is_refused(
    start: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").touch()
    with pytest.raises(ConfigurationError, match="holds other files"):
        start()
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["thesis.txt"]


def test_a_directory_of_another_layout_is_refused(
    start: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "version").write_text("99")
    with pytest.raises(ConfigurationError, match="layout 99"):
        start()


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["--world", "nosuch"], {}, "nosuch: no such file"),
        ([], {"SANDPIT_WORLDD": "quiet"}, "did you mean SANDPIT_WORLD?"),
        ([], {"SANDPIT_PROXIES_TRUSTED": "10.0.0.1"}, "SANDPIT_PROXIES_TRUSTED must be a list"),
        (["--replay-once"], {}, "--replay-once needs --replay"),
    ],
)
def test_a_mistake_is_one_line_on_standard_error_and_exit_code_one(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], sentence: str
) -> None:
    command = [sys.executable, "-m", "actors.cli", "up", "--data-dir", str(tmp_path / "data")]
    ended = subprocess.run(
        [*command, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("sandpit: ")
    assert sentence in line


def test_ctrl_c_while_it_starts_leaves_no_process(servers_path: Path) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "actors.cli", "up", "--port", "0"),
            "--data-dir",
            str(servers_path),
        ],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    within(lambda: eventually_line(process.stdout, "database:"))
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(STOP_S_MAX) == 0
    assert "stopped before it was ready" in within(process.stdout.read)
    assert psutil.wait_procs(children, timeout=1)[1] == []


def eventually_line(lines: Any, word: str) -> None:
    assert any(word in line for line in lines), f"{word} was never printed"


@dataclass(frozen=True)
class Shared:
    """Servers that no `up` has started."""

    environment: dict[str, str]
    names: Callable[[], list[tuple[str, str]]]


@pytest.fixture
def shared(
    database_url: str, redis_url: str, valkey: EmbeddedValkey, ray_session: str, servers_dir: Path
) -> Shared:
    import ray

    def names() -> list[tuple[str, str]]:
        found = ray.util.list_named_actors(all_namespaces=True)
        return [(entry["namespace"], entry["name"]) for entry in found]

    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SANDPIT_LIMITS_REDIS_URL": valkey.limits_url,
        "RAY_ADDRESS": ray_session,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(servers_dir / "ray.token"),
    }
    return Shared(environment, names)


def test_two_side_by_side_on_servers_of_one_s_own(
    shared: Shared, tmp_path: Path, servers_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(WORLD)
    (tmp_path / "SOLUSDT-trades.csv").write_text(TRADES)
    world = ["--world", str(tmp_path / "mine.toml")]
    replay = ["--replay", str(tmp_path / "SOLUSDT-trades.csv"), "--replay-once"]
    before = set(shared.names())
    with ExitStack() as stack:
        mine = Deployment(servers_path / "mine", *world, *replay, environment=shared.environment)
        stack.callback(mine.stop)
        kinds = {child.name() for child in psutil.Process(mine.process.pid).children()}
        assert kinds.isdisjoint({"gcs_server", "raylet", "postgres", "valkey-server"})
        eventually(lambda: index_price(mine) == LAST_PRICE)
        assert mine.ask("GET", "/markets/SOL-PERP/orderbook")[1]["bids"]
        only_ray = {name: shared.environment[name] for name in shared.environment if "RAY" in name}
        other = Deployment(servers_path / "other", "--world", "quiet", environment=only_ray)
        stack.callback(other.stop)
        assert len({space for space, _ in set(shared.names()) - before}) == 2
        assert mine.stop() == 0
        assert other.ask("GET", "/health")[0] == 200
        assert other.stop() == 0
    assert set(shared.names()) == before
    with psycopg.connect(shared.environment["DATABASE_URL"], autocommit=True) as connection:
        audit(connection)


def index_price(deployment: Deployment) -> str:
    answer = deployment.ask("GET", "/prices/SOL-PERP")[1]
    return str(answer.get("indexPrice"))
