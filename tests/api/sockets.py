"""Raw bytes to a server, and what comes back; and how much memory a server has."""

import os
import socket
from pathlib import Path

from tests.api.deployment import Deployment
from tests.waiting import WAIT_S_MAX


def connect(
    deployment: Deployment, source: str = "127.0.0.1", receive_bytes: int | None = None
) -> socket.socket:
    """A connection from a loopback address, with a small window where one is given."""
    connection = socket.socket()
    connection.settimeout(WAIT_S_MAX)
    if receive_bytes is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.bind((source, 0))
    connection.connect(("127.0.0.1", deployment.port))
    return connection


def everything(connection: socket.socket) -> bytes:
    """What the server says until it closes."""
    said = b""
    try:
        while data := connection.recv(65_536):
            said += data
    except ConnectionResetError:
        pass
    return said


def answer_to(deployment: Deployment, sent: bytes) -> bytes:
    """What the server says to these bytes until it closes."""
    with connect(deployment) as connection:
        connection.sendall(sent)
        return everything(connection)


def poured(connection: socket.socket, piece: bytes, bytes_max: int) -> int:
    """How many bytes the server takes of an endless stream before it closes."""
    sent = 0
    try:
        while sent < bytes_max:
            sent += connection.send(piece)
    except (ConnectionResetError, BrokenPipeError):
        pass
    return sent


def resident_bytes(pid: int) -> int:
    """The memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
