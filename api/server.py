"""One API process: `python -m api.server [--fd N | --host HOST --port PORT]`."""

import argparse
import logging
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog
import uvicorn

from api.app import body_limits, create_app
from api.door.connections import SEND_BUFFER_BYTES, ConnectionLimits, Crowd
from api.door.families import Families
from api.door.protocol import SWEEP_EVERY_TICKS, BoundedProtocol
from api.door.web_sockets import BoundedWebSocket
from sim.printable import printable
from storage.errors import StorageError
from storage.log_stream import LogStream
from storage.settings import ConfigurationError, Settings

KEEP_ALIVE_S = 75
GRACEFUL_STOP_S = 5
BACKLOG = 2_048
FILES_BESIDE_CONNECTIONS = 256
"""Open files that a process needs beside its connections: database, Valkey, libraries."""
HEARTBEAT_EVERY_TICKS = 10


class SweepingServer(uvicorn.Server):
    """uvicorn's server, which also ends connections that are too slow, and says that it turns.

    heartbeat   a pipe to whoever replaces us when we hang; None where nobody does
    owner       the process that has started this one, and without which it ends
    """

    heartbeat: int | None = None
    owner: int | None = None

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second by uvicorn."""
        if self.heartbeat is not None and counter % HEARTBEAT_EVERY_TICKS == 0:
            with suppress(OSError):  # nobody has read for long, or nobody does any more
                os.write(self.heartbeat, b".")
        if counter % SWEEP_EVERY_TICKS == 0:
            for connection in list(self.server_state.connections):
                if isinstance(connection, BoundedProtocol):
                    connection.end_if_late(connection.loop.time())
        if self.owner is not None and os.getppid() != self.owner:
            self.should_exit = True
        return await super().on_tick(counter)


def server_for(settings: Settings) -> SweepingServer:
    """The server with its application, not yet listening. Raises ConfigurationError."""
    limits = ConnectionLimits(
        connections_max=settings.connections_max,
        read_timeout_s=settings.body_timeout_s,
        write_timeout_s=settings.write_timeout_s,
        bodies=body_limits(settings),
        crowd=Crowd(settings.connections_of_address_max, settings.proxies_trusted),
    )
    app = create_app(settings)
    families: Families = app.state.families
    settled = {
        "limits": limits,
        "error_body": staticmethod(families.of_path("/").errors.body),
        "websocket_paths": frozenset(path.encode() for path in families.sockets),
    }
    protocol = type("SettledProtocol", (BoundedProtocol,), settled)
    bounds = {"limits": limits, "message_bytes_max": families.sockets}
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol,
        loop="uvloop",
        ws=type("SettledWebSocket", (BoundedWebSocket,), bounds),
        ws_per_message_deflate=False,
        ws_ping_interval=settings.socket_ping_s,
        ws_ping_timeout=settings.socket_pong_s,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,  # api/door/client_address.py reads them
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACEFUL_STOP_S,
        backlog=BACKLOG,
    )
    return SweepingServer(config)


def configure_logging(level: str) -> None:
    """JSON lines on standard error, the same for our own messages and the libraries'."""
    number = logging.getLevelNamesMapping()[level.upper()]
    stream = LogStream.beside(sys.stderr)
    logging.basicConfig(level=max(number, logging.WARNING), stream=stream, format="%(message)s")
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, stream)),
    )


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 0 when stopped, 1 with one sentence when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m api.server", description=__doc__)
    parser.add_argument("--fd", type=int, help="a listening socket that this process inherits")
    parser.add_argument("--owner", type=int, help="the process without which this one ends")
    parser.add_argument("--heartbeat-fd", type=int, help="a pipe where a living process writes")
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    given = parser.parse_args(arguments)
    try:
        settings = Settings.load(host=given.host, port=given.port)
        configure_logging(settings.log_level)
        server = server_for(settings)
        server.owner = given.owner
        server.heartbeat = heartbeat(given.heartbeat_fd)
        sockets = [socket.socket(fileno=given.fd)] if given.fd is not None else [bound(settings)]
    except (ConfigurationError, StorageError) as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 1
    allow_open_files(settings.connections_max + FILES_BESIDE_CONNECTIONS)
    serve(server, sockets)
    return 0


def heartbeat(descriptor: int | None) -> int | None:
    """A pipe that never holds its writer up, nor goes to our own children."""
    if descriptor is not None:
        os.set_blocking(descriptor, False)
        os.set_inheritable(descriptor, False)
    return descriptor


def bound(settings: Settings) -> socket.socket:
    """A listening socket. Raises ConfigurationError where the port is taken."""
    try:
        info: Any = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(info[4][:2], family=info[0])
    except OSError as error:
        raise ConfigurationError(
            f"Cannot listen on {settings.host}:{settings.port}: {reason_of(error)}."
        ) from None


def reason_of(error: OSError) -> str:
    """The system's words for it."""
    return os.strerror(error.errno) if error.errno else str(error)


def serve(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
    """Run the event loop until a signal ends it in order.

    uvicorn raises the signal once more when it is done; by then it means nothing.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    for listening in sockets:  # connections inherit it
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    server.run(sockets=sockets)


def allow_open_files(wanted: int) -> None:
    """Raise this process's limit of open files, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


if __name__ == "__main__":
    sys.exit(main())
