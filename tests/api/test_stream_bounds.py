"""Who may listen over a WebSocket, for how long, how much, and how fast they have to read."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode

from api.credentials.tokens import LEEWAY_S, Tokens
from api.door.cookies import TOKEN
from api.door.hub import SOCKETS_OF_USER_MAX
from api.door.stream_session import SUBSCRIPTIONS_MAX
from api.door.web_sockets import FRAMES_A_SECOND_MAX
from api.flux.stream import MESSAGE_BYTES_MAX
from storage.servers.data_directory import secret
from storage.servers.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.api.conftest import database_of
from tests.api.deployment import Deployment, Person, running
from tests.api.listening import Ear, listening
from tests.api.sockets import connect
from tests.waiting import eventually

PINGS = {"SANDPIT_SOCKET_PING_S": "0.3", "SANDPIT_SOCKET_PONG_S": "0.3"}
MARKET = "BTC-PERP"
TRADES = 35_000
HEAD = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture(scope="module")
def wire(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, template_database: str, servers_dir: Path
) -> Iterator[Deployment]:
    """An API process that soon asks for a sign of life."""
    urls = database_of(postgres, template_database, "api_wire")
    with running(urls, valkey.limits_url, servers_dir / "wire", **PINGS) as deployment:
        yield deployment


@pytest.fixture
def alice(wire: Deployment) -> Person:
    return wire.person()


def status_of(deployment: Deployment, **options: Any) -> tuple[int, str]:
    """How a handshake is refused."""
    with pytest.raises(InvalidStatus) as refused, listening(deployment, **options):
        pass
    response = refused.value.response
    return response.status_code, json.loads(response.body or b"{}")["error"]["code"]


def test_a_token_in_the_address_is_refused(wire: Deployment, alice: Person) -> None:
    assert status_of(wire, path=f"/ws?token={alice.token}") == (400, "INVALID_REQUEST")


def test_a_wrong_token_and_two_kinds_of_credentials_are_refused(
    wire: Deployment, alice: Person
) -> None:
    wrong = {"Authorization": "Bearer nonsense"}
    assert status_of(wire, headers=wrong) == (401, "UNAUTHENTICATED")
    both = {**alice.headers, "X-API-Key": "sandpit_x"}
    assert status_of(wire, headers=both) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example"]
)
def test_a_foreign_page_opens_nothing(wire: Deployment, origin: str) -> None:
    assert status_of(wire, headers={"Origin": origin}) == (403, "FORBIDDEN")


def test_a_cookie_says_who_listens_and_a_foreign_page_cannot_use_it(
    wire: Deployment, alice: Person
) -> None:
    own = f"http://127.0.0.1:{wire.port}"
    cookie = {"Cookie": f"{TOKEN}={alice.token}"}
    with listening(wire, headers={**cookie, "Origin": own}) as ear:
        assert ear.hear() == {"type": "authenticated", "userId": alice.name}
        ear.listen("orders")
    foreign = {**cookie, "Origin": "https://evil.example"}
    assert status_of(wire, headers=foreign) == (403, "FORBIDDEN")
    assert status_of(wire, headers={"Cookie": f"{TOKEN}=nonsense"}) == (401, "UNAUTHENTICATED")
    assert status_of(wire, headers={**cookie, **alice.headers}) == (400, "INVALID_REQUEST")


def test_a_foreign_host_opens_nothing(wire: Deployment) -> None:
    said = HEAD.replace(b"localhost", b"evil.example.com")
    with connect(wire) as connection:
        connection.sendall(said)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 400 ")


def test_an_own_page_listens(wire: Deployment) -> None:
    with listening(wire, headers={"Origin": f"http://127.0.0.1:{wire.port}"}) as ear:
        assert ear.ask(op="ping") == {"type": "pong"}


def test_a_token_or_a_key_in_the_first_message_is_as_good(wire: Deployment, alice: Person) -> None:
    made = alice.post("/auth/api-keys", {"name": "ear", "scopes": ["read"]}).json()["key"]
    for text in (alice.token, made):
        with listening(wire) as ear:
            assert ear.ask(op="auth", token=text) == {"type": "authenticated", "userId": alice.name}
            ear.listen("orders")
    with listening(wire, headers={"X-API-Key": made}) as ear:
        assert ear.hear()["userId"] == alice.name


def test_a_key_that_may_not_read_and_a_wrong_token_open_nothing(
    wire: Deployment, alice: Person
) -> None:
    made = alice.post("/auth/api-keys", {"name": "hand", "scopes": ["trade"]}).json()["key"]
    with listening(wire) as ear:
        assert ear.ask(op="auth", token=made)["code"] == "FORBIDDEN"
        assert ear.ask(op="auth", token="nonsense")["code"] == "UNAUTHENTICATED"
        assert ear.ask(op="subscribe", channel="orders")["code"] == "UNAUTHENTICATED"


def test_nobody_becomes_somebody_else(wire: Deployment, alice: Person) -> None:
    with listening(wire, alice) as ear:
        assert ear.ask(op="auth", token=wire.person().token)["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "7",
        '{"op":"shout"}',
        '{"op":"subscribe"}',
        '{"op":"subscribe","channel":"secrets"}',
        '{"op":"subscribe","channel":"trades"}',
        '{"op":"subscribe","channel":"trades","market":"NO-PERP"}',
        '{"op":"subscribe","channel":"candles","market":"BTC-PERP","interval":"7m"}',
        '{"op":"subscribe","channel":"funding","market":"ETH_USDC"}',
        '{"op":"subscribe","channel":"trades","market":"BTC-PERP","more":1}',
        '{"op":"subscribe","channel":"trades","market":"BTC-PERP","fromSequence":-1}',
        '{"op":"unsubscribe","channel":"trades","market":"BTC-PERP"}',
        '{"op":"ping","op":"ping"}',
        '{"op":"auth"}',
        "[" * 3_000,
    ],
)
def test_what_cannot_be_done_is_told_and_the_socket_stays(wire: Deployment, text: str) -> None:
    with listening(wire) as ear:
        ear.connection.send(text)
        answer = ear.hear()
        assert answer["type"] == "error"
        assert answer["reason"]
        assert ear.ask(op="ping") == {"type": "pong"}


def padded(size: int) -> str:
    """A ping with so many bytes."""
    text = '{"op":"ping"}'
    return text + " " * (size - len(text))


def test_the_longest_message_is_read_whole_and_in_pieces(wire: Deployment) -> None:
    with listening(wire) as ear:
        for message in (padded(MESSAGE_BYTES_MAX), pieces(padded(MESSAGE_BYTES_MAX))):
            ear.connection.send(message)
            assert ear.hear() == {"type": "pong"}


def pieces(text: str, count: int = 10) -> Iterator[str]:
    """As many fragments."""
    size = -(-len(text) // count)
    return (text[start : start + size] for start in range(0, len(text), size))


@pytest.mark.parametrize("whole", [True, False])
def test_a_byte_more_closes_and_others_do_not_notice(wire: Deployment, whole: bool) -> None:
    text = padded(MESSAGE_BYTES_MAX + 1)
    with listening(wire) as other, listening(wire) as ear:
        ear.connection.send(text if whole else pieces(text))
        assert ear.closing()[0] == CloseCode.MESSAGE_TOO_BIG
        assert other.ask(op="ping") == {"type": "pong"}


def test_compression_is_not_spoken(wire: Deployment) -> None:
    with listening(wire) as ear:
        response = ear.connection.response
        assert response is not None
        assert "Sec-WebSocket-Extensions" not in response.headers


@pytest.mark.parametrize(
    ("message", "text", "code"),
    [
        (b"{}", None, CloseCode.UNSUPPORTED_DATA),
        (b'{"op":"\xff\xfe"}', True, CloseCode.INVALID_DATA),
    ],
)
def test_bytes_and_what_is_no_text_close(
    wire: Deployment, message: bytes, text: bool | None, code: CloseCode
) -> None:
    with listening(wire) as other, listening(wire) as ear:
        ear.connection.send(message, text=text)
        assert ear.closing()[0] == code
        assert other.ask(op="ping") == {"type": "pong"}


@pytest.mark.parametrize("pings", [True, False])
def test_a_flood_closes(wire: Deployment, pings: bool) -> None:
    with listening(wire) as other, listening(wire) as ear:
        with suppress(ConnectionClosed):
            for _ in range(4 * FRAMES_A_SECOND_MAX):
                if pings:
                    ear.connection.ping()
                else:
                    ear.connection.send('{"op":"ping"}')
        assert ear.closing()[0] == CloseCode.POLICY_VIOLATION
        assert other.ask(op="ping") == {"type": "pong"}


def test_a_user_has_so_many_sockets_and_a_socket_so_many_topics(
    wire: Deployment, alice: Person
) -> None:
    ears: list[Ear] = []
    opened = [listening(wire, alice) for _ in range(SOCKETS_OF_USER_MAX)]
    try:
        ears += [one.__enter__() for one in opened]
        assert status_of(wire, headers=alice.headers) == (429, "RATE_LIMITED")
        assert ears[-1].ask(op="subscribe", channel="orders")["type"] == "subscribed"
        assert ears[-1].ask(op="subscribe", channel="orders")["code"] == "INVALID_REQUEST"
    finally:
        for one in opened[: len(ears)]:
            one.__exit__(None, None, None)
    assert SUBSCRIPTIONS_MAX < FRAMES_A_SECOND_MAX

    def again() -> bool:
        with listening(wire, alice):
            return True

    assert eventually(again)


def test_who_logs_out_hears_nothing_any_more(wire: Deployment) -> None:
    login = {"email": "ear@example.com", "password": "long-password"}
    wire.http.post("/auth/register", json=login)
    told = wire.http.post("/auth/login", json=login).json()
    headers = {"Authorization": f"Bearer {told['token']}"}
    with listening(wire) as other, listening(wire, headers=headers) as ear:
        assert ear.hear()["userId"] == told["userId"]
        ear.listen("orders")
        wire.http.post("/auth/logout", json={"refreshToken": told["refreshToken"]})
        assert ear.closing()[0] == 4401
        assert other.ask(op="ping") == {"type": "pong"}


def test_a_token_that_expires_closes_unless_another_has_come(
    wire: Deployment, alice: Person
) -> None:
    short = Tokens(secret(wire.data_dir / "auth.secret"), 2 - LEEWAY_S)
    with listening(wire) as renewed, listening(wire) as ear:
        for one in (renewed, ear):
            assert one.ask(op="auth", token=short.issue(alice.user_id))["type"] == "authenticated"
        assert renewed.ask(op="auth", token=alice.token)["type"] == "authenticated"
        assert ear.closing()[0] == 4401
        renewed.listen("orders")


def test_who_gives_no_sign_of_life_is_closed(wire: Deployment) -> None:
    with connect(wire) as connection:
        connection.sendall(HEAD)
        said = b""
        while data := connection.recv(65_536):
            said += data
    assert b" 101 " in said
    assert b"keepalive ping timeout" in said


def test_who_gives_signs_of_life_stays(wire: Deployment) -> None:
    with listening(wire) as silent, listening(wire) as ear:
        assert silent.ask(op="ping") == {"type": "pong"}
        with connect(wire) as connection:
            connection.sendall(HEAD)
            while connection.recv(65_536):
                pass
        assert ear.ask(op="ping") == {"type": "pong"}


def test_a_slow_client_is_closed_with_its_last_number_and_no_other_waits(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, template_database: str, servers_dir: Path
) -> None:
    urls = database_of(postgres, template_database, "api_slow")
    with running(urls, valkey.limits_url, servers_dir / "slow") as exchange:
        narrow = connect(exchange, receive_bytes=4_096)
        sock: socket.socket = narrow
        with listening(exchange) as quick, listening(exchange, sock=sock, max_queue=1) as slow:
            for ear in (quick, slow):
                ear.listen("trades", market=MARKET)
            quick.next("snapshot")
            traded(exchange.database, TRADES)
            last = 0
            while last < TRADES:
                told = quick.next("update")
                assert told["data"][0]["sequence"] == last + 1
                last = told["sequence"]
            code, reason = slow.closing()
        assert code == CloseCode.TRY_AGAIN_LATER
        assert reason.rpartition(" ")[2].isdigit()
        assert "sandpit_ws_slow_clients_closed_total 1.0" in exchange.metrics()


def traded(database: psycopg.Connection[object], count: int) -> None:
    """So many trades on the tape."""
    database.execute(
        "INSERT INTO trades (market_id, event_seq, price_ticks, quantity_lots, taker_side,"
        " created_at_us) SELECT %s, number, 660000, 1, 1, number"
        " FROM generate_series(1, %s) AS number",
        (MARKET, count),
    )
