"""What accepting a batch of orders reads and writes."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice, product
from typing import Any

import numpy as np
import psycopg

from sim.money.acceptance import MarketNow, reserved_asset
from sim.orders import NO_TERMS, OrderStatus
from sim.rows.messages import CommandKind, OrderFlag, OrderType, Reason, empty_commands
from storage.intake.accept_request import Decided, OrderRequest
from storage.intake.accept_state import (
    AcceptedRow,
    Account,
    Accounts,
    KnownOrder,
    KnownRequest,
)
from storage.intake.exposures import HELD, OPEN_ORDERS, joined
from storage.intake.links import load_links
from storage.intake.session_accounts import SESSION_OF, sessions_in
from storage.intake.trailing_stops import load_trailing_stops
from storage.market.depth import levels_from_bytes
from storage.market.markets import SPEC_COLUMNS_OF_M, spec_from_row
from storage.people.accounts import COLLATERAL

FOUND = f"""
FROM (SELECT id, '{COLLATERAL}'::text AS asset FROM unnest(%b::bigint[]) AS id OFFSET 0) x
JOIN balances b ON b.account_id = x.id AND b.asset = x.asset
JOIN accounts a ON a.id = b.account_id"""
"""By the whole key whatever the planner believes: see CHANGE_BALANCES in projection_sql.py."""

ACCOUNTS = f"""
SELECT b.account_id, ({SESSION_OF.format(account="a.id")}), b.total_atoms, b.locked_atoms,
    b.version, b.open_orders, u.role, u.status, a.owner_id, a.archived_at_us IS NOT NULL,
    (SELECT coalesce(sum((SELECT others.open_orders FROM balances others
            WHERE others.account_id = own.id AND others.asset = x.asset)), 0)
        FROM accounts own WHERE own.owner_id = a.owner_id AND own.id <> a.id)
{FOUND} JOIN users u ON u.id = a.owner_id"""
"""Whose they are is read with them, what session's, and what is open in their owner's other
accounts: POST of an order asks nothing beside, and of a user with one account it reads two entries
of indexes more."""

LOCK_ACCOUNTS = f"SELECT 1 {FOUND} ORDER BY b.account_id FOR UPDATE OF b FOR SHARE OF a"
"""Before they are read, else what stands beside them would be what it was before the wait."""

FREE = f"""
SELECT account_id, asset, total_atoms - locked_atoms FROM balances
WHERE account_id = ANY(%b) AND asset <> '{COLLATERAL}'"""

MARKETS = f"""
SELECT {SPEC_COLUMNS_OF_M},
       m.status, coalesce(p.index_ticks, 0), coalesce(p.mark_ticks, 0),
       coalesce(p.updated_at_us, 0), v.best_bid_ticks,
       CASE WHEN %s THEN v.bids ELSE ''::bytea END, CASE WHEN %s THEN v.asks ELSE ''::bytea END,
       m.halt_reason, v.last_price_ticks
FROM markets m JOIN market_views v USING (market_id) LEFT JOIN market_prices p USING (market_id)"""
KNOWN_CLIENT_IDS = """
SELECT account_id, client_order_id, id, status, body_hash
FROM orders JOIN unnest(%b::bigint[], %b::text[]) AS asked(account_id, client_order_id)
USING (account_id, client_order_id)"""
KNOWN_KEYS = """
SELECT account_id, key, route, body_hash, response, order_ids
FROM idempotency JOIN unnest(%b::bigint[], %b::text[]) AS asked(account_id, key)
USING (account_id, key)"""

ASKED = """
WITH asked AS (
    SELECT x.*, {id} AS id
    FROM unnest(%b::int[], %b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::bytea[],
        %b::int[], %b::int[], %b::int[], %b::bigint[], %b::bigint[], %b::int[], %b::bool[],
        %b::bool[], %b::bool[], %b::bool[], %b::bigint[], %b::text[], %b::bytea[]{arrays})
        WITH ORDINALITY
    AS x(request, account_id, version, market_id, client_order_id, body_hash, side, order_type,
        tif, price_ticks, quantity_lots, leverage, sets_leverage, reduce_only, post_only,
        may_open, reserved_atoms, reserved_asset, payload{columns}, n)),
wanted AS (
    SELECT account_id, version, count(*)::int AS orders,
        sum(reserved_atoms) FILTER (WHERE reserved_asset = '{asset}') AS atoms
    FROM asked GROUP BY account_id, version)"""
KEYED = """,
keyed AS (
    SELECT * FROM unnest(%b::int[], %b::bigint[], %b::bigint[], %b::text[], %b::text[],
        %b::bytea[], %b::text[])
    AS x(request, account_id, version, key, route, body_hash, response))"""
HELD_BALANCES = """,
held AS MATERIALIZED (
    SELECT h.* FROM (SELECT account_id, version FROM {wanted} a ORDER BY account_id) w
    CROSS JOIN LATERAL (
        SELECT b.account_id, b.asset, b.stamped_at_us FROM balances b
        WHERE b.account_id = w.account_id AND b.version = w.version AND b.asset = '{asset}'
        FOR UPDATE) h),
