"""An API process with a market, a relay and a recorder behind it: orders come to their end here."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from sim.units import format_atoms
from storage.postgres.database_roles import DatabaseUrls
from storage.servers.embedded import EmbeddedValkey
from tests.actors.house import House
from tests.api.deployment import Deployment, Person, running
from tests.waiting import eventually

MARKET = "ETH-PERP"
ENDED = ("FILLED", "CANCELLED", "REJECTED", "EXPIRED")


class Floor:
    """Where people trade ETH-PERP, whose mark stands at 59.91."""

    def __init__(self, house: House, exchange: Deployment) -> None:
        self.house, self.exchange = house, exchange
        self.people: list[Person] = []

    def person(self, deposit: str = "10000") -> Person:
        self.people.append(self.exchange.person(deposit))
        return self.people[-1]

    def settled(self) -> None:
        """All that was accepted is done, and every sum holds."""
        self.house.settled()

    def cleared(self) -> None:
        """Nobody has open orders any more, nobody has anything locked."""
        for person in self.people:
            assert person.delete("/orders").status_code == 202
        self.settled()
        locked = [person.get("/balances").json()[0]["locked"] for person in self.people]
        assert set(locked) <= {"0"}
        self.people = []

    def trade_at(self, price: str, quantity: str = "0.01") -> None:
        """Two strangers trade at this price, so it is the last one; nothing of theirs rests."""
        seller, buyer = self.person(), self.person()
        offered = placed(seller, side="SELL", price=price, quantity=quantity)
        seen(seller, offered, status="OPEN")
        seen(buyer, placed(buyer, price=price, quantity=quantity), status="FILLED")
        self.settled()

    def mark_at(self, ticks: int, market_id: str = MARKET) -> None:
        """Mark stands here from now on."""
        self.house.database.execute(
            "UPDATE market_prices SET mark_ticks = %s, index_ticks = %s WHERE market_id = %s",
            (ticks, ticks, market_id),
        )

    def reserved(self, order_id: str) -> str:
        """What an order itself has reserved."""
        number = int(order_id.removeprefix("order_"))
        statement = f"SELECT reserved_atoms FROM orders WHERE id = {number}"
        return format_atoms(self.house.count(statement))


@contextmanager
def trading_floor(
    urls: DatabaseUrls, valkey: EmbeddedValkey, data_dir: Path, market_id: str = MARKET
) -> Iterator[Floor]:
    """All of it, on a database of its own."""
    with redis.Redis.from_url(valkey.admin_url) as client:
        client.flushall()
    house = House(urls, valkey.url)
    house.open(market_id)
    try:
        with running(urls, valkey.limits_url, data_dir) as exchange:
            yield Floor(house, exchange)
    finally:
        house.close()
        house.database.close()


def sent(**changes: Any) -> dict[str, Any]:
    """A LIMIT order to buy 0.1 at 59.91, unless told otherwise; None takes a field away."""
    order = {
        "marketId": MARKET,
        "side": "BUY",
        "type": "LIMIT",
        "quantity": "0.1",
        "price": "59.91",
        **changes,
    }
    return {name: value for name, value in order.items() if value is not None}


def stop(**changes: Any) -> dict[str, Any]:
    """What makes it a STOP to buy from 61.00 on, unless told otherwise."""
    return {"type": "STOP", "price": None, "triggerPrice": "61", **changes}


def placed(person: Person, **changes: Any) -> str:
    """The id of an order that is accepted."""
    answer = person.post("/orders", sent(**changes))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["orderId"])


def order_of(person: Person, order_id: str) -> dict[str, Any]:
    """An order as it is told."""
    told: dict[str, Any] = person.get(f"/orders/{order_id}").json()
    return told


def seen(person: Person, order_id: str, **fields: Any) -> dict[str, Any]:
    """The order, once it is told like this."""

    def so() -> dict[str, Any]:
        told = order_of(person, order_id)
        assert {name: told.get(name) for name in fields} == fields, told
        return told

    return eventually(so)


def money(person: Person) -> dict[str, Any]:
    """The account's figures."""
    told: dict[str, Any] = person.get("/account").json()
    return told
