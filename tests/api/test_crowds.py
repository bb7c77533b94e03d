"""Whoever holds connections and does nothing with them takes nothing from others."""

import select
import socket

import httpx
import pytest

from api.door.client_address import address_group
from api.door.connections import LEAST_BYTES_A_SECOND, CountedTransport, Crowd, WriteWatch
from tests.api.deployment import Deployment
from tests.api.sockets import connect, everything, resident_bytes
from tests.waiting import eventually

IDLE = 1_005
SLOW = 60
SMALL_WINDOW_BYTES = 4_096
LARGE = (
    b"GET /static-offline-docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n"
    b"Authorization: Bearer %s\r\n\r\n"
)
HELD_BYTES_MAX = 40_000_000
CUT = select.POLLHUP | select.POLLERR


def test_idle_connections_of_one_address_leave_room_for_another(exchange: Deployment) -> None:
    idle = [connect(exchange) for _ in range(IDLE)]
    try:
        elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(base_url=exchange.url, transport=elsewhere) as other:
            assert other.get("/time").status_code == 200
            assert other.get("/health").status_code == 200
        said = everything(idle[-1])
    finally:
        for connection in idle:
            connection.close()
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"from this address" in said
    eventually(lambda: answers_200(exchange))


def answers_200(deployment: Deployment) -> bool:
    try:
        return deployment.http.get("/time").status_code == 200
    except httpx.TransportError:
        return False


def test_readers_that_do_not_read_are_cut_and_little_is_kept_for_them(tight: Deployment) -> None:
    person, before = tight.person(), resident_bytes(tight.pid)
    slow = [connect(tight, receive_bytes=SMALL_WINDOW_BYTES) for _ in range(SLOW)]
    try:
        for connection in slow:
            connection.sendall(LARGE % person.token.encode())
        eventually(lambda: wrote_to(slow))
        assert resident_bytes(tight.pid) - before < HELD_BYTES_MAX
        eventually(lambda: len(cut_among(slow)) == SLOW, 20)
    finally:
        for connection in slow:
            connection.close()
    assert tight.http.get("/health").status_code == 200


class Socket:
    """A transport that keeps what is written, packet by packet, and of which nobody reads."""

    def __init__(self) -> None:
        self.waiting_bytes = 0
        self.packets: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.waiting_bytes += len(data)
        self.packets.append(data)

    def close(self) -> None:
        self.is_closed = True

    def get_write_buffer_size(self) -> int:
        return self.waiting_bytes


class Reader:
    """Somebody to whom the server writes as fast as they read: what is taken counts."""

    def __init__(self) -> None:
        self._socket, self._watch = Socket(), WriteWatch()
        self._transport, self._now_s = CountedTransport(self._socket), 0.0
        self.reads(0)

    def reads(self, share_of_least: float, seconds: int = 1) -> float:
        """How late they are when they have read so much of the least, every second."""
        late_s = 0.0
        for _ in range(seconds):
            self._socket.waiting_bytes = 0
            self._transport.write(b"a" * int(LEAST_BYTES_A_SECOND * share_of_least))
            self._socket.waiting_bytes = 1_000
            late_s = self._watch.late_s(self._transport, self._now_s)
            self._now_s += 1
        return late_s

    def has_it_all(self) -> float:
        self._socket.waiting_bytes = 0
        return self._watch.late_s(self._transport, self._now_s)


def test_a_reader_that_is_slow_but_takes_the_least_is_never_late() -> None:
    assert Reader().reads(1, 1_000) == 0


def test_a_reader_of_a_few_bytes_now_and_then_is_late() -> None:
    """2 kB every 5 s held a page of megabytes for as long as it liked."""
    assert Reader().reads(0.05, 100) == pytest.approx(95)


def test_a_reader_makes_up_for_a_pause_and_saves_nothing_for_the_next() -> None:
    reader = Reader()
    assert reader.reads(0, 20) == 20
    assert reader.reads(3, 11) == 0
    assert reader.reads(0, 7) == 7
    assert reader.has_it_all() == 0


def wrote_to(connections: list[socket.socket]) -> bool:
    readable, _, _ = select.select(connections, [], [], 0)
    return len(readable) == len(connections)


def cut_among(connections: list[socket.socket]) -> list[int]:
    poll = select.poll()
    for connection in connections:
        poll.register(connection, 0)
    return [number for number, event in poll.poll(0) if event & CUT]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8::1", "2001:db8::ffff:1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::2"),
    ],
)
def test_addresses_of_one_holder_count_together(one: str, other: str) -> None:
    assert address_group(one) == address_group(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("2001:db8:0:1::1", "2001:db8:0:2::1"), ("203.0.113.7", "203.0.113.8"), ("-", "unix")],
)
def test_addresses_of_two_holders_count_apart(one: str, other: str) -> None:
    assert address_group(one) != address_group(other)


def test_an_address_may_hold_so_many_and_a_trusted_proxy_all() -> None:
    crowd = Crowd(2, ["10.0.0.0/8", "not-an-address"])
    assert [crowd.enter("203.0.113.7") for _ in range(3)] == [True, True, False]
    assert crowd.enter("203.0.113.8")
    assert all(crowd.enter("10.1.2.3") for _ in range(5))
    crowd.leave("203.0.113.7")
    crowd.leave("203.0.113.7")
    assert crowd.enter("203.0.113.7")


class Answering:
    """A request whose answer has begun or not."""

    def __init__(self, has_begun: bool) -> None:
        self.response_started = has_begun


def written(*data: bytes, has_begun: bool = True) -> tuple[Socket, CountedTransport]:
    sent = Socket()
    transport = CountedTransport(sent)
    transport.answering = Answering(has_begun)
    for piece in data:
        transport.write(piece)
    return sent, transport


def test_the_head_of_an_answer_leaves_with_its_body_in_one_packet() -> None:
    sent, transport = written(b"head ", b"body", b"more")
    assert sent.packets == [b"head body", b"more"]
    assert transport.written_bytes == len(b"head bodymore")


def test_a_head_without_a_body_leaves_when_the_answer_is_whole_or_the_connection_closes() -> None:
    sent, transport = written(b"head")
    assert sent.packets == []
    transport.flush()
    transport.flush()
    assert sent.packets == [b"head"]
    sent, transport = written(b"head")
    transport.close()
    assert (sent.packets, sent.is_closed) == ([b"head"], True)


def test_what_is_no_answer_yet_leaves_at_once() -> None:
    """100 Continue: the client sends its body only then."""
    sent, _ = written(b"continue", has_begun=False)
    assert sent.packets == [b"continue"]
