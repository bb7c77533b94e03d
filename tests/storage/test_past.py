"""Candles of a past: written once, exact in every interval, never over what was traded."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from sim.money.candles import INTERVALS_US, MINUTE_US
from sim.past.history import past_minutes
from sim.prices.headlines import GivenNews
from storage.files.world_file import load_world
from storage.market.markets import create_markets
from storage.market.past import has_lived, write_past
from storage.postgres.database import connect

NOW_US = 1_767_225_600_000_000 + 15 * 3_600_000_000 + 7 * MINUTE_US + 1
HOURS = 20
AGGREGATES = """
SELECT w.width_us, m.market_id, m.open_time_us - m.open_time_us %% w.width_us AS opened,
    (array_agg(m.open_ticks ORDER BY m.open_time_us))[1], max(m.high_ticks), min(m.low_ticks),
    (array_agg(m.close_ticks ORDER BY m.open_time_us DESC))[1], sum(m.volume_lots),
    sum(m.notional_atoms), sum(m.trade_count)::bigint, true
FROM candles m, unnest(%s::bigint[]) AS w(width_us)
WHERE m.width_us = %s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
KEPT = """
SELECT width_us, market_id, open_time_us, open_ticks, high_ticks, low_ticks, close_ticks,
    volume_lots, notional_atoms, trade_count, simulated
FROM candles ORDER BY width_us, market_id, open_time_us"""
TRADED = """
INSERT INTO candles (market_id, width_us, open_time_us, open_ticks, high_ticks, low_ticks,
    close_ticks, volume_lots, notional_atoms, trade_count)
VALUES ('BTC-PERP', 60000000, 0, 1, 1, 1, 1, 1, 1, 1)"""
PRICED = "INSERT INTO market_prices VALUES ('BTC-PERP', 1, 1, 0, NULL, 1)"
MOVED = "UPDATE market_heads SET batch_no = 1 WHERE market_id = 'BTC-PERP'"

WORLD = replace(load_world("quiet"), past_hours=HOURS)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, "test") as opened:
        create_markets(opened, [market.spec for market in WORLD.markets])
        yield opened


def kept(connection: psycopg.Connection[Any]) -> list[Any]:
    return connection.execute(KEPT).fetchall()


def test_every_interval_is_what_its_minutes_come_to(connection: psycopg.Connection[Any]) -> None:
    write_past(connection, past_minutes(WORLD, GivenNews(), NOW_US))
    widths = list(INTERVALS_US.values())
    assert kept(connection) == connection.execute(AGGREGATES, (widths, MINUTE_US)).fetchall()
    minutes = [row for row in kept(connection) if row[0] == MINUTE_US]
    assert len(minutes) == len(WORLD.markets) * HOURS * 60
    assert max(row[2] for row in minutes) == NOW_US - NOW_US % MINUTE_US - MINUTE_US


def test_a_past_that_came_to_no_life_gives_way_to_the_next(
    connection: psycopg.Connection[Any],
) -> None:
    write_past(connection, past_minutes(WORLD, GivenNews(), NOW_US - 86_400_000_000))
    assert not has_lived(connection)
    write_past(connection, past_minutes(WORLD, GivenNews(), NOW_US))
    written = kept(connection)
    write_past(connection, past_minutes(WORLD, GivenNews(), NOW_US))
    assert kept(connection) == written
    assert min(row[2] for row in written if row[0] == MINUTE_US) > NOW_US - (HOURS + 1) * 3_600e6


@pytest.mark.parametrize("life", [TRADED, PRICED, MOVED])
def test_a_world_has_lived_once_it_had_a_price_a_batch_or_a_trade(
    connection: psycopg.Connection[Any], life: str
) -> None:
    assert not has_lived(connection)
    connection.execute(life)
    assert has_lived(connection)


def test_half_a_past_is_none(
    connection: psycopg.Connection[Any], database_url: str, fail_at: Callable[[], Any]
) -> None:
    with pytest.raises(ZeroDivisionError):
        write_past(connection, fail_at())
    assert kept(connection) == []


@pytest.fixture
def fail_at() -> Callable[[], Any]:
    """A past of which the second market cannot be told."""
    minutes = past_minutes(WORLD, GivenNews(), NOW_US)

    class Failing(dict[str, Any]):
        def items(self) -> Any:
            yield next(iter(minutes.items()))
            yield "ETH-PERP", 1 // 0

    return Failing
