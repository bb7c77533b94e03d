"""Candles of every interval, as their recorder keeps them, page by page."""

from typing import Any

import pytest

from sim.money.candles import INTERVALS_US, MINUTE_US
from tests.api.deployment import Deployment, error_of

T0_US = 1_767_225_600_000_000
PATH = "/markets/ETH-PERP/candles"
INSERT = """
INSERT INTO candles (market_id, width_us, open_time_us, open_ticks, high_ticks, low_ticks,
    close_ticks, volume_lots, notional_atoms, trade_count)
VALUES ('ETH-PERP', %s, %s, 100, 150, 80, 140, 30, 3000000, 6)"""


@pytest.fixture(scope="module", autouse=True)
def kept(exchange: Deployment) -> None:
    for width_us in INTERVALS_US.values():
        for number in (0, 1, 2, 5):
            exchange.database.execute(INSERT, (width_us, T0_US + number * width_us))


def opened(exchange: Deployment, interval: str, **query: Any) -> list[int]:
    """Which candles, as numbers of intervals after T0."""
    response = exchange.http.get(PATH, params={"interval": interval, **query})
    assert response.status_code == 200, response.text
    width_ms = INTERVALS_US[interval] // 1_000
    return [(row["openTime"] - T0_US // 1_000) // width_ms for row in response.json()]


@pytest.mark.parametrize("interval", INTERVALS_US)
def test_a_candle_of_every_interval_is_what_was_kept(interval: str, exchange: Deployment) -> None:
    until = (T0_US + INTERVALS_US[interval]) // 1_000
    kept = exchange.http.get(f"{PATH}?interval={interval}&until={until}").json()
    assert kept == [
        {
            "marketId": "ETH-PERP",
            "interval": interval,
            "openTime": T0_US // 1_000,
            "open": "1",
            "high": "1.5",
            "low": "0.8",
            "close": "1.4",
            "volume": "0.3",
            "quoteVolume": "3",
            "trades": 6,
        }
    ]


def test_since_is_within_and_until_is_not(exchange: Deployment) -> None:
    def at(number: int) -> int:
        return (T0_US + number * MINUTE_US) // 1_000

    assert opened(exchange, "1m") == [5, 2, 1, 0]
    assert opened(exchange, "1m", since=at(1), until=at(5)) == [2, 1]
    assert opened(exchange, "1m", since=at(1) + 1) == [5, 2]
    assert opened(exchange, "1m", until=at(1) + 1) == [1, 0]
    assert opened(exchange, "1m", end=at(2)) == [1, 0]
    both = exchange.http.get(f"{PATH}?end={at(2)}&until={at(2)}")
    assert error_of(both) == (400, "INVALID_REQUEST")


def test_candles_page_without_gap_or_repetition(exchange: Deployment) -> None:
    first = exchange.http.get(f"{PATH}?interval=4h&limit=3")
    cursor = first.headers["X-Next-Cursor"]
    last = exchange.http.get(f"{PATH}?interval=4h&limit=3&cursor={cursor}")
    assert (len(first.json()), len(last.json())) == (3, 1)
    assert "X-Next-Cursor" not in last.headers
    assert first.json()[-1]["openTime"] > last.json()[0]["openTime"] == T0_US // 1_000
    other = exchange.http.get(f"{PATH}?interval=1h&cursor={cursor}")
    assert error_of(other) == (400, "INVALID_REQUEST")


def test_only_a_simulated_candle_says_so(exchange: Deployment) -> None:
    past_us = T0_US - 7 * INTERVALS_US["1d"]
    exchange.database.execute(INSERT, (INTERVALS_US["1d"], past_us))
    exchange.database.execute("UPDATE candles SET simulated = open_time_us = %s", (past_us,))
    rows = exchange.http.get(f"{PATH}?interval=1d").json()
    assert [row.get("simulated") for row in rows] == [None, None, None, None, True]