reserved AS (
    UPDATE balances b SET version = b.version + 1,
        locked_atoms = b.locked_atoms + coalesce(w.atoms, 0),
        open_orders = b.open_orders + coalesce(w.orders, 0),
        stamped_at_us = greatest(b.stamped_at_us, %s)
    FROM held h LEFT JOIN wanted w USING (account_id)
    WHERE b.account_id = h.account_id AND b.asset = h.asset),
placed AS (
    INSERT INTO orders (id, account_id, market_id, client_order_id, body_hash, side, order_type,
        time_in_force, price_ticks, quantity_lots, filled_lots, leverage, reduce_only, post_only,
        may_open, reserved_atoms, status, reason, created_at_us, updated_at_us{columns})
    SELECT id, account_id, market_id, client_order_id, body_hash, side, order_type, tif,
        price_ticks, quantity_lots, 0, leverage, reduce_only, post_only, may_open, reserved_atoms,
        {status}, {reason}, greatest(stamped_at_us, %s), greatest(stamped_at_us, %s){columns}
    FROM asked JOIN held USING (account_id)),
commanded AS (
    INSERT INTO commands (market_id, account_id, order_id, payload, created_at_us)
    SELECT market_id, account_id, id, payload, %s
    FROM asked JOIN held USING (account_id) ORDER BY n)"""
"""Balances are locked in the order of their accounts, each found by its whole key whatever the
planner believes: see CHANGE_BALANCES in projection_sql.py."""

REMEMBERED = """,
remembered AS (
    INSERT INTO idempotency (account_id, key, route, body_hash, response, order_ids, created_at_us)
    SELECT account_id, key, route, body_hash, response,
        ARRAY(SELECT a.id FROM asked a WHERE a.request = k.request ORDER BY a.n), %s
    FROM keyed k JOIN held USING (account_id))"""
RESULT = """
SELECT (SELECT array_agg(id ORDER BY n) FROM asked), (SELECT array_agg(account_id) FROM held),
    pg_notify('commands', '')"""
ALL_ACCOUNTS = """(SELECT account_id, version FROM wanted
        UNION SELECT account_id, version FROM keyed)"""
SELLING = """,
offered AS (
    UPDATE balances b SET locked_atoms = b.locked_atoms + s.atoms
    FROM (SELECT account_id, reserved_asset, sum(reserved_atoms) AS atoms
        FROM asked JOIN held USING (account_id) WHERE reserved_asset <> '{asset}'
        GROUP BY account_id, reserved_asset OFFSET 0) s
    WHERE b.account_id = s.account_id AND b.asset = s.reserved_asset)"""
"""What sales in spot markets lock: under the account's lock, which `held` has."""

SETTING = """,
leveraged AS (
    INSERT INTO leverages (account_id, market_id, leverage)
    SELECT DISTINCT ON (account_id, market_id) account_id, market_id, leverage
    FROM asked JOIN held USING (account_id) WHERE sets_leverage
    ORDER BY account_id, market_id, n DESC
    ON CONFLICT (account_id, market_id) DO UPDATE SET leverage = excluded.leverage)"""


TERM_COLUMNS = ", trigger_ticks, on_mark, expires_us, link_id, link_order_id"
TERM_ARRAYS = ", %b::bigint[], %b::bool[], %b::bigint[], %b::text[], %b::bigint[], %b::bigint[]"


def write_statement(is_keyed: bool, sets_leverage: bool, has_terms: bool, sells: bool) -> str:
    """What writes accepted orders; with the memory of requests that have a key, where one has,
    for one whose orders are all refused is remembered without any; with new leverages; with what
    few orders have; with what is sold in spot markets."""
    asked = ASKED.format(
        id="coalesce(x.given_id, nextval('order_ids'))" if has_terms else "nextval('order_ids')",
        arrays=TERM_ARRAYS * has_terms,
        columns=f"{TERM_COLUMNS}, given_id" * has_terms,
        asset=COLLATERAL,
    )
    wanted = ALL_ACCOUNTS if is_keyed else "wanted"
    terms = TERM_COLUMNS * has_terms
    held = HELD_BALANCES.format(
        wanted=wanted,
        asset=COLLATERAL,
        columns=terms,
        status=int(OrderStatus.PENDING),
        reason=int(Reason.NONE),
    )
    parts = [asked, KEYED * is_keyed, held, SELLING.format(asset=COLLATERAL) * sells]
    return "".join([*parts, REMEMBERED * is_keyed, SETTING * sets_leverage, RESULT])


