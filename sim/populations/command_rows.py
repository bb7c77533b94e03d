"""Makes COMMAND rows from arrays, and quantities from money."""

import numpy as np

from sim.market import MarketSpec
from sim.messages import CommandKind, OrderFlag, OrderType, Rows, TimeInForce, empty_commands
from sim.populations.population import Integers
from sim.units import ATOMS_PER_UNIT

LEVERAGE = 10
"""Of every simulated order: within what any market allows, small beside their capital."""


def places(
    account_ids: Integers, sides: Integers, prices_ticks: Integers, quantities_lots: Integers
) -> Rows:
    """LIMIT GTC orders, one a row, order_id 0."""
    rows = empty_commands(len(account_ids))
    rows["kind"], rows["order_type"] = CommandKind.PLACE, OrderType.LIMIT
    rows["time_in_force"], rows["leverage"] = TimeInForce.GTC, LEVERAGE
    rows["account_id"], rows["side"] = account_ids, sides
    rows["price_ticks"], rows["quantity_lots"] = prices_ticks, quantities_lots
    return rows


def post_only(rows: Rows) -> Rows:
    """The same orders, to be rejected where they would take."""
    rows["flags"] = OrderFlag.POST_ONLY
    return rows


def immediate(rows: Rows) -> Rows:
    """The same orders, what does not trade at once expires."""
    rows["time_in_force"] = TimeInForce.IOC
    return rows


def cancels(account_ids: Integers, order_ids: Integers) -> Rows:
    """One CANCEL a row."""
    rows = empty_commands(len(order_ids))
    rows["kind"] = CommandKind.CANCEL
    rows["account_id"], rows["order_id"] = account_ids, order_ids
    return rows


def lots_of_quote(spec: MarketSpec, price_ticks: int, quote_units: int) -> int:
    """Lots an amount of quote units is worth, rounded down, within the market's maximum."""
    atoms_per_lot = max(1, price_ticks * spec.atoms_per_tick_lot)
    return min(quote_units * ATOMS_PER_UNIT // atoms_per_lot, spec.max_quantity_lots)


def lots_of_quotes(spec: MarketSpec, price_ticks: int, quote_units: Integers) -> Integers:
    """The same for an int64 array of amounts up to 9 × 10**12 units, at least the minimum."""
    atoms_per_lot = max(1, price_ticks * spec.atoms_per_tick_lot)
    lots = quote_units * ATOMS_PER_UNIT // atoms_per_lot
    return np.clip(lots, spec.min_quantity_lots, spec.max_quantity_lots)
