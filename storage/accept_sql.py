"""What accepting a batch of orders reads and writes."""

from typing import Any

import numpy as np
import psycopg

from sim.messages import CommandKind, OrderFlag, OrderType, empty_commands
from sim.orders import OrderStatus, PlaceOrder
from sim.position import Position
from storage.accept_check import (
    AcceptedRow,
    Account,
    Accounts,
    HeldPosition,
    KnownOrder,
    MarketNow,
)
from storage.accounts import COLLATERAL
from storage.depth import levels_from_bytes
from storage.markets import SPEC_COLUMNS, spec_from_row

ACCOUNTS = f"""
SELECT b.account_id, b.version, b.total_atoms, b.locked_atoms, b.open_orders, u.role, u.status
FROM balances b JOIN users u ON u.id = b.account_id
WHERE b.account_id = ANY(%b) AND b.asset = '{COLLATERAL}' ORDER BY b.account_id"""
LOCKED_ACCOUNTS = f"{ACCOUNTS} FOR UPDATE OF b"
POSITIONS = """
SELECT account_id, market_id, quantity_lots, cost_atoms, leverage
FROM positions WHERE account_id = ANY(%b) AND quantity_lots <> 0"""
MARKETS = f"""
SELECT {", ".join("m." + column.strip() for column in SPEC_COLUMNS.split(","))},
       m.status, coalesce(p.index_ticks, 0), coalesce(p.mark_ticks, 0),
       coalesce(p.updated_at_us, 0), v.best_bid_ticks,
       CASE WHEN %s THEN v.bids ELSE ''::bytea END, CASE WHEN %s THEN v.asks ELSE ''::bytea END,
       m.halt_reason
FROM markets m JOIN market_views v USING (market_id) LEFT JOIN market_prices p USING (market_id)"""
KNOWN_CLIENT_IDS = """
SELECT account_id, client_order_id, id, status, body_hash
FROM orders JOIN unnest(%b::bigint[], %b::text[]) AS asked(account_id, client_order_id)
USING (account_id, client_order_id)"""
KNOWN_KEYS = """
SELECT account_id, idempotency_key, id, status, body_hash
FROM orders JOIN unnest(%b::bigint[], %b::text[]) AS asked(account_id, idempotency_key)
USING (account_id, idempotency_key)"""

WRITE = f"""
WITH asked AS (
    SELECT x.*, nextval('order_ids') AS id
    FROM unnest(%b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::bytea[],
        %b::int[], %b::int[], %b::int[], %b::bigint[], %b::bigint[], %b::int[], %b::bool[],
        %b::bool[], %b::bigint[], %b::bytea[]) WITH ORDINALITY
    AS x(account_id, version, market_id, client_order_id, idempotency_key, body_hash, side,
        order_type, tif, price_ticks, quantity_lots, leverage, reduce_only, post_only,
        reserved_atoms, payload, n)),
wanted AS (
    SELECT account_id, version, sum(reserved_atoms) AS atoms, count(*)::int AS orders
    FROM asked GROUP BY account_id, version),
held AS MATERIALIZED (
    SELECT b.account_id FROM balances b JOIN wanted w
        ON w.account_id = b.account_id AND w.version = b.version
    WHERE b.asset = '{COLLATERAL}' ORDER BY b.account_id FOR UPDATE OF b),
reserved AS (
    UPDATE balances b SET version = b.version + 1, locked_atoms = b.locked_atoms + w.atoms,
        open_orders = b.open_orders + w.orders
    FROM held h JOIN wanted w USING (account_id)
    WHERE b.account_id = h.account_id AND b.asset = '{COLLATERAL}'),
placed AS (
    INSERT INTO orders (id, account_id, market_id, client_order_id, idempotency_key, body_hash,
        side, order_type, time_in_force, price_ticks, quantity_lots, filled_lots, leverage,
        reduce_only, post_only, reserved_atoms, status, reason, created_at_us, updated_at_us)
    SELECT id, account_id, market_id, client_order_id, idempotency_key, body_hash, side,
        order_type, tif, price_ticks, quantity_lots, 0, leverage, reduce_only, post_only,
        reserved_atoms, 1, 0, %s, %s
    FROM asked JOIN held USING (account_id)),
commanded AS (
    INSERT INTO commands (market_id, account_id, order_id, payload, created_at_us)
    SELECT market_id, account_id, id, payload, %s
    FROM asked JOIN held USING (account_id) ORDER BY n)
SELECT (SELECT array_agg(id ORDER BY n) FROM (
    SELECT n, CASE WHEN h.account_id IS NULL THEN 0 ELSE id END AS id
    FROM asked LEFT JOIN held h USING (account_id)) AS placed), pg_notify('commands', '')"""
"""Reserves, inserts and wakes the relay, for the accounts that are as they were when read.

Answers the orders' ids, 0 for those that were not written.
"""

NOTIFY = "SELECT pg_notify('commands', '')"


