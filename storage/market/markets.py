"""Markets: their specifications, and the rows that a new market starts with."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import psycopg

from sim.market import MarketKind, MarketSpec
from sim.rows.messages import MarketStatus
from storage.errors import wrapped

SPEC_COLUMNS = """market_id, base_asset, quote_asset, tick_size, lot_size, max_quantity_lots,
    max_price_ticks, min_quantity_lots, max_leverage, initial_margin_ppm, maintenance_margin_ppm,
    maker_fee_ppm, taker_fee_ppm, funding_interval_hours, funding_cap_ppm,
    price_band_ppm, kind"""
SELECT_SPECS = f"SELECT {SPEC_COLUMNS} FROM markets ORDER BY ordinal"
EMPTY_CHAIN = bytes(32)

INSERT_MARKET = f"""
INSERT INTO markets ({SPEC_COLUMNS}, ordinal, status)
VALUES ({", ".join(["%s"] * 17)}, (SELECT coalesce(max(ordinal), 0) + 1 FROM markets), %s)
ON CONFLICT (market_id) DO NOTHING"""
INSERT_SATELLITES = (
    "INSERT INTO market_heads (market_id, epoch, batch_no, command_seq, event_seq, chain)"
    " VALUES (%s, 0, 0, 0, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING",
    "INSERT INTO market_sequences (market_id, command_seq, time_us) VALUES (%s, 0, 0)"
    " ON CONFLICT DO NOTHING",
    "INSERT INTO projections (market_id, batch_no, command_seq, event_seq) VALUES (%s, 0, 0, 0)"
    " ON CONFLICT DO NOTHING",
    "INSERT INTO market_views (market_id, event_seq, at_us, best_bid_ticks, best_ask_ticks,"
    " last_price_ticks, bids, asks) VALUES (%s, 0, 0, 0, 0, 0, '', '') ON CONFLICT DO NOTHING",
)


def spec_from_row(row: Sequence[Any]) -> MarketSpec:
    """A MarketSpec from the columns of SPEC_COLUMNS, in their order."""
    names, sizes = list(row[:3]), [Decimal(text) for text in row[3:5]]
    rest = [*row[5:-1], MarketKind(row[-1])]
    return MarketSpec(*names, *sizes, *rest)


def load_specs(connection: psycopg.Connection[Any]) -> dict[str, MarketSpec]:
    """Every market by id, in the order of their listing."""
    with wrapped():
        rows = connection.execute(SELECT_SPECS).fetchall()
    return {row[0]: spec_from_row(row) for row in rows}


def create_markets(connection: psycopg.Connection[Any], specs: Iterable[MarketSpec]) -> None:
    """List markets that are not listed yet; what is listed stays as it is."""
    with connection.transaction():
        for spec in specs:
            connection.execute(INSERT_MARKET, (*spec_values(spec), int(MarketStatus.ACTIVE)))
            for statement in INSERT_SATELLITES:
                connection.execute(statement, (spec.market_id,))


def spec_values(spec: MarketSpec) -> tuple[object, ...]:
    """A spec as the columns of SPEC_COLUMNS, in their order."""
    return (
        spec.market_id,
        spec.base_asset,
        spec.quote_asset,
        str(spec.tick_size),
        str(spec.lot_size),
        spec.max_quantity_lots,
        spec.max_price_ticks,
        spec.min_quantity_lots,
        spec.max_leverage,
        spec.initial_margin_ppm,
        spec.maintenance_margin_ppm,
        spec.maker_fee_ppm,
        spec.taker_fee_ppm,
        spec.funding_interval_hours,
        spec.funding_cap_ppm,
        spec.price_band_ppm,
        spec.kind,
    )
