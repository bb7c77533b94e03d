"""What an account sees is numbered in the order in which it can be seen, in all markets."""

import asyncio
import threading
from typing import Any

import psycopg
import pytest

from actors.live.market import Market
from actors.live.relay import Relay
from sim.market import BTC_PERP, MarketSpec
from sim.rows.messages import Side
from storage.market.journal import events_after
from storage.postgres.database import AsyncPool, connect, open_pool
from storage.reading import views
from storage.reading.projections import MarketProjection, event_rows
from storage.reading.time_window import EVER
from storage.reading.views import FillFilter, FillView, LedgerView
from tests.actors.house import House
from tests.builders import order, trader
from tests.markets import ETH_PERP
from tests.waiting import eventually

SPECS = (BTC_PERP, ETH_PERP)
WAITS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'"""


@pytest.fixture
def matching(house: House) -> House:
    """Markets and relay run, and nobody projects what they do."""
    house.actors += [Market(spec.market_id, *house.urls, run=True) for spec in SPECS]
    house.actors.append(Relay(*house.urls, run=True))
    return house


def trade(house: House, spec: MarketSpec, seller: int, buyer: int) -> None:
    ticks = 660_000 if spec is BTC_PERP else 5_991
    house.place(order(seller, Side.SELL, spec=spec, price_ticks=ticks))
    house.place(order(buyer, Side.BUY, spec=spec, price_ticks=ticks))
    matched = f"SELECT command_seq >= 2 FROM market_heads WHERE market_id = '{spec.market_id}'"
    eventually(lambda: house.database.execute(matched).fetchone() == (True,))


def project(database_url: str, spec: MarketSpec) -> None:
    """All that is in the journal of a market, as its recorder does."""
    with connect(database_url, "projector") as connection:
        projection = MarketProjection(connection, spec, 1 + SPECS.index(spec))
        rows = events_after(connection, spec.market_id, projection.batch_no, 100)
        projection.project([(row[0], row[1], row[2], event_rows(row[4])) for row in rows])


def seen_by(house: House, account_id: int) -> tuple[list[FillView], list[LedgerView]]:
    async def work() -> Any:
        pool: AsyncPool = await open_pool(house.urls[0], 1)
        fills = await views.fills(pool, account_id, FillFilter(), 100)
        ledger = await views.ledger(pool, account_id, 2**63 - 1, 100, EVER)
        await pool.close()
        return fills, ledger

    found: tuple[list[FillView], list[LedgerView]] = asyncio.run(work())
    return found


def test_what_is_committed_later_has_the_higher_number_and_no_earlier_time(
    matching: House,
) -> None:
    carol, alice, dave = (trader(matching.database) for _ in range(3))
    trade(matching, ETH_PERP, alice, carol)
    trade(matching, BTC_PERP, alice, dave)
    url = matching.urls[0]
    slow = threading.Thread(target=project, args=(url, ETH_PERP))
    with psycopg.connect(url) as holding:
        holding.execute("SELECT 1 FROM balances WHERE account_id = %s FOR UPDATE", (carol,))
        slow.start()
        eventually(lambda: matching.count(WAITS) == 1)
        project(url, BTC_PERP)
        first_fills, first_ledger = seen_by(matching, alice)
        assert [fill.market_id for fill in first_fills] == ["BTC-PERP"]
    slow.join(20)
    fills, ledger = seen_by(matching, alice)
    assert [fill.market_id for fill in fills] == ["ETH-PERP", "BTC-PERP"]
    assert fills[1:] == first_fills
    assert ledger[-len(first_ledger) :] == first_ledger
    assert len(ledger) > len(first_ledger)
    for rows in (fills, ledger):
        times = [row.created_at_us for row in rows]
        assert times == sorted(times, reverse=True)
    matching.settled()
