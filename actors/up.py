"""`sandpit up`: all that one deployment needs, started in order and watched to the end."""

import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from pydantic import SecretStr
from rich.console import Console

from actors import cluster, deployment
from actors.api_processes import ApiProcesses, listen
from actors.logs import log_to_file
from actors.remote import RayCluster, Wanted, ask
from sim.engine import warm_up
from sim.scenario import World
from sim.scenario_fields import ScenarioError
from storage.bootstrap import prepare_database
from storage.data_directory import Hold, prepare
from storage.database_hold import DatabaseHold
from storage.embedded import EmbeddedPostgres, EmbeddedValkey
from storage.errors import StorageError
from storage.settings import ConfigurationError, Settings
from storage.trades_file import TradesFileError
from storage.world_file import load_world, replayed

WATCH_S = 0.25
READY_WAIT_S = 60.0
HEALTH_TIMEOUT_S = 2.0
RESTART_PAUSE_S = 0.5
READY_POLL_S = 0.1
RAY_LOOK_S = 2.0

console = Console(highlight=False, soft_wrap=True)


class Interrupted(Exception):
    """A signal came while things were starting."""


class Signals:
    """SIGINT and SIGTERM: an exception while starting, a wish while serving, nothing after."""

    def __init__(self) -> None:
        self.wanted = threading.Event()
        self.starting = True

    def install(self) -> None:
        """Take over both signals."""
        signal.signal(signal.SIGINT, self._arrived)
        signal.signal(signal.SIGTERM, self._arrived)

    def _arrived(self, _number: int, _frame: FrameType | None) -> None:
        first = not self.wanted.is_set()
        self.wanted.set()
        if first and self.starting:
            raise Interrupted


def up(settings: Settings) -> int:
    """Run until SIGINT or SIGTERM. The exit code: 0, or 1 with one sentence on stderr."""
    signals = Signals()
    signals.install()
    started_at = time.monotonic()
    try:
        with ExitStack() as stack:
            running = Running(settings, signals, stack)
            running.start()
            signals.starting = False
            announce(running.settings, time.monotonic() - started_at)
            while not signals.wanted.wait(WATCH_S):
                running.watch()
            console.print("stopping")
    except Interrupted:
        console.print("stopped before it was ready")
    except (ConfigurationError, ScenarioError, StorageError, TradesFileError) as error:
        print(f"sandpit: {error}", file=sys.stderr)  # noqa: T201 - the one sentence
        return 1
    return 0


