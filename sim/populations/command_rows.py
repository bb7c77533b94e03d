"""Makes COMMAND rows from arrays, and quantities from money."""

import numpy as np

from sim.market import MarketSpec
from sim.populations.population import Integers
from sim.rows.columns import (
    COMMAND_ACCOUNT,
    COMMAND_CODES,
    COMMAND_EXPIRES,
    COMMAND_FLAGS,
    COMMAND_LINK,
    COMMAND_LOTS,
    COMMAND_NUMBER,
    COMMAND_ORDER,
    COMMAND_TIME,
    COMMAND_WORDS,
    command_codes,
    command_flags,
)
from sim.rows.kernels import inlined
from sim.rows.messages import (
    COMMAND,
    CommandKind,
    OrderFlag,
    OrderType,
    Rows,
    TimeInForce,
    empty_commands,
)
from sim.units import ATOMS_PER_UNIT

LEVERAGE = 10
"""Of every simulated order: within what any market allows, small beside their capital."""

PLACE, CANCEL = int(CommandKind.PLACE), int(CommandKind.CANCEL)
GTC, IOC, LIMIT = int(TimeInForce.GTC), int(TimeInForce.IOC), int(OrderType.LIMIT)


@inlined
def write_place(
    rows: Integers, row: int, account_id: int, side: int, price_ticks: int, lots: int, in_force: int
) -> None:
    """A LIMIT order as one row of words; `in_force` is a TimeInForce."""
    rows[row, COMMAND_NUMBER], rows[row, COMMAND_TIME], rows[row, COMMAND_ORDER] = 0, 0, 0
    rows[row, COMMAND_ACCOUNT], rows[row, COMMAND_LOTS] = account_id, lots
    rows[row, COMMAND_CODES] = command_codes(price_ticks, PLACE, side, LIMIT, in_force)
    rows[row, COMMAND_FLAGS] = command_flags(0, LEVERAGE)
    rows[row, COMMAND_EXPIRES], rows[row, COMMAND_LINK] = 0, 0


@inlined
def write_cancel(rows: Integers, row: int, account_id: int, order_id: int) -> None:
    """A CANCEL as one row of words."""
    rows[row, COMMAND_NUMBER], rows[row, COMMAND_TIME], rows[row, COMMAND_ORDER] = 0, 0, order_id
    rows[row, COMMAND_ACCOUNT], rows[row, COMMAND_LOTS] = account_id, 0
    rows[row, COMMAND_CODES], rows[row, COMMAND_FLAGS] = command_codes(0, CANCEL, 0, 0, 0), 0
    rows[row, COMMAND_EXPIRES], rows[row, COMMAND_LINK] = 0, 0


def command_words(count: int) -> Integers:
    """Room for so many COMMAND rows, as int64 (count, COMMAND_WORDS)."""
    return np.empty((count, COMMAND_WORDS), np.int64)


def as_commands(words: Integers) -> Rows:
    """The COMMAND rows of words."""
    return words.view(COMMAND).reshape(len(words))


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
