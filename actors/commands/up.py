"""`sandpit up`: all that one deployment needs, started in order and watched to the end."""

import json
import os
import socket
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from actors.cluster import ours as cluster
from actors.cluster.keeper import RayKeeper
from actors.cluster.remote import RayCluster, Wanted, ask, refused_to_start
from actors.command_line import tell
from actors.commands import deployment
from actors.commands.api_processes import ApiProcesses, listen
from actors.commands.beginning import Beginning, give_past, read_beginning
from actors.commands.saying import say, step
from actors.commands.server_watch import Server, ServerWatch
from actors.commands.signals import Interrupted, Signals
from actors.log_room import LogRoom
from actors.logs import log_to_file
from actors.patience import Patience, Stuck
from actors.shown import shown
from sim.book.engine import warm_up, warm_up_terms
from sim.scenario.fields import ScenarioError
from storage.errors import StorageError
from storage.files.headlines_file import HeadlinesFileError
from storage.files.trades_file import TradesFileError
from storage.postgres.database_roles import DatabaseUrls
from storage.servers.bootstrap import prepare_database
from storage.servers.child_server import last_words
from storage.servers.data_directory import Hold, prepare
from storage.servers.database_hold import DatabaseHold
from storage.servers.embedded import EmbeddedPostgres, EmbeddedValkey
from storage.servers.given import check_given_servers
from storage.servers.given_roles import users_of_given
from storage.settings import ADDRESSES, ConfigurationError, Settings

TOLD = (ConfigurationError, ScenarioError, StorageError, TradesFileError, HeadlinesFileError)
"""What is wrong with what somebody has given: one sentence each."""

WATCH_S = 0.25
QUOTES_WAIT_S = 120.0
HEALTH_TIMEOUT_S = 2.0
READY_POLL_S = 0.1
HALTED = "HALTED"
NOT_AWAITED = {"supervisor", "keeper"}  # an exchange is ready without them
STOP_ORDER = (
    {"supervisor"},
    {"strategy", "risk", "relay", "keeper", "chain", "indexer"},
    {"market", "recorder", "pool"},
)
"""Who starts others goes first, and who waits for an answer before the one who gives it."""


def up(settings: Settings) -> int:
    """Run until SIGINT or SIGTERM. The exit code: 0, or 1 with one sentence on stderr."""
    signals = Signals()
    signals.install()
    forget_addresses()
    started_at = time.monotonic()
    try:
        with ExitStack() as stack:
            running = Running(settings, signals, stack)
            running.start()
            announce(running, time.monotonic() - started_at)
            while not signals.wanted.wait(WATCH_S):
                running.watch()
            say("stopping")
    except Interrupted:
        say("stopped before it was ready")
    except TOLD as error:
        tell(str(error))
        return 1
    return 0


def forget_addresses() -> None:
    """What is started here inherits these variables, and is told only its own address."""
    for name in ADDRESSES:
        os.environ.pop(name, None)


def announce(running: "Running", seconds: float) -> None:
    """The ready line, and what to try next."""
    address = running.address
    say(f"[green]ready[/] {address}")
    say(
        f"  in {seconds:.1f} s, world {shown(running.settings.world)}, "
        f"data in {shown(str(running.settings.data_dir))}\n"
        f"  try   curl {address}/markets\n"
        f"        curl '{address}/markets/{running.market_ids[0]}/orderbook?depth=5'\n"
        f"  docs  {address}/docs\n"
        "  stop  Ctrl-C"
    )


