"""A client of a WebSocket, by a library that others have written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.api.deployment import Deployment, Person
from tests.waiting import WAIT_S_MAX


class Ear:
    """An open socket, and what it has heard."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def ask(self, **message: Any) -> dict[str, Any]:
        """Send a message; the answer to it."""
        self.connection.send(json.dumps(message))
        return self.next("subscribed", "unsubscribed", "authenticated", "error", "pong")

    def listen(self, channel: str, **more: Any) -> dict[str, Any]:
        """Subscribe; what is said to that."""
        answer = self.ask(op="subscribe", channel=channel, **more)
        assert answer["type"] == "subscribed", answer
        return answer

    def hear(self, timeout_s: float = WAIT_S_MAX) -> dict[str, Any]:
        """The next message."""
        told: dict[str, Any] = json.loads(self.connection.recv(timeout=timeout_s))
        return told

    def next(self, *kinds: str, **fields: Any) -> dict[str, Any]:
        """The next message of these kinds with these fields; others are left out."""
        while True:
            told = self.hear()
            if told["type"] in kinds and fields.items() <= told.items():
                return told

    def until(self, kind: str, **data: Any) -> list[dict[str, Any]]:
        """All messages up to one whose data have these fields."""
        heard = []
        while True:
            heard.append(self.hear())
            told = heard[-1]
            if told["type"] == kind and data.items() <= told["data"].items():
                return heard

    def silence(self) -> list[dict[str, Any]]:
        """What has been told up to the answer to a question that is asked now."""
        self.connection.send('{"op":"ping"}')
        heard = []
        while (told := self.hear())["type"] != "pong":
            heard.append(told)
        return heard

    def closing(self) -> tuple[int, str]:
        """Code and reason of the closing, whatever is told before."""
        with pytest.raises(ConnectionClosed) as closed:
            self._hear_all()
        said = closed.value.rcvd
        assert said is not None, "closed without a word"
        return said.code, said.reason

    def _hear_all(self) -> None:
        while True:
            self.connection.recv(timeout=WAIT_S_MAX)


@contextmanager
def listening(
    deployment: Deployment, person: Person | None = None, **options: Any
) -> Iterator[Ear]:
    """A socket of this person, or of a stranger."""
    headers = options.pop("headers", person.headers if person is not None else {})
    path = options.pop("path", "/ws")
    url = f"ws://127.0.0.1:{deployment.port}{path}"
    with connect(url, additional_headers=headers, **options) as connection:
        ear = Ear(connection)
        if person is not None:
            assert ear.hear() == {"type": "authenticated", "userId": person.name}
        yield ear
