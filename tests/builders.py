"""Rows that tests start from."""

import itertools
import time
from typing import Any

import psycopg

from sim.market import BTC_PERP, MarketSpec
from sim.orders import PlaceOrder
from sim.rows.messages import OrderType, Side, TimeInForce
from sim.units import parse_atoms
from storage.market.markets import INSERT_SATELLITES, SPEC_COLUMNS, create_markets, spec_values
from storage.servers.bootstrap import create_system_accounts
from storage.upkeep.kept import Kept
from tests.markets import ETH_PERP, ETH_SPOT

MARK_TICKS = {"BTC-PERP": 660_000, "ETH-PERP": 5_991, "ETH_USDC": 5_991}
KEPT = Kept(history_hours=48, decision_days=30, decisions_max=1_000_000, audit_days=365)
"""The settings' own defaults."""

_numbers = itertools.count(1)


def listed_markets(connection: psycopg.Connection[Any]) -> None:
    """BTC-PERP, ETH-PERP and ETH_USDC, the house's accounts, and fresh prices."""
    create_markets(connection, [BTC_PERP, ETH_PERP, ETH_SPOT])
    with_house_and_prices(connection)


def listed_before(connection: psycopg.Connection[Any]) -> None:
    """The perpetual ones in a database whose markets have fewer columns."""
    known = "SELECT column_name FROM information_schema.columns WHERE table_name = 'markets'"
    there = {name for (name,) in connection.execute(known)}
    names = SPEC_COLUMNS.split(", ")
    for ordinal, spec in enumerate((BTC_PERP, ETH_PERP), 1):
        values = dict(zip(names, spec_values(spec), strict=True))
        row = {name: value for name, value in values.items() if name in there}
        row |= {"ordinal": ordinal, "status": 1}
        places = ", ".join(f"%({name})s" for name in row)
        connection.execute(f"INSERT INTO markets ({', '.join(row)}) VALUES ({places})", row)
        for statement in INSERT_SATELLITES:
            connection.execute(statement, (spec.market_id,))
    with_house_and_prices(connection)


def with_house_and_prices(connection: psycopg.Connection[Any]) -> None:
    """The house's accounts, and fresh prices."""
    create_system_accounts(connection)
    for market_id, ticks in MARK_TICKS.items():
        connection.execute(
            "INSERT INTO market_prices VALUES (%s, %s, %s, 0, NULL, %s)",
            (market_id, ticks, ticks, time.time_ns() // 1_000 + 3_600_000_000),
        )


def trader(
    connection: psycopg.Connection[Any], deposit: str = "10000", role: str = "TRADER"
) -> int:
    """A user with money that the ledger knows; the account's id."""
    number = next(_numbers)
    with connection.transaction():
        row = connection.execute(
            "INSERT INTO accounts (kind, created_at_us) VALUES ('MAIN', 0) RETURNING id"
        ).fetchone()
        assert row is not None
        account_id = int(row[0])
        connection.execute(
            "INSERT INTO users VALUES (%s, %s, 'x', %s, 'ACTIVE', 0)",
            (account_id, f"trader{number}@example.com", role),
        )
    with_money(connection, account_id, deposit)
    return account_id


def paper_account(
    connection: psycopg.Connection[Any], owner_id: int, deposit: str = "10000"
) -> int:
    """Another account of a user, with money that the ledger knows; its id."""
    row = connection.execute(
        "INSERT INTO accounts (kind, name, owner_id, created_at_us)"
        " VALUES ('PAPER', 'another', %s, 0) RETURNING id",
        (owner_id,),
    ).fetchone()
    assert row is not None
    with_money(connection, int(row[0]), deposit)
    return int(row[0])


def with_money(
    connection: psycopg.Connection[Any], account_id: int, deposit: str, asset: str = "USDC"
) -> None:
    """A new balance of an account, and where it came from."""
    values = {
        "id": account_id,
        "asset": asset,
        "atoms": parse_atoms(deposit, asset),
        "leg": 0 if asset == "USDC" else 2,
    }
    connection.execute("INSERT INTO balances VALUES (%(id)s, %(asset)s, %(atoms)s, 0, 0)", values)
    connection.execute(
        "INSERT INTO ledger_entries (source, seq, leg, account_id, asset, entry_type, amount_atoms,"
        " created_at_us)"
        " VALUES ('transfer', %(id)s, %(leg)s, %(id)s, %(asset)s, 'DEPOSIT', %(atoms)s, 0),"
        " ('transfer', %(id)s, %(leg)s + 1, 1, %(asset)s, 'DEPOSIT', -%(atoms)s, 0)",
        values,
    )


def position(
    connection: psycopg.Connection[Any],
    account_id: int,
    lots: int,
    cost_atoms: int,
    realized_atoms: int = 0,
    leverage: int = 10,
) -> None:
    """What an account holds in ETH-PERP, as the recorder and its first order have written it."""
    connection.execute(
        "INSERT INTO positions (account_id, market_id, quantity_lots, cost_atoms,"
        " realized_pnl_atoms, updated_at_us) VALUES (%s, 'ETH-PERP', %s, %s, %s, 0)"
        " ON CONFLICT (account_id, market_id) DO UPDATE SET quantity_lots = excluded.quantity_lots,"
        " cost_atoms = excluded.cost_atoms, realized_pnl_atoms = excluded.realized_pnl_atoms",
        (account_id, lots, cost_atoms, realized_atoms),
    )
    connection.execute(
        "INSERT INTO leverages VALUES (%s, 'ETH-PERP', %s) ON CONFLICT DO NOTHING",
        (account_id, leverage),
    )


def waiting_simulation(connection: psycopg.Connection[Any], account_id: int) -> int:
    """A simulation that somebody has asked for, as a row; its id."""
    row = connection.execute(
        "INSERT INTO simulations (account_id, name, scenario, seed, traders, markets, steps,"
        " step_us, status, run_no, tries, step, orders, fills, steps_per_second,"
        " orders_per_second, fills_per_second, created_at_us)"
        " VALUES (%s, '', '', 0, 1, 1, 1, 1, 'QUEUED', 0, 0, 0, 0, 0, 0, 0, 0, 0) RETURNING id",
        (account_id,),
    ).fetchone()
    assert row is not None
    return int(row[0])


def order(account_id: int, side: Side = Side.BUY, lots: int = 10, **more: Any) -> PlaceOrder:
    """A LIMIT GTC order at 59.91 on ETH-PERP unless told otherwise."""
    spec: MarketSpec = more.pop("spec", ETH_PERP)
    values: dict[str, Any] = {
        "order_type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "price_ticks": 5_991,
        "leverage": 10,
        "reduce_only": False,
        "post_only": False,
        "client_order_id": None,
        "body_hash": b"body",
    }
    return PlaceOrder(
        account_id=account_id, spec=spec, side=side, quantity_lots=lots, **{**values, **more}
    )


def spot_order(account_id: int, side: Side = Side.BUY, lots: int = 10, **more: Any) -> PlaceOrder:
    """The same on ETH_USDC, without a leverage."""
    return order(account_id, side, lots, **{"spec": ETH_SPOT, "leverage": None, **more})
