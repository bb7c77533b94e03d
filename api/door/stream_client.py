"""What is on its way to one client: a queue with an end, and who empties it.

Nobody who tells many waits for one: a client whose queue is full is sent away, with the number from
which it may go on.
"""

import asyncio
from typing import NamedTuple

from prometheus_client import Counter, Gauge
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.door.stream_topics import Channel

QUEUE_MAX = 256
ROOM_MIN = QUEUE_MAX // 2
"""What is free before much is told at once."""

CLIENTS = Gauge("sandpit_ws_clients", "WebSockets that are open")
SENT = Counter("sandpit_ws_frames_sent", "Messages sent over WebSockets")
SLOW = Counter("sandpit_ws_slow_clients_closed", "WebSockets closed because the client was slow")


class Ending(NamedTuple):
    """Why a socket is closed from here: RFC 6455's code, or one of ours, and a sentence of at most
    123 bytes."""

    code: int
    reason: str


class Message(NamedTuple):
    """A text, and which number of which channel it tells, where it tells one."""

    text: str
    channel: Channel | None = None
    sequence: int = 0


class Client:
    """One socket's way out."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._queue: asyncio.Queue[Message] = asyncio.Queue(QUEUE_MAX)
        self._has_room = asyncio.Event()
        self._last = ""
        self.ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    def offer(self, message: Message) -> None:
        """Send it after what waits already; where too much waits, end."""
        if self.ending.done():
            return
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            SLOW.inc()
            last = f"; the last sent was {self._last}" if self._last else ""
            self.end(1013, f"Read faster, or listen to less{last}")

    def end(self, code: int, reason: str) -> None:
        """Close the socket, for the first reason that there is."""
        if not self.ending.done():
            self.ending.set_result(Ending(code, reason))

    async def room(self) -> None:
        """Wait until half of the queue is free."""
        while self._queue.qsize() > QUEUE_MAX - ROOM_MIN:
            self._has_room.clear()
            await self._has_room.wait()

    async def run(self) -> None:
        """Send what is offered, for as long as the client is there."""
        while True:
            message = await self._queue.get()
            try:
                await self._websocket.send({"type": "websocket.send", "text": message.text})
            except (WebSocketDisconnect, RuntimeError):  # the latter: it was closed meanwhile
                return
            SENT.inc()
            if message.channel is not None:
                self._last = f"{message.channel} {message.sequence}"
            if self._queue.qsize() <= QUEUE_MAX - ROOM_MIN:
                self._has_room.set()
