"""A bot that reads lists newest first, until the last thing it knows, and orders to read about."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

from tests.deployment import Deployment
from tests.waiting import eventually

MARKETS = ("BTC-PERP", "ETH-PERP", "ETH_USDC")
ORDERS_MAX = 2_000
PAGE = 20


class Poller:
    """Reads one list again and again, each time as far as it has to."""

    def __init__(self, deployment: Deployment, path: str, token: str) -> None:
        self._deployment, self._token = deployment, token
        self.path = path
        self.seen: list[dict[str, Any]] = []
        """What was read, oldest first."""

    def begin(self) -> None:
        """From the newest row on, when there is one."""
        self.seen = [eventually(lambda: next(self.rows(), {}), 60)]

    def poll(self) -> None:
        newest = self.seen[-1]["id"] if self.seen else None
        found = list(itertools.takewhile(lambda row: row["id"] != newest, self.rows()))
        self.seen += reversed(found)

    def rows(self) -> Iterator[dict[str, Any]]:
        """All of the list, newest first, a page at a time."""
        query = f"limit={PAGE}"
        while True:
            status, page, headers = self._deployment.ask(
                "GET", f"{self.path}?{query}", token=self._token
            )
            assert status == 200, page
            yield from page
            if "x-next-cursor" not in headers:
                return
            query = f"limit={PAGE}&cursor={headers['x-next-cursor']}"


class Trading:
    """Orders in both markets until told to stop, some resting and some taking."""

    def __init__(self, deployment: Deployment, token: str) -> None:
        self._deployment, self._token = deployment, token
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._trade, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _trade(self) -> None:
        sides = itertools.cycle(("BUY", "SELL", "SELL", "BUY"))
        for number in range(ORDERS_MAX):
            if self._stopping.is_set():
                return
            market_id, side = MARKETS[number % 3], next(sides)
            book = self._deployment.ask("GET", f"/markets/{market_id}/orderbook?depth=1")[1]
            levels = book["asks" if (side == "BUY") == (number % 5 > 1) else "bids"]
            if levels:
                order = {"marketId": market_id, "side": side, "type": "LIMIT", "quantity": "0.05"}
                order["price"] = levels[0]["price"]
                self._deployment.ask("POST", "/orders", order, self._token)


def assert_nothing_was_missed(poller: Poller) -> None:
    """From the newest row seen on, the list holds what was seen, and its times never went back.

    What is newer has come since the last look: strategies trade on.
    """
    ids = [row["id"] for row in poller.seen]
    listed: list[str] = []
    for row in itertools.dropwhile(lambda row: row["id"] != ids[-1], poller.rows()):
        listed.append(row["id"])
        if row["id"] == ids[0]:
            break
    missed = set(listed) - set(ids)
    assert not missed, f"{poller.path}: {len(missed)} of {len(listed)} were missed"
    assert listed == ids[::-1], poller.path
    times = [row["createdAt"] for row in poller.seen]
    assert times == sorted(times), poller.path
