"""What accounts have in each market, as sim/money/margin.py reckons with it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.money.margin import Exposure, OrderTerms, join_orders
from sim.money.open_orders import OpenOrders
from sim.money.position import Position
from sim.rows.messages import OrderType, Side
from storage.market.markets import SPEC_COLUMNS_OF_M, spec_from_row
from storage.order_states import OPEN
from storage.postgres.sent_arrays import whole_numbers
from storage.postgres.unit_of_work import Connection

REDUCES, WAITS, FLAGS = 4, 8, 16
"""Beside a side's number: the order is reduce-only; it waits; more than all of them."""

HELD = """
SELECT l.account_id, l.market_id, l.leverage, coalesce(h.quantity_lots, 0),
    coalesce(h.cost_atoms, 0)
FROM leverages l LEFT JOIN positions h USING (account_id, market_id)
WHERE l.account_id = ANY(%b)"""
"""Whoever has ever placed an order in a perpetual market has a leverage there."""

OPEN_ORDERS = f"""
SELECT market_id, array_send(array_agg(id)),
    array_send(array_agg(account_id * {FLAGS} + side
        + CASE WHEN reduce_only THEN {REDUCES} ELSE 0 END
        + CASE WHEN order_type > {OrderType.MARKET:d} AND triggered_at_us = 0
            THEN {WAITS} ELSE 0 END)),
    array_send(array_agg(price_ticks)), array_send(array_agg(quantity_lots - filled_lots)),
    (SELECT array_send(array_agg(ARRAY[order_id, added_lots, price_ticks])) FROM amendments
        WHERE account_id = ANY(%b))
FROM orders WHERE account_id = ANY(%b) AND {OPEN}
    AND id <> ALL(%b::bigint[]) GROUP BY market_id"""
"""The open orders of accounts, but those named last, by market: columns of ids, of account × FLAGS
+ side and flags, of limits and of lots that are left; and what all that are being amended are to
become. To be read as binary: an order costs a third of what a row of its own would."""

MARKS = f"""
SELECT {SPEC_COLUMNS_OF_M},
    coalesce(p.mark_ticks, 0)
FROM markets m LEFT JOIN market_prices p USING (market_id)"""

Marked = Mapping[str, tuple[MarketSpec, int]]
"""Specification and mark of each market."""

Row = tuple[Any, ...]


def joined(
    held: Iterable[Row], open_orders: Iterable[Row], marked: Marked
) -> dict[int, dict[str, Exposure]]:
    """Rows of HELD and OPEN_ORDERS, by account and market."""
    found: dict[int, dict[str, Exposure]] = {}
    for account_id, market_id, leverage, lots, cost in held:
        position = Position(lots, int(cost))
        exposure = Exposure(*marked[market_id], position, leverage)
        found.setdefault(account_id, {})[market_id] = exposure
    for market_id, *sent, amended in open_orders:
        empty, columns = Exposure(*marked[market_id]), [whole_numbers(one) for one in sent]
        rows = [] if amended is None else whole_numbers(amended).tolist()
        becomes = {order_id: (added_lots, ticks) for order_id, added_lots, ticks in rows}
        join_market(found, empty, columns, becomes)
    return found


def join_market(
    found: dict[int, dict[str, Exposure]],
    empty: Exposure,
    columns: list[npt.NDArray[np.int64]],
    becomes: Mapping[int, tuple[int, int]],
) -> None:
    """The columns of a row of OPEN_ORDERS are what their accounts have open in its market.

    An order that waits, or is being amended, joins the others as one that is new.
    """
    ids, places, limit_ticks, lots = columns
    account_ids, flags = np.divmod(places, FLAGS)
    reduces, sides = flags & REDUCES, flags & (REDUCES - 1)
    is_special = flags & WAITS > 0
    if becomes:
        is_special |= np.isin(ids, list(becomes))
    terms = (account_ids, sides, limit_ticks, lots, reduces)
    plain = OpenOrders(*(column[~is_special] for column in terms))
    for account_id, side, sums in plain.sums(empty.mark_ticks):
        held = held_by(found, account_id, empty)
        if held is not None:
            held.open_sides[side] = sums
    if not is_special.any():
        return
    special = (ids, *terms, flags & WAITS)
    for order in zip(*(column[is_special].tolist() for column in special), strict=True):
        held = held_by(found, order[1], empty)
        if held is not None:
            join_orders(held, special_terms(order[2:], becomes.get(order[0], (0, 0))))


def held_by(
    found: dict[int, dict[str, Exposure]], account_id: int, empty: Exposure
) -> Exposure | None:
    """What an account has in the market of `empty`; None where it has an order in a perpetual one
    and no leverage: that came between the statements, and the account has changed."""
    held = found.setdefault(account_id, {})
    if empty.spec.is_spot and empty.spec.market_id not in held:
        held[empty.spec.market_id] = Exposure(empty.spec, empty.mark_ticks)
    return held.get(empty.spec.market_id)


def special_terms(order: Sequence[int], becomes: tuple[int, int]) -> OrderTerms:
    """An order that waits, or is being amended: that counts at the worse of its two terms."""
    side, limit_ticks, lots, reduce_only, waits = order
    added_lots, amended_ticks = becomes
    worse = max if side == Side.BUY else min
    return OrderTerms(
        Side(side),
        lots + max(0, added_lots),
        worse(limit_ticks, amended_ticks or limit_ticks),
        limit_ticks,
        reduce_only=reduce_only > 0,
        waits=waits > 0,
    )


async def exposures(connection: Connection, account_id: int) -> dict[str, Exposure]:
    """What one account has, by market."""
    return (await exposures_of(connection, [account_id])).get(account_id, {})


async def exposures_of(
    connection: Connection, account_ids: Sequence[int]
) -> dict[int, dict[str, Exposure]]:
    """What accounts have, by account and market."""
    ids = list(account_ids)
    marks = await (await connection.execute(MARKS)).fetchall()
    held = await (await connection.execute(HELD, (ids,))).fetchall()
    open_orders = await connection.execute(OPEN_ORDERS, (ids, ids, []), binary=True)
    marked = {row[0]: (spec_from_row(row[:-1]), row[-1]) for row in marks}
    return joined(held, await open_orders.fetchall(), marked)
