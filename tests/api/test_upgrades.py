"""A request that offers another protocol is served as it stands, body and all, and only once."""

import json
import shutil
import subprocess

import pytest

from tests.api.deployment import Deployment, Person, small_order
from tests.api.sockets import answer_to, connect, everything
from tests.waiting import PROGRAM_S_MAX

H2C = b"Connection: Upgrade, HTTP2-Settings\r\n", b"Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
"""The two lines that Java's default client puts around its other headers."""


def order_bytes(person: Person, upgrade: bytes, chunked: bool = False) -> tuple[bytes, bytes]:
    """Head and body of an order; the connection stays open after it."""
    body = json.dumps(small_order(clientOrderId="upgraded")).encode()
    length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(body)
    head = (
        H2C[0] + b"%s\r\nHost: localhost\r\n%sContent-Type: application/json\r\n"
        b"Authorization: Bearer %s\r\n\r\n"
    ) % (length, upgrade, person.token.encode())
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    return b"POST /orders HTTP/1.1\r\n" + head, sent


LAST = b"GET /time HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("token", [b"h2c", b"websocket", b"foo/2", b"TLS/1.0, h2c"])
def test_an_order_that_offers_another_protocol_is_one_order(
    token: bytes, chunked: bool, exchange: Deployment
) -> None:
    person = exchange.person()
    upgrade = H2C[1].replace(b"h2c", token)
    said = answer_to(exchange, b"".join(order_bytes(person, upgrade, chunked)) + LAST)
    assert said.startswith(b"HTTP/1.1 202 ")
    assert said.count(b"HTTP/1.1 ") == 2
    assert said.count(b"HTTP/1.1 200 ") == 1
    assert [order["clientOrderId"] for order in person.get("/orders").json()] == ["upgraded"]


def test_a_body_that_comes_a_byte_at_a_time_after_such_a_head_is_read(
    exchange: Deployment,
) -> None:
    person = exchange.person()
    head, body = order_bytes(person, H2C[1])
    with connect(exchange) as connection:
        for byte in head + body:
            connection.send(bytes([byte]))
        connection.sendall(LAST)
        said = everything(connection)
    assert said.startswith(b"HTTP/1.1 202 ")
    assert said.count(b"HTTP/1.1 ") == 2


def test_a_request_hidden_in_such_a_body_is_not_served(exchange: Deployment) -> None:
    person = exchange.person()
    hidden = b"DELETE /orders HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head, body = order_bytes(person, H2C[1])
    smuggled = head.replace(b"Content-Length: %d" % len(body), b"Content-Length: %d" % len(hidden))
    said = answer_to(exchange, smuggled + hidden + LAST)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") == 2


def test_a_read_that_offers_another_protocol_is_answered(exchange: Deployment) -> None:
    read = b"GET /time HTTP/1.1\r\nHost: localhost\r\n" + H2C[0] + H2C[1] + b"\r\n"
    said = answer_to(exchange, read + LAST)
    assert said.count(b"HTTP/1.1 200 ") == 2


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curls_http2_option_places_an_order(exchange: Deployment) -> None:
    person = exchange.person()
    token, kind = f"Authorization: Bearer {person.token}", "Content-Type: application/json"
    options = ["--http2", "-sS", "-m", "10", "-H", token, "-H", kind]
    ran = subprocess.run(
        ["curl", *options, "-d", json.dumps(small_order()), f"{exchange.url}/orders"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PROGRAM_S_MAX,
    )
    assert json.loads(ran.stdout)["status"] == "PENDING"
    assert len(person.get("/orders").json()) == 1
