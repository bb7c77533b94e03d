"""Random COMMAND rows by the million: mostly sensible, some of them not."""

from dataclasses import replace

import numpy as np

from sim.rows.messages import (
    CommandKind,
    MarketStatus,
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
    rows["order_type"] = generator.choice(list(OrderType), count, p=[0.95, 0.05])
    rows["time_in_force"] = generator.choice(list(TimeInForce), count, p=[0.8, 0.1, 0.1])
    rows["flags"] = generator.choice([0, 1, 2, 3, 6], count, p=[0.8, 0.08, 0.09, 0.02, 0.01])
    rows["reason"] = generator.choice([0, Reason.DEAD_MANS_SWITCH, Reason.OPERATOR], count)
    aim_cancels(generator, rows)
    add_oddities(generator, rows, middle)
    return rows


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
