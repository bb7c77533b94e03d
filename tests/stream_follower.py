"""A client that keeps a book and its own fills by WebSocket alone, whatever is killed meanwhile."""

import http.client
import json
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.deployment import RETRY_S, Deployment

LOOK_S = 0.05
PAGE = 500
Level = tuple[str, str]
Sides = tuple[frozenset[Level], frozenset[Level]]


class StreamFollower:
    """Follows one market's book and one user's fills; comes back where it was after every loss.

    books, reads   the book by its number: as it was followed, and as GET showed it
    fills          those that were told, and those that were read because the stream said `resync`
    """

    def __init__(self, deployment: Deployment, market_id: str, token: str) -> None:
        self._deployment, self._market_id, self._token = deployment, market_id, token
        self._stopping = threading.Event()
        self.books: dict[int, Sides] = {}
        self.reads: dict[int, Sides] = {}
        self.fills: set[str] = set()
        self.wrong: list[str] = []
        self.connections = self.resyncs = 0
        self._sequence: int | None = None
        self._book_seq = 0
        self._sides: dict[str, dict[str, str]] = {}
        self._threads = [
            threading.Thread(target=target, daemon=True) for target in (self._follow, self._look)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Also tells what was wrong with what was followed."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), "the follower does not end"
        assert self.wrong == []

    @property
    def matched(self) -> int:
        """Books that were followed and read under one number; they have to be the same."""
        both = self.books.keys() & self.reads.keys()
        for number in both:
            assert self.books[number] == self.reads[number], f"the book {number} was not followed"
        return len(both)

    def caught_up(self) -> bool:
        """Whether it has what REST shows now; asked when nothing happens any more."""
        book, _ = self._get(f"/markets/{self._market_id}/orderbook")
        return book["sequence"] == self._book_seq and self.fills == set(self._read_fills())

    def _follow(self) -> None:
        url = f"ws://127.0.0.1:{self._deployment.port}/ws"
        headers = {"Authorization": f"Bearer {self._token}"}
        while not self._stopping.is_set():
            with (
                suppress(OSError, WebSocketException),
                connect(url, additional_headers=headers) as connection,
            ):
                self.connections += 1
                self._subscribe(connection)
                while not self._stopping.is_set():
                    with suppress(TimeoutError):
                        self._take(json.loads(connection.recv(timeout=LOOK_S)))
            time.sleep(RETRY_S)

    def _subscribe(self, connection: ClientConnection) -> None:
        book = {"op": "subscribe", "channel": "orderbook", "market": self._market_id}
        fills: dict[str, Any] = {"op": "subscribe", "channel": "fills"}
        if self._sequence is not None:
            fills["fromSequence"] = self._sequence
        for message in (book, fills):
            connection.send(json.dumps(message))

    def _take(self, told: Mapping[str, Any]) -> None:
        kind, channel = told["type"], told.get("channel")
        if kind == "error":
            self.wrong.append(str(told))
        elif channel == "orderbook" and kind in ("snapshot", "update"):
            self._take_book(kind, told["data"])
        elif channel == "fills" and kind == "update":
            self._take_fill(told)
        elif channel == "fills" and (kind == "resync" or self._sequence is None):
            self.resyncs += kind == "resync"
            self._sequence = told["sequence"]
            self.fills.update(self._read_fills())

    def _take_book(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "snapshot":
            self._sides = {"bids": {}, "asks": {}}
        elif data["prevSeq"] != self._book_seq:
            self.wrong.append(f"after the book {self._book_seq} came {data}")
        for name, side in self._sides.items():
            for level in data[name]:
                side[level["price"]] = level["quantity"]
                if level["quantity"] == "0":
                    del side[level["price"]]
        self._book_seq = data["seq"]
        bids, asks = (frozenset(side.items()) for side in self._sides.values())
        self.books[self._book_seq] = bids, asks

    def _take_fill(self, told: Mapping[str, Any]) -> None:
        sequence, fill_id = told["sequence"], told["data"]["id"]
        if self._sequence is not None and sequence <= self._sequence:
            self.wrong.append(f"{sequence} was told after {self._sequence}")
        self._sequence = sequence
        self.fills.add(fill_id)

    def _read_fills(self) -> Iterable[str]:
        cursor = ""
        while True:
            page, after = self._get(f"/fills?limit={PAGE}{cursor}")
            yield from (fill["id"] for fill in page)
            if after is None:
                return
            cursor = f"&cursor={after}"

    def _look(self) -> None:
        while not self._stopping.wait(LOOK_S):
            book, _ = self._get(f"/markets/{self._market_id}/orderbook")
            self.reads[book["sequence"]] = levels(book["bids"]), levels(book["asks"])

    def _get(self, path: str) -> tuple[Any, str | None]:
        while True:
            with suppress(OSError, http.client.HTTPException):
                status, answer, headers = self._deployment.ask("GET", path, token=self._token)
                if status == 200:
                    return answer, headers.get("x-next-cursor")
            time.sleep(RETRY_S)


def levels(side: Iterable[Mapping[str, str]]) -> frozenset[Level]:
    """One side of a book as GET shows it."""
    return frozenset((level["price"], level["quantity"]) for level in side)
