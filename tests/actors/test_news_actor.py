"""The risk actor tells headlines as they become public, and moves synthetic indexes by them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest

from actors.live.risk import Risk
from sim.market import BTC_PERP, MarketSpec
from sim.prices.headlines import News, moved_ticks
from sim.prices.news import SeededNews
from sim.prices.processes import ConstantPrice, ReferencePrice, SyntheticPrice
from storage.market.markets import create_markets
from storage.market.prices import read_prices
from tests.markets import BTC_SPOT, ETH_PERP

SEED = 17
START_US = 1_767_225_600_000_000
TICK_US = 60_000_000
DAY_US = 86_400_000_000
TOLD = """
SELECT at_us, asset, text, score_ppm, source, weight_ppm FROM headlines ORDER BY at_us, asset"""
NEWS = SeededNews(SEED, ("BTC", "ETH"), 40)
FOLLOWED = {BTC_SPOT.market_id: BTC_PERP.market_id}


class Clock:
    def __init__(self, now_us: int = START_US) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        self.now_us += TICK_US
        return self.now_us


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as opened:
        create_markets(opened, [BTC_PERP, ETH_PERP, BTC_SPOT])
        yield opened


def ticked(database_url: str, times: int, clock: Clock, news: News = NEWS) -> None:
    markets: list[tuple[MarketSpec, ReferencePrice]] = [
        (BTC_PERP, SyntheticPrice(SEED, 660_000)),
        (ETH_PERP, ConstantPrice(350_000)),
        (BTC_SPOT, SyntheticPrice(SEED, 660_000)),
    ]
    risk = Risk(database_url, markets, clock, followed=FOLLOWED, news=news)
    for _ in range(times):
        risk.tick()
    risk.stop()


def told(connection: psycopg.Connection[Any]) -> list[Any]:
    return connection.execute(TOLD).fetchall()


def public(until_us: int) -> list[Any]:
    """Those of a day before the first tick, and all since."""
    since_us = START_US + TICK_US - DAY_US
    return [
        (one.at_us, one.asset, one.text, one.score_ppm, one.source, one.weight_ppm)
        for one in NEWS.public(since_us, until_us)
    ]


def test_headlines_of_the_last_day_are_there_and_others_come_once(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    ticked(database_url, 1, clock := Clock())
    assert told(connection) == public(clock.now_us)
    ticked(database_url, 120, clock)
    assert len(public(clock.now_us)) > len(public(START_US)) > 0
    assert told(connection) == public(clock.now_us)


def test_what_became_public_while_nobody_ran_is_told_by_the_next(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    ticked(database_url, 1, Clock())
    ticked(database_url, 1, later := Clock(START_US + DAY_US // 2))
    assert told(connection) == public(later.now_us)


def test_a_synthetic_index_and_who_follows_it_are_moved_and_a_constant_one_is_not(
    connection: psycopg.Connection[Any], database_url: str
) -> None:
    ticked(database_url, 40, clock := Clock())
    stored = read_prices(connection)
    still = SyntheticPrice(SEED, 660_000)
    ticks = still.advance(40)[-1:]
    moves = NEWS.moves_ppm("BTC", np.array([clock.now_us]))
    assert moves[0] != 0
    expected = moved_ticks(ticks, moves, BTC_PERP.max_price_ticks)[0]
    assert stored["BTC-PERP"].index_ticks == stored["BTC_USDC"].index_ticks == expected
    assert stored["ETH-PERP"].index_ticks == 350_000
    assert stored["BTC-PERP"].price_state == still.state()