def end_at_once(code: int) -> NoReturn:
    """Leave without Ray's own exit hook, which waits a minute for a Ray that is gone."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def announce(settings: Settings, seconds: float) -> None:
    """The ready line, and what to try next."""
    address = f"http://{settings.host}:{settings.port}"
    console.print(f"[green]ready[/] {address}")
    console.print(
        f"  in {seconds:.1f} s, world {settings.world}, data in {settings.data_dir}\n"
        f"  try   curl {address}/markets\n"
        f"        curl '{address}/markets/BTC-PERP/orderbook?depth=5'\n"
        f"  docs  {address}/docs\n"
        "  stop  Ctrl-C"
    )


@contextmanager
def step(name: str) -> Iterator[None]:
    """Prints a line when a part of the start is done, with its seconds."""
    began = time.monotonic()
    yield
    console.print(f"  {name} [dim]{time.monotonic() - began:.1f} s[/]")


class Running:
    """What runs. Every part is put on the stack the moment it is started."""

    def __init__(self, settings: Settings, signals: Signals, stack: ExitStack) -> None:
        self.settings = settings
        self._signals = signals
        self._stack = stack
        self._postgres: EmbeddedPostgres | None = None
        self._valkey: EmbeddedValkey | None = None
        self._api: ApiProcesses | None = None
        self._database_hold: DatabaseHold | None = None
        self._cluster = RayCluster()
        self._wanted: list[Wanted] = []
        self._restarted_at = 0.0
        self._ray_seen_at = 0.0
        self._log_dir = Path()

    def start(self) -> None:
        """Start everything, or raise what is wrong; the stack then takes back what was begun."""
        world = load_world(self.settings.world)
        if self.settings.replay is not None:
            world = replayed(world, self.settings.replay, self.settings.replay_loops)
        data_dir = prepare(self.settings.data_dir)
        self._log_dir = data_dir / "log"
        self._log_dir.mkdir(mode=0o700, exist_ok=True)
        log_to_file(str(self._log_dir), "up", self.settings.log_level)
        self._cluster = RayCluster(str(self._log_dir), self.settings.log_level)
        self._hold(data_dir)
        listener = self._stack.enter_context(listen(self.settings.host, self.settings.port))
        self.settings = self.settings.model_copy(update={"port": listener.getsockname()[1]})
        console.print(f"sandpit starts in {data_dir}")
        database = self._in_background(lambda: self._start_database(data_dir, world))
        kernels = self._in_background(self._compile)
        self._start_ray()
        database.result()
        self._start_api(listener)
        kernels.result()
        with step("actors: " + ", ".join(wanted.name for wanted in self._wanted)):
            self._start_actors()
        self._await_ready(deployment.quoted_markets(world))

    def _start_database(self, data_dir: Path, world: World) -> None:
        self._start_servers(data_dir)
        with step("database: schema, markets, accounts"):
            self._database_hold = DatabaseHold(self._database_url())
            self._stack.callback(self._database_hold.release)
            self._database_hold.take()
            prepare_database(self._database_url(), [listed.spec for listed in world.markets])
            self._wanted = deployment.wanted_actors(self.settings, world, self._cluster)

    def _hold(self, data_dir: Path) -> None:
        hold = Hold(data_dir / "up.lock")
        hold.take("")
        self._stack.callback(hold.release)

    def _in_background(self, work: Callable[[], None]) -> Future[None]:
        pool = ThreadPoolExecutor(1)
        self._stack.callback(pool.shutdown)
        return pool.submit(work)

    def _compile(self) -> None:
        with step("engine: kernels"):
            warm_up()

    def _start_ray(self) -> None:
        """In the main thread: Ray ends with the thread that started it."""
        with step("Ray"):
            self._stack.callback(cluster.stop_ray)
            cluster.start_ray(self.settings)
        self._signals.install()

    def _start_servers(self, data_dir: Path) -> None:
        if self.settings.redis_url is None:
            with step("Valkey"):
                self._valkey = EmbeddedValkey(data_dir, self.settings.valkey_memory_mb_max)
                self._stack.callback(self._valkey.stop)
                redis_url = SecretStr(self._valkey.start())
                self._set(redis_url=redis_url, limits_redis_url=self._valkey.limits_url)
        if self.settings.database_url is None:
            with step("PostgreSQL"):
                self._postgres = EmbeddedPostgres(data_dir)
                self._stack.callback(self._postgres.stop)
                self._set(database_url=SecretStr(self._postgres.start()))

    def _set(self, **values: object) -> None:
        self.settings = self.settings.model_copy(update=values)

    def _database_url(self) -> str:
        assert self.settings.database_url is not None
        return self.settings.database_url.get_secret_value()

    def _start_api(self, listener: socket.socket) -> None:
        self._api = ApiProcesses(self.settings, listener, self._log_dir)
        self._stack.callback(self._api.stop)
        self._api.start()

    def _start_actors(self) -> None:
        self._stack.callback(self._stop_actors)
        workers = [wanted for wanted in self._wanted if wanted.kind != "supervisor"]
        for wanted in self._wanted:
            self._cluster.ensure(wanted)
        self._await(
            lambda: all(
                ask(wanted.name, "health", HEALTH_TIMEOUT_S) is not None for wanted in workers
            ),
            "the actors",
        )

    def _stop_actors(self) -> None:
        if not cluster.ray_is_alive():
            return
        names = [wanted.name for wanted in self._wanted]
        supervisors = [wanted.name for wanted in self._wanted if wanted.kind == "supervisor"]
        self._cluster.stop(supervisors)
        self._cluster.stop([name for name in names if name not in supervisors])

    def _await_ready(self, quoted: Sequence[str]) -> None:
        """Until the API answers and every market that has a maker shows two sides."""
        with step("API"):
            self._await(lambda: self._answers("/health"), "the API")
        if quoted:
            with step("first quotes"):
                self._await(lambda: all(map(self._is_quoted, quoted)), "the first quotes")

    def _is_quoted(self, market_id: str) -> bool:
        book = self._answers(f"/markets/{market_id}/orderbook?depth=1")
        return bool(book and book["bids"] and book["asks"])

    def _answers(self, path: str) -> Any:
        host = "127.0.0.1" if self.settings.host in ("0.0.0.0", "") else self.settings.host
        url = f"http://{host}:{self.settings.port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=HEALTH_TIMEOUT_S) as answer:
                return json.loads(answer.read())
        except (OSError, ValueError):
            return None

    def _await(self, condition: Callable[[], Any], what: str) -> None:
        deadline = time.monotonic() + READY_WAIT_S
        while not condition():
            if time.monotonic() > deadline:
                raise ConfigurationError(
                    f"{what} did not come up within {READY_WAIT_S:.0f} s; see {self._log_dir}."
                )
            time.sleep(READY_POLL_S)

    def watch(self) -> None:
        """Start again what has ended. Called a few times a second."""
        assert self._api is not None
        if time.monotonic() - self._ray_seen_at > RAY_LOOK_S:
            self._ray_seen_at = time.monotonic()
            if not cluster.ray_is_alive():
                raise ConfigurationError("Ray has ended. Start sandpit again: no order is lost.")
        self._api.watch()
        if self._database_hold is not None:
            self._database_hold.keep()
        if time.monotonic() - self._restarted_at < RESTART_PAUSE_S:
            return
        for name, server in (("Valkey", self._valkey), ("PostgreSQL", self._postgres)):
            if server is None or server.is_alive():
                continue
            self._restarted_at = time.monotonic()
            console.print(f"  {name} has ended; it is started again")
            try:
                server.restart()
            except ConfigurationError as error:
                console.print(f"  {error}")
