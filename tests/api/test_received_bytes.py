"""Every byte that arrives counts towards a limit, wherever in a request it stands."""

import json
import socket

import pytest

from tests.api.deployment import Deployment, error_of
from tests.api.sockets import answer_to, connect, everything, poured, resident_bytes
from tests.waiting import eventually

POURED_BYTES = 40_000_000
TAKEN_BYTES_MAX = 10_000_000
"""Kernel buffers on both sides take some megabytes before a closed connection is felt."""
GROWTH_BYTES_MAX = 24_000_000
CHUNKED = (
    b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
TRAILER = b"X-T: " + b"a" * 1_000 + b"\r\n"
ENDLESS = {
    "trailers": (CHUNKED + b"0\r\n", TRAILER * 64),
    "one long trailer": (CHUNKED + b"0\r\nX-T: ", b"a" * 65_536),
    "tiny trailers": (CHUNKED + b"0\r\n", b"a:\r\n" * 16_384),
    "a chunk's extension": (CHUNKED + b"5;x=", b"a" * 65_536),
    "chunks of one byte": (CHUNKED, b"1\r\n \r\n" * 10_000),
    "blank lines before a request": (b"\r\n", b"\r\n" * 32_768),
    "the target": (b"GET /", b"a" * 65_536),
    "one header": (b"GET /time HTTP/1.1\r\nHost: localhost\r\nX: ", b"a" * 65_536),
    "headers": (b"GET /time HTTP/1.1\r\nHost: localhost\r\n", b"a:\r\n" * 16_384),
    "a body that nobody reads": (
        b"GET /time HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000000\r\n\r\n",
        b"a" * 65_536,
    ),
    "what comes after the last request": (
        b"GET /time HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"a" * 65_536,
    ),
    "requests that are not waited for": (
        b"",
        b"GET /time HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2_000,
    ),
}


@pytest.mark.parametrize("name", [name for name in ENDLESS if "requests" not in name])
def test_an_endless_stream_is_cut_and_nothing_of_it_is_kept(
    name: str, exchange: Deployment
) -> None:
    begin, piece = ENDLESS[name]
    before = resident_bytes(exchange.pid)
    with connect(exchange) as connection:
        connection.sendall(begin)
        assert poured(connection, piece, POURED_BYTES) < TAKEN_BYTES_MAX
        assert exchange.http.get("/time").status_code == 200
        assert resident_bytes(exchange.pid) - before < GROWTH_BYTES_MAX


def test_requests_that_are_not_waited_for_wait_in_the_clients_socket(
    exchange: Deployment,
) -> None:
    """Who reads no answers gets no more read: the stream stands still, memory does not grow."""
    before = resident_bytes(exchange.pid)
    _, piece = ENDLESS["requests that are not waited for"]
    with connect(exchange) as connection:
        connection.settimeout(1.0)
        with pytest.raises(TimeoutError):
            poured(connection, piece, POURED_BYTES)
        assert exchange.http.get("/time").status_code == 200
        assert resident_bytes(exchange.pid) - before < GROWTH_BYTES_MAX


def test_pipelined_requests_are_all_answered_in_their_order(exchange: Deployment) -> None:
    asked = [f"/markets/M-{number}" for number in range(700)] + ["/time"]
    sent = b"".join(
        b"GET %s HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: n%d\r\n%s\r\n"
        % (path.encode(), number, b"Connection: close\r\n" if path == "/time" else b"")
        for number, path in enumerate(asked)
    )
    said = answer_to(exchange, sent)
    ids = [line for line in said.split(b"\r\n") if line.startswith(b"x-request-id: ")]
    assert ids == [b"x-request-id: n%d" % number for number in range(len(asked))]
    assert said.count(b"HTTP/1.1 200 ") == 1


def test_a_good_request_before_a_bad_one_is_answered(exchange: Deployment) -> None:
    said = answer_to(
        exchange, b"GET /time HTTP/1.1\r\nHost: localhost\r\n\r\n" + b"GET /time HTTP/1.1\r\n\r\n"
    )
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.count(b"HTTP/1.1 ") == 1


def test_trailers_are_read_and_change_nothing(exchange: Deployment) -> None:
    """A trailer is no header: nothing that was decided at the head is decided again."""
    person = exchange.person()
    body = json.dumps({"asset": "USDC", "amount": "1"}).encode()
    said = answer_to(
        exchange,
        b"POST /deposits HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Connection: close\r\nTransfer-Encoding: chunked\r\nAuthorization: Bearer %s\r\n\r\n"
        b"%x;ext=1\r\n%s\r\n0\r\nIdempotency-Key: trailer\r\nX-Checksum: 1\r\n\r\n"
        % (person.token.encode(), len(body), body),
    )
    assert said.startswith(b"HTTP/1.1 201 ")
    assert person.post("/deposits", {"asset": "USDC", "amount": "2"}, "trailer").status_code == 201


def test_a_body_in_small_chunks_is_read(exchange: Deployment) -> None:
    body = json.dumps({"email": "x@example.com", "password": "wrong"}).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    said = answer_to(
        exchange,
        CHUNKED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + chunks + b"0\r\n\r\n",
    )
    assert said.startswith(b"HTTP/1.1 401 ")


def test_others_are_answered_while_the_costliest_bytes_are_parsed(exchange: Deployment) -> None:
    """Each within the time that the client waits."""
    begin, piece = ENDLESS["requests that are not waited for"]
    senders = [connect(exchange) for _ in range(8)]
    for sender in senders:
        sender.setblocking(False)
    try:
        for _ in range(20):
            for sender in senders:
                send_some(sender, begin + piece)
            assert exchange.http.get("/time").status_code == 200
    finally:
        for sender in senders:
            sender.close()


def send_some(sender: socket.socket, data: bytes) -> None:
    try:
        sender.send(data)
    except BlockingIOError:
        return


def test_a_connection_that_says_nothing_is_closed_in_silence(tight: Deployment) -> None:
    with connect(tight) as connection:
        assert everything(connection) == b""
    eventually(lambda: tight.http.get("/health").status_code == 200)


def test_an_absolute_target_of_the_same_host_is_its_path(exchange: Deployment) -> None:
    said = answer_to(
        exchange,
        b"GET http://localhost:8000/time HTTP/1.1\r\nHost: localhost:8000\r\n"
        b"Connection: close\r\n\r\n",
    )
    assert said.startswith(b"HTTP/1.1 200 ")


def test_an_old_client_without_a_host_is_served(exchange: Deployment) -> None:
    assert answer_to(exchange, b"GET /time HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_a_chunked_body_over_the_limit_is_413(exchange: Deployment) -> None:
    body = b"%x\r\n" % 70_000 + b" " * 70_000 + b"\r\n0\r\n\r\n"
    said = answer_to(exchange, CHUNKED + body)
    assert said.startswith(b"HTTP/1.1 413 ")
    refused = exchange.http.post("/auth/login", json={"email": "a" * 70_000, "password": "x"})
    assert error_of(refused) == (413, "PAYLOAD_TOO_LARGE")
