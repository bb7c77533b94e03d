"""Markets: their specifications, and the rows that a new market starts with."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

import psycopg

from sim.market import MarketKind, MarketSpec
from sim.rows.messages import MarketStatus
from storage.errors import wrapped

FIELDS = tuple(field.name for field in fields(MarketSpec))
"""Columns of a row that is a MarketSpec: its fields, in their order."""

SPEC_COLUMNS = ", ".join(FIELDS)
SPEC_COLUMNS_OF_M = ", ".join(f"m.{name}" for name in FIELDS)
"""The same where markets are joined as m."""

READ_AS: dict[str, Callable[[str], Any]] = {
    "tick_size": Decimal,
    "lot_size": Decimal,
    "kind": MarketKind,
}
"""Those that are kept as text."""

SELECT_SPECS = f"SELECT {SPEC_COLUMNS} FROM markets ORDER BY ordinal"
EMPTY_CHAIN = bytes(32)

INSERT_MARKET = f"""
INSERT INTO markets ({SPEC_COLUMNS}, ordinal, status)
VALUES ({", ".join(["%s"] * len(FIELDS))}, (SELECT coalesce(max(ordinal), 0) + 1 FROM markets), %s)
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
    values = dict(zip(FIELDS, row, strict=True))
    for name, read in READ_AS.items():
        values[name] = read(values[name])
    return MarketSpec(**values)


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
    values = (getattr(spec, name) for name in FIELDS)
    return tuple(str(value) if isinstance(value, Decimal) else value for value in values)