WRITES = {key: write_statement(*key) for key in product((False, True), repeat=4)}
"""By whether a request has a key, an order sets a leverage, one has terms, and one sells in a spot
market."""

NOTIFY = "SELECT pg_notify('commands', '')"


async def load_accounts(
    connection: psycopg.AsyncConnection[Any],
    requests: Sequence[OrderRequest],
    lock: bool,
    without: Sequence[int] = (),
) -> Accounts:
    """Read what a batch is decided on; with `lock`, nobody changes it meanwhile.

    without   open orders that are left out, for they are to be amended
    """
    ids = sorted({request.asked.account_id for request in requests})
    orders = [order for request in requests for order in request.orders]
    with_depth = any(order.order_type == OrderType.MARKET for order in orders)
    sells = any(reserved_asset(order) != COLLATERAL for order in orders)
    named = [(o.account_id, o.client_order_id) for o in orders if o.client_order_id is not None]
    keyed = [(r.asked.account_id, r.asked.key) for r in requests if r.asked.key is not None]
    asking = {r.asked.account_id for r in requests if not r.of_session}
    if lock:
        await connection.execute(LOCK_ACCOUNTS, (ids,))
    accounts = await connection.execute(ACCOUNTS, (ids,))
    held = await connection.execute(HELD, (ids,))
    open_orders = await connection.execute(OPEN_ORDERS, (ids, ids, list(without)), binary=True)
    markets = await connection.execute(MARKETS, (with_depth, with_depth))
    free = await connection.execute(FREE, (ids,)) if sells else None
    by_name = await connection.execute(KNOWN_CLIENT_IDS, columns(named)) if named else None
    by_key = await connection.execute(KNOWN_KEYS, columns(keyed)) if keyed else None
    links = await load_links(connection, orders)
    trailing_stops = await load_trailing_stops(connection, requests)
    now = {row[0]: market_now(row) for row in await markets.fetchall()}
    marked = {market_id: (market.spec, market.mark_ticks) for market_id, market in now.items()}
    exposures = joined(await held.fetchall(), await open_orders.fetchall(), marked)
    found: dict[int, Account] = {}
    of_users: Counter[int] = Counter()
    rows = await accounts.fetchall()
    for account_id, _, *about, elsewhere in rows:
        found[account_id] = one = Account(*about, held=exposures.get(account_id, {}))
        of_users[one.owner_id] = one.open_orders + elsewhere
    for account_id, asset, atoms in await free.fetchall() if free else ():
        if account_id in found:  # else it was removed between the statements
            found[account_id].free_atoms[asset] = atoms
    return Accounts(
        accounts=found,
        markets=now,
        by_client_id=known_orders(await by_name.fetchall()) if by_name else {},
        by_key=known_requests(await by_key.fetchall()) if by_key else {},
        links=links,
        open_orders=of_users,
        trailing_stops=trailing_stops,
        sessions=sessions_in(row[:2] for row in rows if row[0] in asking),
    )


def columns(pairs: list[tuple[int, Any]]) -> tuple[list[int], list[str]]:
    """Pairs as two columns."""
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def market_now(row: tuple[Any, ...]) -> MarketNow:
    """A row of MARKETS."""
    *spec, status, index, mark, priced_at_us, best_bid, bids, asks, halt_reason, last = row
    return MarketNow(
        spec_from_row(spec),
        status=status,
        index_ticks=index,
        mark_ticks=mark,
        priced_at_us=priced_at_us,
        best_bid_ticks=best_bid,
        bids=levels_from_bytes(bids),
        asks=levels_from_bytes(asks),
        halt_reason=halt_reason,
        last_ticks=last,
    )


def known_orders(rows: list[tuple[Any, ...]]) -> dict[tuple[int, str], KnownOrder]:
    """Rows of KNOWN_CLIENT_IDS by (account, name)."""
    return {
        (row[0], row[1]): KnownOrder(row[2], OrderStatus(row[3]), bytes(row[4])) for row in rows
    }


def known_requests(rows: list[tuple[Any, ...]]) -> dict[tuple[int, str], KnownRequest]:
    """Rows of KNOWN_KEYS by (account, key)."""
    return {
        (row[0], row[1]): KnownRequest(row[2], bytes(row[3]), row[4], tuple(row[5])) for row in rows
    }


