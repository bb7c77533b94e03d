"""A trading floor whose market has a symbol, and requests in the words of who runs agents."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from storage.postgres.database_roles import DatabaseUrls
from storage.servers.embedded import EmbeddedValkey
from tests.api.deployment import Deployment, Person
from tests.api.documented_requests import exact
from tests.api.trading_floor import Floor, order_of, placed, trading_floor
from tests.waiting import eventually

SYMBOL, MARKET = "BTC/USDT", "BTC-PERP"
MARK_TICKS = 420_000
"""42,000.0, as the document has it."""


@dataclass
class Client:
    """Somebody who asks; without headers the paper account."""

    http: httpx.Client
    headers: Mapping[str, str] = field(default_factory=dict)

    def sends(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.http.request(
            method, f"/api/v1/{path}", json=body, headers={**self.headers, **headers}
        )

    def asks(self, path: str, **query: str) -> Any:
        answer = self.http.get(f"/api/v1/{path}", params=query, headers=dict(self.headers))
        assert answer.status_code == 200, answer.text
        return exact(answer.text)

    def does(self, path: str, body: Any, status: int = 200) -> Any:
        answer = self.sends("POST", path, body)
        assert answer.status_code == status, answer.text
        return exact(answer.text)

    def places(self, **changes: Any) -> Any:
        """An order, as it is told when it is accepted."""
        order = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": 0.1, **changes}
        sent = {"price": 41_500, **order}
        if "price" not in changes and not sent["type"].upper().endswith("LIMIT"):
            del sent["price"]
        return self.does("orders", sent, 201)["order"]

    def sees(self, order_id: str, status: str) -> Any:
        """The order, once it stands so."""

        def so() -> Any:
            order = self.asks(f"orders/{order_id}")["order"]
            assert order["status"] == status, order
            return order

        return eventually(so)

    def starts(self, capital: Any = 10_000) -> str:
        """A session's id."""
        sent = {"symbol": SYMBOL, "initial_capital": capital}
        return str(self.does("trade/start", sent)["session_id"])


def rests_nothing(maker: Person) -> bool:
    still = {"status": "PENDING,OPEN,PARTIALLY_FILLED"}
    return len(maker.get("/orders", params=still).json()) == 0


@dataclass
class AgentsFloor:
    """Where people trade BTC-PERP, whose mark stands at 42,000."""

    floor: Floor
    makers: list[Person] = field(default_factory=list)

    @property
    def app(self) -> Deployment:
        return self.floor.exchange

    @property
    def paper(self) -> Client:
        return Client(self.app.http)

    def client(self, role: str = "TRADER") -> Client:
        """Somebody with a token."""
        return Client(self.app.http, self.app.person("100000", role).headers)

    def maker(self) -> Person:
        self.makers.append(self.app.person("1000000"))
        return self.makers[-1]

    def clear(self) -> None:
        """Nothing of theirs rests any more."""
        for maker in self.makers:
            assert maker.delete("/orders").status_code == 202
            eventually(partial(rests_nothing, maker))
        self.makers = []

    def offers(self, side: str, price: str, quantity: str) -> tuple[Person, str]:
        """What somebody else lets rest in the book, or trades at once."""
        maker = self.maker()
        order = placed(maker, marketId=MARKET, side=side, price=price, quantity=quantity)
        eventually(lambda: order_of(maker, order)["status"] != "PENDING")
        if order_of(maker, order)["status"] == "OPEN":
            book = f"/markets/{MARKET}/orderbook"
            eventually(lambda: f'"{price}"' in self.app.http.get(book).text)
        return maker, order


@contextmanager
def agents_floor(
    urls: DatabaseUrls, valkey: EmbeddedValkey, data_dir: Path
) -> Iterator[AgentsFloor]:
    with trading_floor(urls, valkey, data_dir, MARKET) as floor:
        floor.mark_at(MARK_TICKS, MARKET)
        floor.house.database.execute(
            "INSERT INTO symbols (symbol, market_id)"
            " VALUES ('BTC/USDT', 'BTC-PERP'), ('ETH/USDT', 'ETH-PERP')"
        )
        agents = AgentsFloor(floor)
        eventually(lambda: knows_its_mark(agents), 30)
        yield agents


def knows_its_mark(agents: AgentsFloor) -> bool:
    """Whether the market has heard of it: until then nothing may rest there."""
    maker, order = agents.offers("SELL", "42000", "0.1")
    return maker.delete(f"/orders/{order}").status_code == 202


def stopped_by_orchestrator(app: Deployment, session_id: str) -> None:
    """As the orchestrator does once the account is flat and its orders are gone."""

    def asked() -> bool:
        row = app.database.execute(
            "SELECT status FROM trading_sessions WHERE id = %s", (session_id,)
        ).fetchone()
        return row is not None and row[0] == "STOPPING"

    eventually(asked)
    app.database.execute(
        "UPDATE trading_sessions s SET status = 'STOPPED', stopped_at_us = updated_at_us,"
        " final_atoms = b.total_atoms FROM balances b"
        " WHERE b.account_id = s.account_id AND b.asset = 'USDC' AND s.id = %s",
        (session_id,),
    )
