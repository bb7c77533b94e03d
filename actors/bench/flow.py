"""A seeded flow of orders for measuring a book: 45 % cancels, 25 % crossing, 30 % resting.

Every cancel means an order that rests (but for the one in a hundred that trades
in the same breath). Such a flow takes more orders away than it brings, by about
a fifth of its rows: so it comes in blocks, and before each block the book is
filled up again outside of what is measured.
"""

from dataclasses import dataclass

import numpy as np

from sim.book.engine import MarketEngine
from sim.rows.messages import CommandKind, OrderType, Rows, Side, TimeInForce, empty_commands

CANCEL_SHARE, CROSSING_SHARE = 0.45, 0.25
MID_TICKS = 660_000
THROUGH_TICKS = 8
RESTING_LOTS_MAX, CROSSING_LOTS_MAX = 20, 10
ACCOUNTS = 1_000
"""Makers are accounts 1 to 1,000, takers 1,001 to 2,000: nobody meets himself."""


@dataclass(frozen=True)
class Block:
    """`refill` brings the book to its size, `rows` are what is measured."""

    refill: Rows
    rows: Rows


class FlowMaker:
    """Makes blocks of flow on a book of about `resting` orders, and keeps that book."""

    def __init__(self, engine: MarketEngine, resting: int, generator: np.random.Generator) -> None:
        self.engine = engine
        self.resting = resting
        self.generator = generator
        self.distance_ticks = max(20, resting // 200)
        self.step = max(16, min(16_384, resting // 16))
        self.next_order_id = 1

    def block(self, length: int) -> Block:
        """The next block; the book's size swings around `resting` while it is applied."""
        missing = self.resting + length // 10 - self.engine.open_order_count
        refill = self.resting_orders(max(0, missing))
        self.engine.apply(refill)
        parts = []
        for start in range(0, length, self.step):
            parts.append(self.mixed(min(self.step, length - start)))
            self.engine.apply(parts[-1])
        return Block(refill, np.concatenate(parts))

    def mixed(self, count: int) -> Rows:
        """Rows of the three kinds in a random order."""
        cancels = int(count * CANCEL_SHARE)
        crossing = int(count * CROSSING_SHARE)
        rows = np.concatenate(
            [
                self.cancels(cancels),
                self.crossing_orders(crossing),
                self.resting_orders(count - cancels - crossing),
            ]
        )
        self.generator.shuffle(rows)
        return rows

    def orders(self, count: int, lots_max: int, first_account: int) -> Rows:
        """GTC limit orders of both sides, still without prices."""
        rows = empty_commands(count)
        rows["kind"], rows["order_type"] = CommandKind.PLACE, OrderType.LIMIT
        rows["time_in_force"] = TimeInForce.GTC
        rows["order_id"] = np.arange(self.next_order_id, self.next_order_id + count)
        self.next_order_id += count
        rows["account_id"] = self.generator.integers(first_account, first_account + ACCOUNTS, count)
        rows["side"] = self.generator.integers(Side.BUY, Side.SELL + 1, count)
        rows["quantity_lots"] = self.generator.integers(1, lots_max + 1, count)
        return rows

    def resting_orders(self, count: int) -> Rows:
        """Orders behind the middle, exponentially fewer with distance."""
        rows = self.orders(count, RESTING_LOTS_MAX, 1)
        away = 1 + self.generator.exponential(self.distance_ticks, count).astype(np.int64)
        away = np.minimum(away, MID_TICKS - 1)
        rows["price_ticks"] = MID_TICKS + np.where(rows["side"] == Side.BUY, -away, away)
        return rows

    def crossing_orders(self, count: int) -> Rows:
        """Orders some ticks through the best opposite price."""
        rows = self.orders(count, CROSSING_LOTS_MAX, 1 + ACCOUNTS)
        bid = self.engine.best_bid_ticks or MID_TICKS - 1
        ask = self.engine.best_ask_ticks or MID_TICKS + 1
        buys = rows["side"] == Side.BUY
        rows["price_ticks"] = np.where(buys, ask + THROUGH_TICKS, bid - THROUGH_TICKS)
        return rows

    def cancels(self, count: int) -> Rows:
        """Cancels of as many different resting orders."""
        resting = self.engine.resting_orders()
        chosen = resting[self.generator.choice(len(resting), count, replace=False)]
        rows = empty_commands(count)
        rows["kind"] = CommandKind.CANCEL
        rows["order_id"], rows["account_id"] = chosen["order_id"], chosen["account_id"]
        return rows
