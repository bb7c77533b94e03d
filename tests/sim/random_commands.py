"""Random COMMAND rows by the million: mostly sensible, some of them not."""

from dataclasses import replace

import numpy as np

from sim.rows.messages import (
    TRAILING_ORDERS_MAX,
    CommandKind,
    MarketStatus,
    OrderFlag,
    OrderType,
    Reason,
    Rows,
    TimeInForce,
    empty_commands,
)
from tests.sim.engine_rows import SPEC

BANDED = replace(SPEC, price_band_ppm=1_000, min_quantity_lots=3, max_price_ticks=2**30)
"""A market whose band is 50 ticks wide where these rows trade."""

ACCOUNTS = 300
MIDDLE_TICKS = 50_000
PLAIN = [OrderType.LIMIT, OrderType.MARKET]


def random_commands(generator: np.random.Generator, count: int) -> Rows:
    """`count` rows; order ids are 1 … count, a row's own number, so an id is used once.

    Exceptions are few on purpose: places under an older id (duplicates while that order
    rests), and rows of random bytes, none of which is a PLACE.
    """
    rows = empty_commands(count)
    numbers = np.arange(1, count + 1)
    kinds = [CommandKind.PLACE, CommandKind.CANCEL, CommandKind.CANCEL_ALL]
    rows["kind"] = generator.choice(kinds, count, p=[0.62, 0.375, 0.005])
    rows["order_id"] = numbers
    rows["account_id"] = generator.integers(1, ACCOUNTS + 1, count)
    rows["time_us"] = numbers * 10
    rows["side"] = generator.integers(1, 3, count)
    rows["quantity_lots"] = generator.integers(1, 40, count)
    middle = MIDDLE_TICKS + np.cumsum(generator.integers(-1, 2, count)) // 4
    rows["price_ticks"] = middle + generator.integers(-60, 61, count)
    rows["order_type"] = generator.choice(PLAIN, count, p=[0.95, 0.05])
    rows["time_in_force"] = generator.choice(list(TimeInForce), count, p=[0.8, 0.1, 0.1])
    rows["flags"] = generator.choice([0, 1, 2, 3, 6], count, p=[0.8, 0.08, 0.09, 0.02, 0.01])
    rows["reason"] = generator.choice([0, Reason.DEAD_MANS_SWITCH, Reason.OPERATOR], count)
    aim_cancels(generator, rows)
    add_oddities(generator, rows, middle)
    return rows


