"""The candles that a new deployment's markets begin with."""

from collections.abc import Mapping
from typing import Any

import psycopg

from sim.money.candles import Candle, every_interval
from storage.errors import wrapped

HAS_LIVED = """
SELECT EXISTS (SELECT 1 FROM market_prices)
    OR EXISTS (SELECT 1 FROM market_heads WHERE batch_no > 0)
    OR EXISTS (SELECT 1 FROM candles WHERE NOT simulated)"""
FORGET = "DELETE FROM candles WHERE simulated"
COPY = """
COPY candles (market_id, width_us, open_time_us, open_ticks, high_ticks, low_ticks, close_ticks,
    volume_lots, notional_atoms, trade_count, simulated) FROM STDIN"""


def has_lived(connection: psycopg.Connection[Any]) -> bool:
    """Whether a market of this database ever had a price, an order or a trade."""
    with wrapped():
        row = connection.execute(HAS_LIVED).fetchone()
    return bool(row and row[0])


def write_past(
    connection: psycopg.Connection[Any], minutes: Mapping[str, Mapping[int, Candle]]
) -> None:
    """Minutes of each market by opening time, and from them all wider intervals, in one
    transaction: all are simulated, and take the place of a past that came to no life.

    Whoever has asked `has_lived` holds the deployment until this is done.
    """
    with wrapped(), connection.transaction(), connection.cursor() as cursor:
        cursor.execute(FORGET)
        with cursor.copy(COPY) as rows:
            for market_id, candles in minutes.items():
                for place, candle in every_interval(candles).items():
                    rows.write_row((market_id, *place, *vars(candle).values(), True))
