"""A bot that reads lists newest first, until the last thing it knows, misses nothing."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deployment import Deployment
from tests.waiting import eventually

pytestmark = pytest.mark.ray
MARKETS = ("BTC-PERP", "ETH-PERP")
FILLS_WANTED = 250
ORDERS_MAX = 2_000
PAGE = 20


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The default world: two markets, and strategies that trade in both."""
    started = Deployment(tmp_path_factory.mktemp("polling") / "data")
    yield started
    assert started.stop() == 0


class Poller:
    """Reads one list again and again, each time as far as it has to."""

    def __init__(self, deployment: Deployment, path: str, token: str) -> None:
        self._ask = lambda query: deployment.ask("GET", f"{path}?{query}", token=token)
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
            status, page, headers = self._ask(query)
            assert status == 200, page
            yield from page
            if "x-next-cursor" not in headers:
                return
            query = f"limit={PAGE}&cursor={headers['x-next-cursor']}"


class Trading:
    """Orders in both markets until told to stop, some resting and some taking."""

    def __init__(self, deployment: Deployment, token: str) -> None:
        self._ask = lambda *request: deployment.ask(*request, token)
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
            market_id, side = MARKETS[number % 2], next(sides)
            book = self._ask("GET", f"/markets/{market_id}/orderbook?depth=1", None)[1]
            levels = book["asks" if (side == "BUY") == (number % 3 > 0) else "bids"]
            if levels:
                order = {"marketId": market_id, "side": side, "type": "LIMIT", "quantity": "0.05"}
                self._ask("POST", "/orders", order | {"price": levels[0]["price"]})


def test_what_polls_newest_first_misses_nothing(deployment: Deployment) -> None:
    token = deployment.trader()
    eventually(lambda: all(book_is_there(deployment, market_id) for market_id in MARKETS), 60)
    pollers = [Poller(deployment, path, token) for path in ("/fills", "/ledger", "/orders")]
    pollers += [Poller(deployment, f"/markets/{market_id}/trades", token) for market_id in MARKETS]
    for tape in pollers[3:]:
        tape.begin()
    trading = Trading(deployment, token)
    fills = pollers[0]

    def enough() -> bool:
        for poller in pollers:
            poller.poll()
        return len(fills.seen) >= FILLS_WANTED

    eventually(enough, 90)
    trading.stop()
    assert deployment.ask("POST", "/admin/drain")[0] == 200
    for poller in pollers:
        poller.poll()
        check(poller)


def book_is_there(deployment: Deployment, market_id: str) -> bool:
    _, book, _ = deployment.ask("GET", f"/markets/{market_id}/orderbook?depth=1")
    return bool(book["bids"] and book["asks"])


def check(poller: Poller) -> None:
    """All that the list now has was seen, in its order, and its times never went back."""
    ids = [row["id"] for row in poller.seen]
    oldest = ids[0]
    missed = []
    for row in poller.rows():
        missed += [] if row["id"] in set(ids) else [row["id"]]
        if row["id"] == oldest:
            break
    assert missed == [], f"{poller.path}: {len(missed)} of {len(ids) + len(missed)} were missed"
    times = [row["createdAt"] for row in poller.seen]
    assert times == sorted(times), poller.path
