"""uvicorn's WebSocket protocol with bounds: of a message, of messages a second, of a closing.

Frames, masks and fragments are read by the library `websockets`; which counts the bytes of all
fragments of a message towards its limit.
"""

from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from api.door.connections import ConnectionLimits

PIECE_BYTES = 4_096
"""What is parsed at a time: a flood of tiny frames is noticed after some hundreds."""

FRAMES_A_SECOND_MAX = 100
"""Of one client, pings and fragments among them."""

CLOSE_S_MAX = 5.0
"""How long a peer may take to read what it is owed when its connection is closed."""


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """One WebSocket, from the handshake on."""

    limits = ConnectionLimits()
    message_bytes_max: Mapping[str, int] = {}

    transport: Any

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._second = 0.0
        self._frames_in_second = 0
        self._flooded = False

    def connection_lost(self, exc: Exception | None) -> None:
        """It was counted as a connection when it came, and is forgotten here."""
        self.limits.crowd.leave(self.client[0] if self.client else "-")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse a piece at a time, and nothing more of who sends too much."""
        for start in range(0, len(data), PIECE_BYTES):
            if not self._flooded:
                super().data_received(data[start : start + PIECE_BYTES])

    def handle_connect(self, event: Request) -> None:
        """How long a message may be is the family's to say."""
        path = event.path.partition("?")[0]
        self.conn.max_message_size = self.message_bytes_max.get(path, PIECE_BYTES)
        super().handle_connect(event)

    def handle_text(self, event: Frame) -> None:
        """A message, or its first fragment."""
        if self._count():
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """Text alone is spoken here."""
        self._fail(CloseCode.UNSUPPORTED_DATA, "Send text, not bytes")

    def handle_cont(self, event: Frame) -> None:
        """Another fragment."""
        if self._count():
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """The library has made the answer already."""
        if self._count():
            super().handle_ping()

    def send_receive_event_to_app(self) -> None:
        """A whole message, unless it is no text."""
        try:
            b"".join(self.frames).decode()
        except UnicodeDecodeError:
            self._fail(CloseCode.INVALID_DATA, "This is not UTF-8")
            return
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        """Who gives no sign of life reads nothing either."""
        super().keepalive_timeout()
        self._cut_soon()

    async def send(self, message: Any) -> None:
        """What closes a connection does not wait for a client that reads nothing; what is to be
        sent behind that goes nowhere."""
        closes = message["type"] == "websocket.close"
        if closes:
            self.writable.set()
        elif self.close_sent and self.initial_response is None:
            raise ClientDisconnected
        await super().send(message)
        if closes:
            self._cut_soon()
        elif message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # it ends here; uvicorn would log an error

    def _count(self) -> bool:
        """False for a frame that is one too many in this second, or comes behind such a one."""
        if self._flooded:
            return False
        if self.loop.time() - self._second >= 1:
            self._second, self._frames_in_second = self.loop.time(), 0
        self._frames_in_second += 1
        if self._frames_in_second <= FRAMES_A_SECOND_MAX:
            return True
        self._fail(CloseCode.POLICY_VIOLATION, "Too many messages a second")
        return False

    def _fail(self, code: CloseCode, reason: str) -> None:
        self._flooded = True
        if not self.close_sent:
            self.conn.fail(code, reason)
            self.handle_parser_exception()

    def handle_parser_exception(self) -> None:
        """What is not WebSocket, or too long a message: the library has said what it is.

        The connection stays for a moment: were it closed with something unread, the peer's system
        would throw away what we have said."""
        self._flooded = True
        said = self.conn.close_sent
        if said is None or self.transport.is_closing():
            self.transport.close()
            return
        ended = {"type": "websocket.disconnect", "code": said.code, "reason": said.reason}
        self.queue.put_nowait(ended)  # type: ignore[arg-type]
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.stop_keepalive()
        self.close_sent = True
        self.transport.write_eof()
        self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CLOSE_S_MAX, self._cut)

    def _cut_soon(self) -> None:
        self.loop.call_later(CLOSE_S_MAX, self._cut)

    def _cut(self) -> None:
        if not self.disconnected:
            self.transport.cut()
