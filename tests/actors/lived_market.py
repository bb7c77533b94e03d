"""A market with a past: strategies that trade by themselves, and clients now and then."""

from typing import Any

import numpy as np

from sim.book.engine import MarketEngine
from sim.money.ledger import STRATEGIES_FIRST
from sim.rows.layouts import kept_bytes
from sim.rows.messages import (
    COMMAND,
    CommandKind,
    OrderType,
    Rows,
    Side,
    TimeInForce,
    empty_commands,
    joined,
)
from sim.rows.order_ids import ids_of_batch
from storage.intake.commands import sequence
from storage.market import journal
from storage.market.journal import Batch, View
from storage.reading.projections import MarketProjection, event_rows
from storage.servers.bootstrap import create_strategy_accounts
from tests.actors.house import MARKET, House
from tests.builders import order, trader
from tests.markets import ETH_PERP

HEADS = 20
CAPITAL_ATOMS = 10**15
NOTHING = np.empty((0, 3), np.int64)
VIEW = View(1, 0, 0, 0, NOTHING, NOTHING)
ORDINAL = 2


class LivedMarket:
    """Writes what a market's actor and its recorder would have written at any time we like."""

    def __init__(self, house: House, seed: int) -> None:
        self.database, self.house = house.database, house
        self.engine = MarketEngine(ETH_PERP)
        self.head = journal.acquire(house.database, MARKET)
        self.projection = MarketProjection(house.database, ETH_PERP, ORDINAL)
        self.dice = np.random.default_rng(seed)
        self.clients = [trader(house.database), trader(house.database)]
        create_strategy_accounts(house.owner_url, 1, "crowd", HEADS, CAPITAL_ATOMS)

    def strategy_rows(self, at_us: int) -> Rows:
        """Some quote and some take; all withdraw what they had in the book."""
        rows = empty_commands(10)
        rows["time_us"] = at_us
        rows["kind"] = [CommandKind.CANCEL_ALL] * 2 + [CommandKind.PLACE] * 8
        quoting = self.dice.integers(0, HEADS // 2, 6)
        taking = self.dice.integers(HEADS // 2, HEADS, 4)
        rows["account_id"] = STRATEGIES_FIRST + np.concatenate([quoting[:2], quoting[2:], taking])
        rows["order_id"] = ids_of_batch(1, self.head.batch_no + 1, 10)
        rows["order_type"], rows["time_in_force"] = OrderType.LIMIT, TimeInForce.GTC
        rows["time_in_force"][6:] = TimeInForce.IOC
        rows["side"] = self.dice.integers(1, 3, 10)
        rows["price_ticks"] = 5_991 + self.dice.integers(-20, 20, 10)
        rows["quantity_lots"] = self.dice.integers(1, 50, 10)
        return rows

    def accept(self, *orders: Any) -> None:
        """Clients' orders, as the API takes them."""
        self.house.place(*orders)

    def write(self, at_us: int, project: bool = True) -> None:
        """A batch of what strategies do, and of what clients have asked for, at that time."""
        numbered = sequence(self.database, at_us).get(MARKET, np.empty(0, COMMAND))
        inputs = joined([self.strategy_rows(at_us), numbered])
        events = self.engine.apply(inputs)
        chain = journal.next_chain(self.head.chain, kept_bytes(inputs), events.tobytes())
        command_seq = max(self.head.command_seq, int(inputs["command_seq"].max()))
        batch_no = self.head.batch_no + 1
        self.head = journal.Head(
            self.head.epoch, batch_no, command_seq, self.engine.event_seq, chain
        )
        data = kept_bytes(inputs), events.tobytes()
        batch = Batch(MARKET, self.head, at_us, {1: batch_no}, *data)
        journal.commit_batch(self.database, batch, VIEW)
        if project:
            self.project()

    def project(self) -> None:
        """What the recorder does."""
        rows = journal.events_after(self.database, MARKET, self.projection.batch_no, 1_000)
        self.projection.project([(row[0], row[1], row[2], event_rows(row[4])) for row in rows])

    def keep_snapshot(self, at_us: int) -> None:
        state, state_hash = self.engine.snapshot(), self.engine.state_hash()
        strategies = {1: self.head.batch_no}
        journal.write_snapshot(
            self.database, MARKET, self.head, strategies, state, state_hash, at_us
        )

    def client_order(self) -> Any:
        """One that rests or trades, as it comes."""
        return order(
            int(self.dice.choice(self.clients)),
            Side(int(self.dice.integers(1, 3))),
            int(self.dice.integers(1, 20)),
            price_ticks=5_991 + int(self.dice.integers(-15, 15)),
        )
