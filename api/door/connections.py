"""What the connections of one API process may take: how many of an address, how long, how much."""

import socket
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl

from api.door.bodies import BodyLimits
from api.door.client_address import address_group, parsed

SEND_BUFFER_BYTES = 65_536
"""What the kernel may hold for a client that does not read (Linux grants twice as much). It also
makes progress visible: a reader's next few ten kilobytes and not its next megabytes."""

LEAST_BYTES_A_SECOND = 8_000
"""What a client takes of its answer at least, once pauses are made up for: half of what EDGE, the
slowest network still in use, commonly carries. A page of a megabyte is gone in two minutes."""

HARD_CLOSE = struct.pack("ii", 1, 0)
ANY_PROXY = "*"


class Crowd:
    """How many connections each address holds; a trusted proxy speaks for many and may hold all."""

    def __init__(self, of_address_max: int, proxies: Sequence[str] = ()) -> None:
        self._of_address_max = of_address_max
        self._held: Counter[str] = Counter()
        self._any_proxy = ANY_PROXY in proxies
        self._proxies = [ip_network(proxy, strict=False) for proxy in proxies if is_network(proxy)]

    def enter(self, host: str) -> bool:
        """Count one more; False where the address holds too many."""
        group = address_group(host)
        self._held[group] += 1
        return self._held[group] <= self._of_address_max or self._is_proxy(host)

    def leave(self, host: str) -> None:
        """Count one less."""
        group = address_group(host)
        self._held[group] -= 1
        if self._held[group] <= 0:
            del self._held[group]

    def _is_proxy(self, host: str) -> bool:
        address = parsed(host)
        return self._any_proxy or (
            address is not None and any(address in network for network in self._proxies)
        )


def is_network(text: str) -> bool:
    """True for an address or a network; names are not looked up."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class ConnectionLimits:
    """The bounds of one process, and who is connected to it."""

    connections_max: int = 1_000
    read_timeout_s: float = 10.0
    write_timeout_s: float = 30.0
    bodies: BodyLimits = field(default_factory=BodyLimits)
    crowd: Crowd = field(default_factory=lambda: Crowd(1_000))


class CountedTransport:
    """A transport that knows how many bytes were written to it, and sends the head of an answer
    together with what follows it: a packet costs more than all else that is done for an answer.

    answering   the request whose head has not been written yet
    """

    __slots__ = ("_head", "_transport", "answering", "written_bytes")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._head = b""
        self.answering: Any = None
        self.written_bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write and count, but for a head, which waits for its body."""
        if self.answering is not None and self.answering.response_started:
            self.answering, self._head = None, data
            return
        if self._head:
            data, self._head = self._head + data, b""
        self.written_bytes += len(data)
        self._transport.write(data)

    def flush(self) -> None:
        """Write the head of an answer that has no body."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Close when all is written."""
        self.flush()
        self._transport.close()

    def cut(self) -> None:
        """End at once; what the peer has not read is thrown away, in the kernel too."""
        connected = self._transport.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HARD_CLOSE)
        self._transport.abort()


class WriteWatch:
    """Sees whether a peer takes what is written to it, at the least rate or faster."""

    __slots__ = ("_late_s", "_looked_at", "_taken_bytes")

    def __init__(self) -> None:
        self._late_s = 0.0
        self._looked_at: float | None = None
        self._taken_bytes = 0

    def late_s(self, transport: CountedTransport, now: float) -> float:
        """How far the peer is behind one that takes LEAST_BYTES_A_SECOND, while something waits.

        What it takes faster makes up for a pause before, and earns none to come.
        """
        waiting_bytes = transport.get_write_buffer_size()
        if waiting_bytes == 0:
            self._late_s, self._looked_at = 0.0, None
            return 0.0
        taken_bytes = transport.written_bytes - waiting_bytes
        if self._looked_at is not None:
            allowed_s = (taken_bytes - self._taken_bytes) / LEAST_BYTES_A_SECOND
            self._late_s = max(0.0, self._late_s + now - self._looked_at - allowed_s)
        self._looked_at, self._taken_bytes = now, taken_bytes
        return self._late_s


class HeldFlow(FlowControl):
    """uvicorn's flow control, in which reading stays paused while requests wait in line."""

    held = False

    def hold(self) -> None:
        """Read nothing until released."""
        self.held = True
        self.pause_reading()

    def release(self) -> None:
        """Read again."""
        self.held = False
        self.resume_reading()

    def resume_reading(self) -> None:
        """Unless held."""
        if not self.held:
            super().resume_reading()