class Running:
    """What runs. Every part is put on the stack the moment it is started."""

    def __init__(self, settings: Settings, signals: Signals, stack: ExitStack) -> None:
        self.settings = self._given = settings
        self.market_ids: list[str] = []
        self._signals = signals
        self._stack = stack
        self._own_urls: DatabaseUrls | None = None
        self._servers: list[ServerWatch] = []
        self._api: ApiProcesses | None = None
        self._database_hold: DatabaseHold | None = None
        self._cluster = RayCluster()
        self._wanted: list[Wanted] = []
        self._is_ready = False
        self._ray: RayKeeper | None = None
        self._log_dir = Path()
        self._log_room: LogRoom | None = None

    @property
    def address(self) -> str:
        """Where the API is for whoever sits at this machine."""
        return self.settings.address

    def start(self) -> None:
        """Start everything, or raise what is wrong; the stack then takes back what was begun."""
        beginning = self._read_beginning()
        check_given_servers(self.settings)
        cluster.check_ray_address(self.settings)
        data_dir = prepare(self.settings.data_dir)
        self._hold(data_dir)
        listener = self._stack.enter_context(listen(self.settings.host, self.settings.port))
        self._keep_logs(data_dir / "log")
        self._set(port=listener.getsockname()[1], data_dir=data_dir)
        say(f"sandpit starts in {shown(str(data_dir))}")
        kernels = self._in_background(self._compile, awaited=False)
        database = self._in_background(lambda: self._start_database(data_dir, beginning))
        self._stack.callback(cluster.stop_ray)
        self._start_ray()
        self._await_work(database)
        self._start_api(listener)
        self._await_work(kernels)
        with step(f"actors: {deployment.told(self._wanted)}"):
            self._start_actors()
        self._await_ready(deployment.quoted_markets(beginning.world))
        self._ray = RayKeeper(self._wanted, self._cluster, self._start_ray, say)
        self._is_ready = True

    def _read_beginning(self) -> Beginning:
        """Before anything is started: files are what is wrong most often."""
        beginning = read_beginning(self.settings)
        self.market_ids = [listed.spec.market_id for listed in beginning.world.markets]
        return beginning

    def _keep_logs(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        log_dir.mkdir(mode=0o700, exist_ok=True)
        log_to_file(str(log_dir), "up", self.settings.log_level)
        self._log_room = LogRoom(log_dir)
        self._cluster = RayCluster(str(log_dir), self.settings.log_level)

    def _start_database(self, data_dir: Path, beginning: Beginning) -> None:
        self._start_servers(data_dir)
        with step("database: schema, markets, accounts"):
            self._database_hold = DatabaseHold(self._database_url())
            self._stack.callback(self._database_hold.release)
            self._database_hold.take()
            urls = self._database_users(data_dir)
            prepare_database(urls, [listed.spec for listed in beginning.world.markets])
            self._wanted = deployment.wanted_actors(self.settings, urls, beginning, self._cluster)
            self._set(database_url=SecretStr(urls.api))
        with step("candles of the past"):
            without = give_past(urls, beginning)
        if without:
            say(without)

    def _database_users(self, data_dir: Path) -> DatabaseUrls:
        """The database as each kind of process reaches it."""
        if self._own_urls is not None:
            return self._own_urls
        urls, reason = users_of_given(self.settings, data_dir)
        if reason:
            say(f"  one database user for all processes: {shown(reason)}; see sandpit db grants")
        return urls

    def _hold(self, data_dir: Path) -> None:
        hold = Hold(data_dir / "up.lock")
        hold.take("")
        self._stack.callback(hold.release)

    def _in_background(self, work: Callable[[], None], awaited: bool = True) -> Future[None]:
        """What starts something is awaited when the start fails, so that it can be stopped."""
        pool = ThreadPoolExecutor(1)
        self._stack.callback(pool.shutdown, wait=awaited)
        return pool.submit(work)

    def _await_work(self, work: Future[None]) -> None:
        while not wait([work], READY_POLL_S).done:
            self._signals.check()
        work.result()

    def _compile(self) -> None:
        with step("engine: kernels"):
            warm_up()
            warm_up_terms()

    def _start_ray(self) -> None:
        """In the main thread: Ray ends with the thread that started it."""
        try:
            with step("Ray"):
                cluster.start_ray(self._given)
        finally:
            self._signals.take_again()

    def _start_servers(self, data_dir: Path) -> None:
        if self.settings.redis_url is None:
            with step("Valkey"):
                valkey = EmbeddedValkey(
                    data_dir, self.settings.valkey_memory_mb_max, self.settings.servers_user
                )
                self._stack.callback(valkey.stop)
                redis_url = SecretStr(valkey.start())
                self._set(redis_url=redis_url, limits_redis_url=valkey.limits_url)
                self._look_after("Valkey", valkey)
        if self.settings.database_url is None:
            with step("PostgreSQL"):
                postgres = EmbeddedPostgres(
                    data_dir,
                    servers_user=self.settings.servers_user,
                    api_connections=self.settings.api_connections,
                )
                self._stack.callback(postgres.stop)
                self._set(database_url=SecretStr(postgres.start()))
                self._own_urls = postgres.urls()
                self._look_after("PostgreSQL", postgres)

    def _look_after(self, name: str, server: Server) -> None:
        self._servers.append(ServerWatch(name, server, say))
        self._stack.callback(self._servers[-1].close)

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
        handles: dict[str, Any] = {}
        for wanted in self._wanted:
            self._signals.check()
            handles[wanted.name] = self._cluster.ensure(wanted)
        workers = [wanted.name for wanted in self._wanted if wanted.kind not in NOT_AWAITED]
        self._await(lambda: [name for name in workers if not self._runs(name, handles[name])])

    def _runs(self, name: str, handle: Any) -> bool:
        """Raises ConfigurationError where its constructor has failed: no waiting mends that."""
        self._signals.check()
        if ask(name, "health", HEALTH_TIMEOUT_S) is not None:
            return True
        reason = refused_to_start(handle)
        if reason is not None:
            raise ConfigurationError(f"{name} did not start: {reason}. See {self._log_dir}.")
        return False

    def _stop_actors(self) -> None:
        if not cluster.ray_is_alive():
            return
        stop = self._cluster.stop if self._is_ready else self._cluster.end
        for kinds in STOP_ORDER:
            stop([wanted.name for wanted in self._wanted if wanted.kind in kinds])

    def _await_ready(self, quoted: Sequence[str]) -> None:
        """Until the API answers; and, for a while, until every market has a price, without which
        it takes no orders, and those with a maker have quotes."""
        with step("API"):
            self._await(lambda: [] if self._answers("/health") else self._missing_api())
        with step("first prices"):
            self._is_so(lambda: all(map(self._is_priced, self.market_ids)), QUOTES_WAIT_S)
        if quoted:
            with step("first quotes"):
                self._is_so(lambda: all(map(self._is_quoted, quoted)), QUOTES_WAIT_S)
        silent = [market_id for market_id in quoted if not self._is_quoted(market_id)]
        if silent:
            names = ", ".join(silent)
            say(f"  nobody quotes {names} yet: try again shortly, or see {self._log_dir}")

    def _is_priced(self, market_id: str) -> bool:
        return self._answers(f"/prices/{market_id}") is not None

    def _is_quoted(self, market_id: str) -> bool:
        """For clients and for its traders; or halted: then nobody will."""
        market = self._answers(f"/markets/{market_id}")
        if market and market["status"] == HALTED:
            return True
        book = self._answers(f"/markets/{market_id}/orderbook?depth=1")
        if not (book and book["bids"] and book["asks"]):
            return False
        health = ask(deployment.market_name(market_id), "health", HEALTH_TIMEOUT_S)
        return health is not None and health.is_quoted

    def _answers(self, path: str) -> Any:
        try:
            with urllib.request.urlopen(self.address + path, timeout=HEALTH_TIMEOUT_S) as answer:
                return json.loads(answer.read())
        except (OSError, ValueError):
            return None

    def _missing_api(self) -> list[str]:
        """Raises ConfigurationError where its processes have ended."""
        assert self._api is not None
        if not self._api.pids:
            said = last_words(self._log_dir / "api-0.log")
            raise ConfigurationError(f"The API did not start: {said}. See {self._log_dir}.")
        return ["the API"]

    def _await(self, missing: Callable[[], Sequence[str]]) -> None:
        try:
            Patience(say, self._signals.check).wait(missing)
        except Stuck as error:
            raise ConfigurationError(f"{error}: see {self._log_dir}.") from None

    def _is_so(self, condition: Callable[[], Any], wait_s: float) -> bool:
        deadline = time.monotonic() + wait_s
        while not condition():
            self._signals.check()
            if time.monotonic() > deadline:
                return False
            time.sleep(READY_POLL_S)
        return True

    def watch(self) -> None:
        """Start again what has ended. Called a few times a second."""
        assert self._api is not None
        assert self._log_room is not None
        self._log_room.look()
        assert self._ray is not None
        self._api.watch()
        self._ray.watch()
        if self._database_hold is not None:
            self._database_hold.keep()
        for server in self._servers:
            server.watch()
