"""S31, S32: what arrives on the socket before it is a request."""

import json
import threading

import httpx
import pytest

from tests.api.deployment import JSON, Deployment, error_of
from tests.api.sockets import connect, everything
from tests.waiting import eventually

SMUGGLED = {
    "length and chunks": b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Content-Length: 6\r\n\r\nhello",
    "signed length": b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
    "bad chunk": b"POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"zz\r\nhi\r\n0\r\n\r\n",
    "unknown coding": b"POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n"
    b"0\r\n\r\n",
    "space before colon": b"GET /time HTTP/1.1\r\nHost : x\r\n\r\n",
    "folded header": b"GET /time HTTP/1.1\r\nHost: x\r\nX-A: b\r\n folded\r\n\r\n",
    "bare carriage return": b"GET /time HTTP/1.1\r\nHost: x\rX: y\r\n\r\n",
    "bare line feed": b"GET /time HTTP/1.1\nHost: x\n\n",
    "zero byte": b"GET /time HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    "two codings": b"POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
    b"0\r\n\r\n",
    "chunked twice": b"POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks in an old version": b"POST /orders HTTP/1.0\r\nHost: x\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another version": b"GET /time HTTP/2.0\r\nHost: x\r\n\r\n",
    "two hosts": b"GET /time HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no host": b"GET /time HTTP/1.1\r\n\r\n",
    "an empty host": b"GET /time HTTP/1.1\r\nHost:\r\n\r\n",
    "a host that is none": b"GET /time HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "another host's target": b"GET http://evil.example/time HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a proxy's method": b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n",
    "not http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_s32_an_ambiguous_request_is_400_and_the_connection_ends(
    name: str, exchange: Deployment
) -> None:
    with connect(exchange) as connection:
        connection.sendall(SMUGGLED[name] + b"GET /time HTTP/1.1\r\nHost: x\r\n\r\n")
        said = everything(connection)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") == 1
    assert json.loads(body)["error"]["code"] == "INVALID_REQUEST"


def test_s32_the_host_is_never_reflected(exchange: Deployment) -> None:
    for path in ("/time/", "/nothing", "/docs", "/openapi.json", "/markets"):
        response = exchange.http.get(path, headers={"Host": "evil.example"})
        assert b"evil.example" not in response.content
        assert "evil.example" not in str(response.headers)
        assert not response.is_redirect


def test_an_encoded_slash_parts_no_path(exchange: Deployment) -> None:
    """A filter in front of the exchange sees another path than its routes would."""
    for path in ("/markets/BTC-PERP%2fcandles", "/markets/BTC-PERP%2Fcandles"):
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        with connect(exchange) as connection:
            connection.sendall(head.encode())
            assert everything(connection).startswith(b"HTTP/1.1 404 ")


def test_s32_forwarded_headers_reach_no_log(exchange: Deployment) -> None:
    exchange.http.get("/nothing", headers={"X-Forwarded-For": "203.0.113.77"})
    assert "203.0.113.77" not in (exchange.data_dir / "api.log").read_text()


def test_s31_a_body_over_the_limit_is_413_by_its_length(exchange: Deployment) -> None:
    refused = exchange.http.post("/auth/login", content=b" " * 10_000_000)
    assert error_of(refused) == (413, "PAYLOAD_TOO_LARGE")


def test_s31_a_body_over_the_limit_is_413_without_a_length(exchange: Deployment) -> None:
    def endless() -> object:
        while True:
            yield b" " * 65_536

    try:
        refused = exchange.http.post("/auth/login", content=endless())  # type: ignore[arg-type]
        assert error_of(refused) == (413, "PAYLOAD_TOO_LARGE")
    except (httpx.WriteError, httpx.RemoteProtocolError):
        pass  # the server had closed before the client looked for an answer
    assert exchange.http.get("/health").status_code == 200


def test_s31_a_body_at_the_limit_is_read(exchange: Deployment) -> None:
    body = json.dumps({"email": "x@example.com", "password": "wrong"}).encode()
    for length, status in ((65_536, 401), (65_537, 413)):
        answer = exchange.http.post("/auth/login", content=body.ljust(length), headers=JSON)
        assert answer.status_code == status


def test_s31_headers_over_the_limit_are_431(exchange: Deployment) -> None:
    with connect(exchange) as connection:
        connection.sendall(b"GET /time HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000 + b"\r\n\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 431 ")


def test_s31_two_hundred_slow_heads_are_408_and_hold_up_nobody(tight: Deployment) -> None:
    slow = [connect(tight) for _ in range(200)]
    stop = threading.Event()

    def drip() -> None:
        for byte in b"GET /time HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 100:
            for connection in slow:
                try:
                    connection.send(bytes([byte]))
                except OSError:
                    continue
            if stop.wait(0.2):
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert tight.http.get("/health").status_code == 200
        assert dripping.is_alive(), "who is fast is answered before those who are slow"
        answers = [everything(connection) for connection in slow]
    finally:
        stop.set()
        dripping.join(10)
        for connection in slow:
            connection.close()
    assert {answer[:13] for answer in answers} <= {b"HTTP/1.1 408 ", b""}
    assert answers[0].startswith(b"HTTP/1.1 408 ")


def test_s31_a_slow_body_is_408(tight: Deployment) -> None:
    with connect(tight) as connection:
        connection.sendall(b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert everything(connection).startswith(b"HTTP/1.1 408 ")
    assert tight.http.get("/health").status_code == 200


def test_s31_connections_over_the_limit_are_503(tight: Deployment) -> None:
    held = [connect(tight) for _ in range(300)]
    try:
        with connect(tight) as connection:
            said = everything(connection)
    finally:
        for one in held:
            one.close()
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in said
    eventually(lambda: tight.http.get("/health").status_code == 200)