async def write_accepted(
    connection: psycopg.AsyncConnection[Any], decided: Sequence[Decided], at_us: int
) -> list[list[int] | None]:
    """Write what is decided for accounts that are still at their version.

    Of each the ids of its rows' orders; None where the account had changed.
    """
    keyed = key_columns(decided)
    rows = [row for one in decided for row in one.rows]
    has_terms = any(row.order.terms is not NO_TERMS for row in rows)
    terms = term_columns(rows) if has_terms else ()
    values = (*order_columns(decided), *terms, *keyed, *(at_us,) * (5 if keyed else 4))
    sets_leverage = any(row.sets_leverage for row in rows)
    sells = any(reserved_asset(row.order) != COLLATERAL for row in rows)
    statement = WRITES[bool(keyed), sets_leverage, has_terms, sells]
    written = await (await connection.execute(statement, values)).fetchone()
    assert written is not None
    ids, held = iter(written[0] or ()), set(written[1] or ())
    found = [list(islice(ids, len(one.rows))) for one in decided]
    return [
        ids_of_one if one.asked.account_id in held else None
        for one, ids_of_one in zip(decided, found, strict=True)
    ]


def order_columns(decided: Sequence[Decided]) -> tuple[list[Any], ...]:
    """The columns of ASKED that all orders have."""
    rows = [row for one in decided for row in one.rows]
    orders = [row.order for row in rows]
    return (
        [number for number, one in enumerate(decided) for _ in one.rows],
        [order.account_id for order in orders],
        [one.version for one in decided for _ in one.rows],
        [order.spec.market_id for order in orders],
        [order.client_order_id for order in orders],
        [order.body_hash for order in orders],
        [int(order.side) for order in orders],
        [int(order.order_type) for order in orders],
        [int(order.time_in_force) for order in orders],
        [row.limit_ticks for row in rows],
        [order.quantity_lots for order in orders],
        [row.leverage for row in rows],
        [row.sets_leverage for row in rows],
        [order.reduce_only for order in orders],
        [order.post_only for order in orders],
        [row.opens for row in rows],
        [row.reserved_atoms for row in rows],
        [reserved_asset(order) for order in orders],
        payloads(rows),
    )


def term_columns(rows: Sequence[AcceptedRow]) -> tuple[list[Any], ...]:
    """The columns of ASKED that few orders have."""
    terms = [row.order.terms for row in rows]
    return (
        [one.trigger_ticks for one in terms],
        [one.on_mark for one in terms],
        [one.expires_us for one in terms],
        [one.link for one in terms],
        [row.linked.link_order_id if row.linked is not None else None for row in rows],
        [row.linked.order_id if row.linked is not None else None for row in rows],
    )


def key_columns(decided: Sequence[Decided]) -> tuple[list[Any], ...]:
    """The columns of `keyed`; nothing where no request has a key."""
    rows = [
        (
            number,
            one.asked.account_id,
            one.version,
            one.asked.key,
            one.asked.route,
            one.asked.body_hash,
            one.memory,
        )
        for number, one in enumerate(decided)
        if one.asked.key is not None
    ]
    return tuple(map(list, zip(*rows, strict=True)))


def payloads(rows: list[AcceptedRow]) -> list[bytes]:
    """Each order as the bytes of one COMMAND row, without number, time and order id."""
    commands, orders = empty_commands(len(rows)), [row.order for row in rows]
    terms = [order.terms for order in orders]
    commands["account_id"] = [order.account_id for order in orders]
    commands["quantity_lots"] = [order.quantity_lots for order in orders]
    commands["price_ticks"] = [row.limit_ticks for row in rows]
    commands["kind"] = CommandKind.PLACE
    commands["side"] = [order.side for order in orders]
    commands["order_type"] = [order.order_type for order in orders]
    commands["time_in_force"] = [order.time_in_force for order in orders]
    commands["flags"] = (
        np.array([order.post_only for order in orders]) * OrderFlag.POST_ONLY
        + np.array([not row.opens for row in rows]) * OrderFlag.REDUCE_ONLY
        + np.array([one.on_mark for one in terms]) * OrderFlag.TRIGGER_ON_MARK
    )
    commands["leverage"] = [row.leverage for row in rows]
    commands["trigger_ticks"] = [one.trigger_ticks for one in terms]
    commands["expires_us"] = [one.expires_us for one in terms]
    commands["link_id"] = [0 if row.linked is None else row.linked.link_order_id for row in rows]
    data, size = commands.tobytes(), commands.dtype.itemsize
    return [data[start : start + size] for start in range(0, len(data), size)]


def command_payload(
    kind: CommandKind, account_id: int, order_id: int = 0, reason: Reason = Reason.REQUESTED
) -> bytes:
    """A CANCEL or CANCEL_ALL as the bytes of one COMMAND row."""
    command = empty_commands(1)
    command["kind"], command["account_id"], command["order_id"] = kind, account_id, order_id
    command["reason"] = reason
    return np.ascontiguousarray(command).tobytes()
