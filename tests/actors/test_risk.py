from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from actors.live.risk import Risk
from sim.market import BTC_PERP, MarketSpec
from sim.prices.processes import ConstantPrice, ReferencePrice, SyntheticPrice
from storage.errors import DatabaseUnavailable
from storage.market.markets import create_markets
from storage.market.prices import read_prices
from tests.markets import BTC_SPOT, ETH_PERP

SEED = 17
START_US = 1_700_000_000_000_000
TICK_US = 250_000


class Clock:
    def __init__(self) -> None:
        self.now_us = START_US

    def __call__(self) -> int:
        self.now_us += TICK_US
        return self.now_us


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as opened:
        create_markets(opened, [BTC_PERP, ETH_PERP])
        yield opened


def prices() -> list[tuple[MarketSpec, ReferencePrice]]:
    return [(BTC_PERP, SyntheticPrice(SEED, 660_000)), (ETH_PERP, ConstantPrice(350_000))]


def ticked(risk: Risk, times: int) -> Risk:
    for _ in range(times):
        risk.tick()
    return risk


def test_every_tick_stores_index_and_mark_of_every_market(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    ticked(Risk(database_url, prices(), Clock()), 3).stop()
    stored = read_prices(connection)
    expected = SyntheticPrice(SEED, 660_000)
    for _ in range(3):
        expected.step()
    assert stored["BTC-PERP"].index_ticks == expected.price_ticks
    assert stored["BTC-PERP"].mark_ticks == expected.price_ticks  # the book is empty
    assert stored["ETH-PERP"].index_ticks == 350_000
    assert stored["BTC-PERP"].updated_at_us == START_US + 3 * TICK_US


def test_a_restart_goes_on_where_it_was(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    ticked(Risk(database_url, prices(), Clock()), 10).stop()
    ticked(Risk(database_url, prices(), Clock()), 10).stop()
    whole = SyntheticPrice(SEED, 660_000)
    for _ in range(20):
        whole.step()
    assert read_prices(connection)["BTC-PERP"].price_state == whole.state()


def test_a_world_with_another_process_starts_anew(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    ticked(Risk(database_url, prices(), Clock()), 2).stop()
    ticked(Risk(database_url, [(BTC_PERP, ConstantPrice(5))], Clock()), 1).stop()
    assert read_prices(connection)["BTC-PERP"].index_ticks == 5


def test_the_mark_follows_the_book_slowly(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    connection.execute(
        "UPDATE market_views SET best_bid_ticks = 350900, best_ask_ticks = 351100,"
        " last_price_ticks = 351000 WHERE market_id = 'ETH-PERP'"
    )
    risk = ticked(Risk(database_url, prices(), Clock()), 1)
    first = read_prices(connection)["ETH-PERP"]
    ticked(risk, 120).stop()
    later = read_prices(connection)["ETH-PERP"]
    assert first.mark_ticks == 350_000
    assert 350_170 < later.mark_ticks < 350_190  # 30 s of 150 s towards 1,000 more
    assert later.ema_state > first.ema_state


def test_expired_dead_man_switches_fire(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    connection.execute(
        "INSERT INTO accounts (id, kind, name, created_at_us) VALUES (77, 'PAPER', 'late', 0)"
    )
    connection.execute("INSERT INTO cancel_after VALUES (77, %s)", (START_US + 1,))
    risk = ticked(Risk(database_url, prices(), Clock()), 2)
    assert risk.health() == {"ticks": 2, "failures": 0, "fired": 1}
    risk.stop()


def test_without_a_database_a_tick_says_so() -> None:
    risk = Risk("postgresql://nobody@127.0.0.1:9/none", prices(), Clock())
    with pytest.raises(DatabaseUnavailable):
        risk.tick()


def test_a_broken_connection_is_replaced(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    risk = ticked(Risk(database_url, prices(), Clock()), 1)
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'sandpit-risk' AND datname = current_database()"
    )
    with pytest.raises(DatabaseUnavailable):
        risk.tick()
    ticked(risk, 1).stop()
    assert risk.health()["ticks"] == 2


def test_a_market_that_follows_another_has_its_index_wherever_that_one_was_before(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    """As where it is listed long after the other: its own process would begin at the start."""
    before = [(BTC_PERP, SyntheticPrice(SEED, 660_000))]
    ticked(Risk(database_url, before, Clock()), 50).stop()
    create_markets(connection, [BTC_SPOT])
    for _ in range(2):
        both = [(spec, SyntheticPrice(SEED, 660_000)) for spec in (BTC_PERP, BTC_SPOT)]
        followed = {BTC_SPOT.market_id: BTC_PERP.market_id}
        ticked(Risk(database_url, both, Clock(), followed=followed), 20).stop()
        stored = read_prices(connection)
        assert stored["BTC_USDC"].index_ticks == stored["BTC-PERP"].index_ticks
        assert stored["BTC_USDC"].price_state is None
    expected = SyntheticPrice(SEED, 660_000)
    assert stored["BTC_USDC"].index_ticks == expected.advance(90)[-1]
