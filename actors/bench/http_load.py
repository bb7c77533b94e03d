"""A small HTTP/1.1 load generator: keep-alive connections, prepared bytes, no client library."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
ANSWER_TIMEOUT_S = 30.0


@dataclass
class Tally:
    """What a run of requests came to."""

    statuses: dict[int, int] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return sum(self.statuses.values()) / self.wall_s

    @property
    def generator_busy(self) -> float:
        """The share of one core that generating took; near 1 means that it was the limit."""
        return self.cpu_s / self.wall_s


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(HEAD_END)
        if head_end < 0 or self._answer is None:
            return
        head = self._buffer[:head_end].lower()
        start = head.find(LENGTH) + len(LENGTH)
        body_end = head_end + 4 + int(head[start : head.find(b"\r", start) % (len(head) + 1)])
        if len(self._buffer) < body_end:
            return
        body, self._buffer = self._buffer[head_end + 4 : body_end], self._buffer[body_end:]
        answer, self._answer = self._answer, None
        if not answer.done():
            answer.set_result((int(head[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server closed the connection"))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of one request."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await asyncio.wait_for(self._answer, ANSWER_TIMEOUT_S)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


def request(method: str, path: str, token: str | None, body: object = None) -> bytes:
    """A request as bytes."""
    data = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(data)}"]
    if data:
        lines.append("Content-Type: application/json")
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join(lines).encode() + HEAD_END + data


async def connect(host: str, port: int, count: int) -> list[Connection]:
    """That many connections."""
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(Connection, host, port) for _ in range(count)]
    return [protocol for _, protocol in made]


async def run_closed_loop(
    connections: list[Connection],
    requests: Iterator[bytes],
    until: Callable[[], bool],
    keep_bodies: bool = False,
) -> Tally:
    """Every connection sends its next request when the last is answered, until told to stop."""
    tally = Tally()

    async def drive(connection: Connection) -> None:
        while not until():
            sent_at = time.perf_counter()
            status, body = await connection.ask(next(requests))
            tally.latencies_s.append(time.perf_counter() - sent_at)
            tally.statuses[status] = tally.statuses.get(status, 0) + 1
            if keep_bodies:
                tally.bodies.append(body)

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*map(drive, connections))
    tally.wall_s, tally.cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    return tally
