"""Who may listen to agents and sessions over a WebSocket, how much they may send, and how fast they
have to read."""

import json
import socket
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode

from api.cryptofunk.stream import MESSAGE_BYTES_MAX
from api.door.cookies import TOKEN
from tests.api.agents_floor import AgentsFloor
from tests.api.deployment import Deployment
from tests.api.listening import Ear, listening
from tests.api.made_decisions import decided
from tests.api.sockets import connect
from tests.api.test_agents_stream import PATH, documented, fits, so_far
from tests.api.test_stream_bounds import pieces
from tests.waiting import eventually

WRITER = "writing-agent"
DECISIONS, CONTEXT_CHARACTERS = 600, 60_000


def auth(ear: Ear, token: str) -> dict[str, Any]:
    """Say who it is; the answer."""
    message = {"type": "auth", "timestamp": "2025-01-15T10:30:00Z", "data": {"token": token}}
    ear.connection.send(json.dumps(message))
    return ear.next("system_status", "error")


def refused(deployment: Deployment, **options: Any) -> tuple[int, str]:
    """How a handshake is refused."""
    with pytest.raises(InvalidStatus) as answer, listening(deployment, **options):
        pass
    response = answer.value.response
    return response.status_code, json.loads(response.body or b"{}")["error"]


def padded(size: int) -> str:
    """A ping with so many bytes."""
    text = json.dumps({"type": "ping", "data": {}})
    return text + " " * (size - len(text))


def test_who_shows_something_is_judged_by_it_and_pages_of_others_open_nothing(
    agents: AgentsFloor,
) -> None:
    app = agents.app
    token = agents.client().headers["Authorization"].removeprefix("Bearer ")
    assert refused(app, path=f"{PATH}?token={token}")[0] == 400
    wrong = {"Authorization": "Bearer nonsense"}
    assert refused(app, path=PATH, headers=wrong) == (401, "authentication required")
    evil = {"Origin": "https://evil.example"}
    assert refused(app, path=PATH, headers=evil) == (403, "forbidden")
    both = {"Authorization": f"Bearer {token}", "X-API-Key": "sandpit_x"}
    assert refused(app, path=PATH, headers=both)[0] == 400


def test_whoever_sits_here_is_told_of_the_paper_account_until_they_say_who_they_are(
    agents: AgentsFloor,
) -> None:
    ann = agents.client()
    token = ann.headers["Authorization"].removeprefix("Bearer ")
    with listening(agents.app, path=PATH) as ear:
        order = agents.paper.places(price=41_000)
        ear.until("order_update", order_id=order["id"], status="NEW")
        assert auth(ear, token)["data"]["status"] == "authenticated"
        agents.paper.sends("DELETE", f"orders/{order['id']}")
        own = ann.places()
        heard = ear.until("order_update", order_id=own["id"], status="NEW")
        told_of = {one["data"]["order_id"] for one in heard if one["type"] == "order_update"}
        assert told_of == {own["id"]}
        ann.sends("DELETE", f"orders/{own['id']}")


def test_elsewhere_a_token_is_needed_in_time(tight: Deployment) -> None:
    alice = tight.person()
    cookie = {"Cookie": f"{TOKEN}={alice.token}"}
    key = alice.post("/auth/api-keys", {"name": "ear", "scopes": ["read"]}).json()["key"]
    with (
        listening(tight, path=PATH) as silent,
        listening(tight, path=PATH, headers=cookie) as browser,
        listening(tight, path=PATH) as late,
        listening(tight, path=PATH, headers=alice.headers) as known,
        listening(tight, path=PATH, headers={"X-API-Key": key}) as by_key,
    ):
        answer = auth(late, "nonsense")
        fits(answer, documented()["error"])
        assert answer["data"]["error"] == "authentication required"
        assert auth(late, alice.token)["data"]["status"] == "authenticated"
        assert so_far(silent) == []
        assert silent.closing()[0] == 4401
        for ear in (late, browser, known, by_key):
            assert so_far(ear) == []


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"type":"shout"}', '{"type":"auth","data":{}}', '{"type":"ping","more":1}']
)
def test_what_is_no_message_is_told_and_the_socket_stays(agents: AgentsFloor, text: str) -> None:
    with listening(agents.app, path=PATH) as ear:
        ear.connection.send(text)
        told = ear.next("error")
        fits(told, documented()["error"])
        assert told["data"]["error"] == "invalid message"
        so_far(ear)


def test_a_message_has_so_many_bytes_and_one_more_closes(agents: AgentsFloor) -> None:
    with listening(agents.app, path=PATH) as other:
        for is_whole in (True, False):
            with listening(agents.app, path=PATH) as ear:
                for size in (MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX + 1):
                    text = padded(size)
                    ear.connection.send(text if is_whole else pieces(text))
                    if size == MESSAGE_BYTES_MAX:
                        ear.next("pong")
                assert ear.closing()[0] == CloseCode.MESSAGE_TOO_BIG
        so_far(other)


def test_who_is_there_is_counted(agents: AgentsFloor) -> None:
    def clients() -> int:
        told = agents.paper.asks("status")
        assert told["components"]["websocket"] == "healthy"
        return int(told["websocket"]["connected_clients"])

    eventually(lambda: clients() == 0)
    with listening(agents.app, path=PATH), listening(agents.app, path=PATH):
        assert clients() == 2
    eventually(lambda: clients() == 0)


def test_a_slow_client_is_closed_with_its_last_number_and_no_other_waits(
    agents: AgentsFloor,
) -> None:
    narrow: socket.socket = connect(agents.app, receive_bytes=4_096)
    database = agents.app.database
    context = json.dumps({"market": "x" * CONTEXT_CHARACTERS})
    with (
        listening(agents.app, path=PATH) as quick,
        listening(agents.app, path=PATH, sock=narrow, max_queue=1) as slow,
    ):
        try:
            first = decided(database, agent_name=WRITER, context=context)
            database.execute(
                "INSERT INTO decisions (id, agent_name, symbol, kind, action, confidence,"
                " reasoning, context, prompt, response, model, prompt_tokens, completion_tokens,"
                " latency_ms, created_at_us) SELECT gen_random_uuid(), agent_name, symbol, kind,"
                " action, confidence, reasoning, context, prompt, response, model, 0, 0, 1, number"
                " FROM decisions, generate_series(2, %s) AS number WHERE id = %s",
                (DECISIONS, first),
            )
            for _ in range(DECISIONS):
                quick.next("decision")
            code, reason = slow.closing()
        finally:
            database.execute("DELETE FROM decisions WHERE agent_name = %s", (WRITER,))
    assert code == CloseCode.TRY_AGAIN_LATER
    assert reason.rpartition(" ")[2].isdigit()