async def load_accounts(
    connection: psycopg.AsyncConnection[Any], orders: list[PlaceOrder], lock: bool
) -> Accounts:
    """Read what the orders of a batch are decided on; with `lock`, nobody changes it meanwhile."""
    ids = sorted({order.account_id for order in orders})
    with_depth = any(order.order_type == OrderType.MARKET for order in orders)
    named = [(o.account_id, o.client_order_id) for o in orders if o.client_order_id is not None]
    keyed = [(o.account_id, o.idempotency_key) for o in orders if o.idempotency_key is not None]
    accounts = await connection.execute(LOCKED_ACCOUNTS if lock else ACCOUNTS, (ids,))
    positions = await connection.execute(POSITIONS, (ids,))
    markets = await connection.execute(MARKETS, (with_depth, with_depth))
    by_name = await connection.execute(KNOWN_CLIENT_IDS, columns(named)) if named else None
    by_key = await connection.execute(KNOWN_KEYS, columns(keyed)) if keyed else None
    return Accounts(
        accounts={row[0]: Account(*row[1:]) for row in await accounts.fetchall()},
        positions=held_positions(await positions.fetchall()),
        markets={row[0]: market_now(row) for row in await markets.fetchall()},
        by_client_id=known_orders(await by_name.fetchall()) if by_name else {},
        by_key=known_orders(await by_key.fetchall()) if by_key else {},
    )


def columns(pairs: list[tuple[int, Any]]) -> tuple[list[int], list[str]]:
    """Pairs as two columns."""
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def held_positions(rows: list[tuple[Any, ...]]) -> dict[int, list[HeldPosition]]:
    """Positions by account."""
    held: dict[int, list[HeldPosition]] = {}
    for account_id, market_id, lots, cost, leverage in rows:
        held.setdefault(account_id, []).append(
            HeldPosition(market_id, Position(lots, cost), leverage)
        )
    return held


def market_now(row: tuple[Any, ...]) -> MarketNow:
    """A row of MARKETS."""
    return MarketNow(
        spec_from_row(row[:15]),
        status=row[15],
        index_ticks=row[16],
        mark_ticks=row[17],
        priced_at_us=row[18],
        best_bid_ticks=row[19],
        bids=levels_from_bytes(row[20]),
        asks=levels_from_bytes(row[21]),
        halt_reason=row[22],
    )


def known_orders(rows: list[tuple[Any, ...]]) -> dict[tuple[int, str], KnownOrder]:
    """Rows of KNOWN_CLIENT_IDS or KNOWN_KEYS by (account, name)."""
    return {
        (row[0], row[1]): KnownOrder(row[2], OrderStatus(row[3]), bytes(row[4])) for row in rows
    }


async def write_accepted(
    connection: psycopg.AsyncConnection[Any], rows: list[AcceptedRow], at_us: int
) -> list[int]:
    """Write the rows of accounts that are still at their version; their orders' ids, 0 for none."""
    orders = [row.order for row in rows]
    values = (
        [order.account_id for order in orders],
        [row.version for row in rows],
        [order.spec.market_id for order in orders],
        [order.client_order_id for order in orders],
        [order.idempotency_key for order in orders],
        [order.body_hash for order in orders],
        [int(order.side) for order in orders],
        [int(order.order_type) for order in orders],
        [int(order.time_in_force) for order in orders],
        [order.price_ticks for order in orders],
        [order.quantity_lots for order in orders],
        [order.leverage for order in orders],
        [order.reduce_only for order in orders],
        [order.post_only for order in orders],
        [row.reserved_atoms for row in rows],
        payloads(rows),
        *(at_us, at_us, at_us),
    )
    cursor = await connection.execute(WRITE, values)
    row = await cursor.fetchone()
    assert row is not None
    return list(row[0])


def payloads(rows: list[AcceptedRow]) -> list[bytes]:
    """Each order as the bytes of one COMMAND row, without number, time and order id."""
    commands = empty_commands(len(rows))
    for command, row in zip(commands, rows, strict=True):
        order = row.order
        flags = OrderFlag.POST_ONLY * order.post_only + OrderFlag.REDUCE_ONLY * order.reduce_only
        command["account_id"] = order.account_id
        command["quantity_lots"] = order.quantity_lots
        command["price_ticks"] = row.limit_ticks
        command["kind"] = CommandKind.PLACE
        command["side"] = order.side
        command["order_type"] = order.order_type
        command["time_in_force"] = order.time_in_force
        command["flags"] = flags
        command["leverage"] = order.leverage
    data, size = commands.tobytes(), commands.dtype.itemsize
    return [data[start : start + size] for start in range(0, len(data), size)]


def command_payload(kind: CommandKind, account_id: int, order_id: int = 0) -> bytes:
    """A CANCEL or CANCEL_ALL as the bytes of one COMMAND row."""
    command = empty_commands(1)
    command["kind"], command["account_id"], command["order_id"] = kind, account_id, order_id
    return np.ascontiguousarray(command).tobytes()