def with_terms(generator: np.random.Generator, rows: Rows) -> Rows:
    """The same rows with some that wait, end at a time, are linked or amend; two in a hundred each.

    Of trailing stops that nothing triggers there are more at once than there may be.
    """
    count = len(rows)
    places = np.flatnonzero((rows["kind"] == CommandKind.PLACE) & (rows["quantity_lots"] > 0))
    waits, ends, seconds = generator.choice(places, (3, count // 50))
    wait(generator, rows, waits)
    end_by_time(generator, rows, ends)
    link_pairs(rows, seconds[rows["kind"][seconds - 1] == CommandKind.PLACE])
    far = count // 2 + np.arange(min(3 * TRAILING_ORDERS_MAX, count // 4))
    far = far[rows["kind"][far] == CommandKind.PLACE]
    rows["order_type"][far], rows["trigger_ticks"][far] = OrderType.TRAILING, 10**6
    amend_some(generator, rows)
    return rows


def wait(generator: np.random.Generator, rows: Rows, waits: np.ndarray) -> None:
    near = rows["price_ticks"][waits] + generator.integers(-80, 81, len(waits))
    kinds = [kind for kind in OrderType if kind > OrderType.MARKET]
    types = generator.choice(kinds, len(waits))
    distances = generator.integers(1, 60, len(waits))
    rows["order_type"][waits] = types
    rows["trigger_ticks"][waits] = np.where(types == OrderType.TRAILING, distances, near)
    on_mark = generator.random(len(waits)) < 0.4
    rows["flags"][waits] |= (OrderFlag.TRIGGER_ON_MARK * on_mark).astype(np.uint8)
    rows["expires_us"][waits] = generator.integers(0, 2, len(waits)) * (
        rows["time_us"][waits] + 40_000
    )


def end_by_time(generator: np.random.Generator, rows: Rows, ends: np.ndarray) -> None:
    rows["time_in_force"][ends] = TimeInForce.GTC
    rows["expires_us"][ends] = rows["time_us"][ends] + generator.integers(-5, 20_000, len(ends))


def link_pairs(rows: Rows, seconds: np.ndarray) -> None:
    """Each with the row before it, of the same account."""
    for row in (seconds - 1, seconds):
        rows["time_in_force"][row] = TimeInForce.GTC
        rows["link_id"][row] = rows["order_id"][seconds - 1]
    rows["account_id"][seconds] = rows["account_id"][seconds - 1]


def amend_some(generator: np.random.Generator, rows: Rows) -> None:
    """Some cancels amend instead, of ids that are used once; some rows are the time of day."""
    ids, uses = np.unique(rows["order_id"][rows["kind"] == CommandKind.PLACE], return_counts=True)
    once = np.isin(rows["order_id"], ids[uses == 1])
    cancels = np.flatnonzero((rows["kind"] == CommandKind.CANCEL) & once)
    amends, ticks = generator.choice(cancels, (2, len(rows) // 50))
    rows["kind"][amends] = CommandKind.AMEND
    shape = len(amends)
    rows["quantity_lots"][amends] = generator.choice([0, 0, 3, 9, 30, -1, -4], shape)
    rows["price_ticks"][amends] *= generator.integers(0, 2, shape).astype(np.int32)
    to_open, to_reduce = OrderFlag.MAY_OPEN, OrderFlag.REDUCE_ONLY
    wishes = [0, to_open, to_reduce, to_open | to_reduce]
    rows["flags"][amends] = generator.choice(wishes, shape, p=[0.4, 0.3, 0.28, 0.02])
    rows["kind"][ticks] = CommandKind.TICK


def aim_cancels(generator: np.random.Generator, rows: Rows) -> None:
    """Most cancels mean a recent order and come from its account."""
    cancels = np.flatnonzero(rows["kind"] == CommandKind.CANCEL)
    back = 1 + generator.geometric(1 / 800, len(cancels))
    aims = np.maximum(0, cancels - back)
    rows["order_id"][cancels] = rows["order_id"][aims]
    owners = rows["account_id"][aims]
    strangers = generator.random(len(cancels)) < 0.02
    rows["account_id"][cancels] = np.where(strangers, rows["account_id"][cancels], owners)


def add_oddities(generator: np.random.Generator, rows: Rows, walk: np.ndarray) -> None:
    """Duplicates, bad quantities and prices, marks, halts, and rows of random bytes."""
    count = len(rows)
    some = generator.integers(1_000, count, count // 1_000)
    rows["order_id"][some] = rows["order_id"][some - 500]
    rows["quantity_lots"][generator.integers(0, count, count // 500)] = 0
    rows["price_ticks"][generator.integers(0, count, count // 500)] *= -1
    far = generator.integers(0, count, count // 300)
    rows["price_ticks"][far] = generator.integers(1, 2**31 - 1, len(far))
    marks = generator.integers(0, count, count // 200)
    rows["kind"][marks] = CommandKind.SET_MARK
    rows["price_ticks"][marks] = walk[marks] + generator.integers(-40, 41, len(marks))
    for start in generator.integers(0, count - 50, count // 20_000):
        rows["kind"][[start, start + 40]] = CommandKind.SET_STATUS
        rows["status"][start] = generator.integers(1, 4)
        rows["status"][start + 40] = MarketStatus.ACTIVE
    noise = generator.integers(0, count, count // 1_000)
    raw = generator.integers(0, 256, (len(noise), rows.dtype.itemsize), dtype=np.uint8)
    rows[noise] = raw.view(rows.dtype).reshape(-1)
    rows["kind"][noise] = generator.integers(len(CommandKind) + 1, 256, len(noise))
