"""uvicorn's HTTP protocol with the time-outs and bounds that it does not have itself.

Every byte that is received counts towards a limit: a head's, a body's with its
chunk sizes, extensions and trailers, or what may wait behind unanswered requests.
"""

from http import HTTPStatus
from typing import Any, NamedTuple

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.door.connections import ConnectionLimits, CountedTransport, HeldFlow, WriteWatch
from api.door.json_text import json_bytes
from api.door.refusal_examples import ErrorBody
from api.door.request_head import (
    HEADER_BYTES_MAX,
    fault_of,
    is_too_large,
    path_of_target,
    without_upgrade,
)
from sim.refusals import Refusal

FRAMING_BYTES_MAX = 16_384
"""Chunk sizes, chunk extensions and trailers of one body."""

PIECE_BYTES = 4_096
"""What is parsed at a time: the loop is held up no longer than that takes."""

SWEEP_EVERY_TICKS = 5
"""The server ticks ten times a second; twice a second is exact enough for time-outs."""


class RawRefusal(NamedTuple):
    """Why a request never became one."""

    status: HTTPStatus
    refusal: Refusal
    sentence: str


def bad_request(sentence: str) -> RawRefusal:
    """The refusal of what is not HTTP as it is taken here."""
    return RawRefusal(HTTPStatus.BAD_REQUEST, Refusal.INVALID_REQUEST, sentence)


NOT_HTTP = bad_request("This is not HTTP/1.1")
BAD_TARGET = bad_request("The request's target is not a path on this host")
TOO_SLOW = RawRefusal(
    HTTPStatus.REQUEST_TIMEOUT, Refusal.INVALID_REQUEST, "The request took too long"
)
HEADERS_TOO_LARGE = RawRefusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    Refusal.INVALID_REQUEST,
    "The headers are too large",
)
BODY_TOO_LARGE = RawRefusal(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Refusal.PAYLOAD_TOO_LARGE,
    "The body has too many bytes, its chunk sizes and trailers counted",
)
TOO_MANY = RawRefusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    Refusal.UNAVAILABLE,
    "Too many connections; try again shortly",
)
TOO_MANY_OF_ADDRESS = RawRefusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    Refusal.UNAVAILABLE,
    "Too many connections from this address; close some or try again shortly",
)


