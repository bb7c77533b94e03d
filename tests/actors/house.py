"""All rooms below the API on real servers, as plain objects."""

import asyncio
from typing import Any

from actors.live.market import Market
from actors.live.recorder import Recorder
from actors.live.relay import Relay
from sim.book.engine import warm_up, warm_up_terms
from sim.orders import OrderStatus, PlaceOrder
from sim.refusals import Refused
from storage.intake.accept import Acceptor
from storage.intake.accept_request import Answer
from storage.intake.accept_state import OpenOrdersMax
from storage.intake.cancels import request_cancel, request_cancel_all
from storage.postgres.database import connect, open_pool
from storage.postgres.database_roles import DatabaseUrls
from tests.auditor import audit
from tests.builders import listed_markets
from tests.placing import place_many
from tests.waiting import eventually

MARKET = "ETH-PERP"


def bytes_of(column: object) -> bytes:
    """A bytea column of a row."""
    assert isinstance(column, bytes)
    return column


class House:
    """All rooms below the API, run by hand or by their threads."""

    def __init__(self, urls: DatabaseUrls, redis_url: str, is_new: bool = True) -> None:
        """Each part comes to the database as its own user, the test as the owner.

        is_new   whether the database is empty, and gets its markets now
        """
        warm_up()
        warm_up_terms()
        self.urls = (urls.engine, redis_url)
        self.api_url, self.owner_url = urls.api, urls.owner
        self.database = connect(urls.owner, "test")
        if is_new:
            listed_markets(self.database)
        self.actors: list[Any] = []

    def open(self, *market_ids: str) -> None:
        """These markets, or MARKET, and who carries what to them and from them."""
        named = list(market_ids) or [MARKET]
        self.actors += [
            *(Market(market_id, *self.urls, run=True) for market_id in named),
            Relay(*self.urls, run=True),
            Recorder(named, *self.urls, run=True),
        ]

    def close(self) -> None:
        for actor in self.actors:
            actor.stop()
        self.actors = []

    def place(self, *orders: PlaceOrder) -> list[Answer]:
        async def work() -> list[Answer]:
            pool = await open_pool(self.api_url, 2)
            acceptor = Acceptor(pool, OpenOrdersMax(1_000, 1_000))
            await acceptor.start()
            answers = await place_many(acceptor, orders)
            await acceptor.stop()
            await pool.close()
            return answers

        return asyncio.run(work())

    def place_one(self, wish: PlaceOrder) -> int:
        (answer,) = self.place(wish)
        assert not isinstance(answer, Refused), answer
        return answer.order_id

    def cancel(self, account_id: int, order_id: int | None) -> None:
        async def work() -> None:
            pool = await open_pool(self.api_url, 1)
            if order_id is None:
                await request_cancel_all(pool, account_id, None)
            else:
                await request_cancel(pool, account_id, order_id)
            await pool.close()

        asyncio.run(work())

    def state(self, order_id: int) -> tuple[OrderStatus, int]:
        row = self.database.execute(
            "SELECT status, filled_lots FROM orders WHERE id = %s", (order_id,)
        ).fetchone()
        assert row is not None
        return OrderStatus(int(str(row[0]))), int(str(row[1]))

    def quantities(self, order_id: int) -> tuple[int, int, OrderStatus]:
        """What it is for, what is filled of it, and how it stands."""
        row = self.database.execute(
            "SELECT quantity_lots, filled_lots, status FROM orders WHERE id = %s", (order_id,)
        ).fetchone()
        assert row is not None
        quantity, filled, status = (int(str(column)) for column in row)
        return quantity, filled, OrderStatus(status)

    def settled(self) -> None:
        """Wait until everything accepted is projected, then audit all of it."""
        eventually(lambda: self.count("SELECT count(*) FROM orders WHERE status = 1") == 0)
        eventually(lambda: self.count(UNPROJECTED) == 0)
        audit(self.database)

    def count(self, statement: str) -> int:
        row = self.database.execute(statement).fetchone()
        assert row is not None
        return int(str(row[0]))


UNPROJECTED = """
SELECT count(*) FROM commands c JOIN projections p USING (market_id)
WHERE c.command_seq IS NULL OR c.command_seq > p.command_seq"""
