"""uvicorn's HTTP protocol with the time-outs and bounds that it does not have itself."""

import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_BYTES_MAX = 32_768
SWEEP_EVERY_TICKS = 5
"""The server ticks ten times a second; twice a second is exact enough for time-outs."""


def raw_refusal(status: HTTPStatus, code: str, message: str) -> bytes:
    """A whole response for a request that never became one."""
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    retry = b"retry-after: 1\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else b""
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
    length = f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode() + retry + length.encode() + body


BAD_REQUEST = raw_refusal(HTTPStatus.BAD_REQUEST, "INVALID_REQUEST", "This is not HTTP/1.1")
TOO_SLOW = raw_refusal(HTTPStatus.REQUEST_TIMEOUT, "INVALID_REQUEST", "The request took too long")
HEADERS_TOO_LARGE = raw_refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "INVALID_REQUEST", "The headers are too large"
)
TOO_MANY = raw_refusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", "Too many connections; try again shortly"
)


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A request's head and body must arrive within a time and a size.

    No timer is started for a request: the server sweeps over its connections
    and calls `end_if_late`.
    """

    read_timeout_s = 10.0
    connections_max = 1_000

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._reading_since: float | None = None
        self._head_bytes = 0
        self._in_head = True
        self._refused = False

    def connection_made(self, transport: Any) -> None:
        """Count the connection, or send it away."""
        super().connection_made(transport)
        self._reading_since = self.loop.time()
        if len(self.connections) > self.connections_max:
            self.refuse(TOO_MANY)

    def data_received(self, data: bytes) -> None:
        """Bound the head, which the parser would collect without end."""
        if self._refused:
            return
        if self._in_head:
            if self._reading_since is None:
                self._reading_since = self.loop.time()
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEADER_BYTES_MAX:
            self.refuse(HEADERS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """From here on the body is awaited."""
        if self._refused:
            return
        head_bytes, hosts = len(self.url), 0
        for name, value in self.headers:
            head_bytes += len(name) + len(value)
            hosts += name == b"host"
        if head_bytes > HEADER_BYTES_MAX:
            self.refuse(HEADERS_TOO_LARGE)
        elif hosts > 1:
            self.refuse(BAD_REQUEST)
        else:
            self._in_head = False
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Part of the body, unless the request is refused already."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole; the next bytes begin another head."""
        if not self._refused:
            super().on_message_complete()
        self._in_head = True
        self._head_bytes = 0
        self._reading_since = None

    def end_if_late(self, now: float) -> None:
        """Close the connection where a request has not arrived in time."""
        if self._reading_since is not None and now - self._reading_since > self.read_timeout_s:
            self.refuse(TOO_SLOW)

    def refuse(self, response: bytes) -> None:
        """Answer and close; only close where an earlier request's answer is still owed."""
        self._refused = True
        self._reading_since = None
        if self.transport is None or self.transport.is_closing():
            return
        cycle = self.cycle
        owed = cycle is not None and not cycle.response_complete
        if not (owed and (self._in_head or cycle.response_started)):
            self.transport.write(response)
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What cannot be parsed gets the envelope too."""
        self.refuse(BAD_REQUEST)

    def _unsupported_upgrade_warning(self) -> None:
        """An upgrade that nobody offers is answered as the plain request it also is."""