def response_of(refused: RawRefusal, error_body: ErrorBody) -> bytes:
    """A whole response."""
    status = refused.status
    body = json_bytes(error_body(refused.refusal, refused.sentence, {}))
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        head += "retry-after: 1\r\n"
    length = f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode() + length.encode() + body


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A request's head and body must arrive within a time and a size, and its
    answer must be taken within a time.

    No timer is started for a request: the server sweeps over its connections
    and calls `end_if_late`.
    """

    limits = ConnectionLimits()
    websocket_paths: frozenset[bytes] = frozenset()

    error_body: ErrorBody
    """That of the family that answers at the root: what is refused here may have no path."""

    transport: Any
    flow: HeldFlow

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._reading_since: float | None = None
        self._received_bytes = self._body_bytes_max = 0
        self._in_head = True
        self._refused = False
        self._asks_again = False
        self._ahead = b""
        self._writes = WriteWatch()
        self._answering: Any = None

    def connection_made(self, transport: Any) -> None:
        """Count the connection, or send it away."""
        super().connection_made(CountedTransport(transport))  # type: ignore[arg-type]
        self.flow = HeldFlow(self.transport)
        self._reading_since = self.loop.time()
        if not self.limits.crowd.enter(self._peer):
            self.refuse(TOO_MANY_OF_ADDRESS)
        elif len(self.connections) > self.limits.connections_max:
            self.refuse(TOO_MANY)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.limits.crowd.leave(self._peer)
        self._ahead = b""
        super().connection_lost(exc)
        self._hang_up()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Remember which of the requests in line is being answered."""
        self._answering = self.transport.answering = cycle
        super()._start_asgi_task(cycle, app)

    def _hang_up(self) -> None:
        """Tell whoever answers that nobody listens: what else is sent goes nowhere."""
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()

    @property
    def _peer(self) -> str:
        return self.client[0] if self.client else "-"

    def data_received(self, data: bytes) -> None:
        """Parse a piece at a time; what comes behind a request that waits in line waits too.

        Nothing is read meanwhile, so what waits is at most one read of the loop's (256 kB).
        """
        if self._refused:
            return
        self._unset_keepalive_if_required()
        if len(data) <= PIECE_BYTES and not self.pipeline:
            self._parse(data)
            return
        view = memoryview(data)
        for start in range(0, len(data), PIECE_BYTES):
            if self.pipeline:
                self._ahead += bytes(view[start:])
                return
            self._parse(view[start : start + PIECE_BYTES])

    def _parse(self, data: bytes | memoryview) -> None:
        if self._refused:
            return
        if self._in_head and self._reading_since is None:
            self._reading_since = self.loop.time()
        self._received_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.refuse(NOT_HTTP)
        if self._in_head:
            if self._received_bytes > HEADER_BYTES_MAX:
                self.refuse(HEADERS_TOO_LARGE)
        elif self._received_bytes > self._body_bytes_max + FRAMING_BYTES_MAX:
            self.refuse(BODY_TOO_LARGE)

    def _should_upgrade(self) -> bool:
        """Only where WebSockets are spoken."""
        return self.url.partition(b"?")[0] in self.websocket_paths and super()._should_upgrade()

    def _upgrade(self, rest: bytes | memoryview) -> None:
        """Become a WebSocket, or serve the request as if it had not asked for another protocol.

        The parser does not read a body behind such a head, so that a new one is given the head
        without the wish.
        """
        if self._should_upgrade():
            self.scope["method"] = self.parser.get_method().decode()
            self.handle_websocket_upgrade()
            return
        method, version = self.parser.get_method(), self.parser.get_http_version()
        head = without_upgrade(method, self.url, version, self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._asks_again = False
        self._parse(head)
        if rest:
            self._parse(rest)

    def on_headers_complete(self) -> None:
        """From here on the body is awaited; what else comes as a header is a trailer."""
        if self._refused:
            return
        parser, headers = self.parser, self.headers
        if is_too_large(self.url, headers):
            self.refuse(HEADERS_TOO_LARGE)
            return
        fault = fault_of(parser.get_http_version(), parser.get_method(), headers)
        target = path_of_target(self.url, headers)
        if fault is not None or target is None:
            self.refuse(bad_request(fault) if fault is not None else BAD_TARGET)
            return
        self.url = target
        if parser.should_upgrade():
            self._asks_again = True
            return
        self._in_head = False
        self._received_bytes = 0
        method, path = parser.get_method().decode(), target.partition(b"?")[0].decode()
        self._body_bytes_max = self.limits.bodies.bytes_max(method, path)
        super().on_headers_complete()
        self.headers = []
        if self.pipeline:
            self.flow.hold()

    def on_body(self, body: bytes) -> None:
        """Part of the body, unless the request is refused already."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole; the next bytes begin another head, if another may come."""
        if self._refused or self._asks_again:
            return
        super().on_message_complete()
        self._in_head = True
        self._received_bytes = 0
        self._reading_since = None
        if not self.cycle.keep_alive:
            self.flow.hold()

    def on_response_complete(self) -> None:
        """Go on with what waits in line."""
        self.transport.flush()
        if not self.pipeline:
            self.flow.held = False
        super().on_response_complete()
        if self._ahead and not self.pipeline and not self.transport.is_closing():
            ahead, self._ahead = self._ahead, b""
            self.data_received(ahead)

    def end_if_late(self, now: float) -> None:
        """Close the connection where a request has not arrived in time, or its answer is not
        taken."""
        if self._writes.late_s(self.transport, now) > self.limits.write_timeout_s:
            self._refused = True
            self.transport.cut()
        elif now - (self._reading_since or now) > self.limits.read_timeout_s:
            self.refuse(TOO_SLOW)

    def refuse(self, refused: RawRefusal) -> None:
        """Answer and close. Where earlier answers are owed they are given, and then it closes."""
        nothing_came = self._in_head and self._received_bytes == 0 and refused is TOO_SLOW
        self._refused = True
        self._reading_since = None
        if self.transport is None or self.transport.is_closing():
            return
        cycle = self.cycle
        owed = cycle is not None and not cycle.response_complete
        if owed and self._in_head:
            cycle.keep_alive = False
            self.flow.hold()
            return
        answered = not self._in_head and (not owed or cycle.response_started or self.pipeline)
        if not answered and not nothing_came:
            self.transport.write(response_of(refused, self.error_body))
        self._hang_up()
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What cannot be parsed is refused like the rest."""
        self.refuse(NOT_HTTP)
