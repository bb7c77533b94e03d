"""A market in this process for tests: the real engine, a reference price, strategies' desks."""

import numpy as np

from sim.book.engine import MarketEngine
from sim.hosting.views import levels_of, view_of
from sim.market import BTC_PERP, MarketSpec
from sim.populations.command_rows import cancels
from sim.populations.population import Integers, MarketView, Population, StrategyReply
from sim.populations.registry import build_population
from sim.prices.processes import ReferencePrice, SyntheticPrice
from sim.rows.messages import EventKind, Rows
from sim.rows.order_ids import ids_of_batch
from sim.rows.packed import bounds_of, joined_packed, packed_for
from storage.files.world_file import load_world
from tests.markets import ETH_PERP

STEP_US = 200_000


class SimulatedMarket:
    """Applies the batches of strategies at once; withdraws the orders of one that registers."""

    def __init__(self, spec: MarketSpec, price: ReferencePrice) -> None:
        self.spec, self.price = spec, price
        self.engine = MarketEngine(spec)
        self.accounts: dict[int, range] = {}
        self.batches: dict[int, int] = {}
        self.unseen: dict[int, list[Integers]] = {}
        self.commands, self.rejected, self.volume_lots = 0, 0, 0
        self.trades: list[Rows] = []

    def view(self) -> MarketView:
        index = self.price.price_ticks
        levels = levels_of(self.engine)
        return view_of(self.engine, levels, 0, (index, index), self.volume_lots)

    def register(self, strategy_no: int, first_account: int, last_account: int) -> StrategyReply:
        self.accounts[strategy_no] = range(first_account, last_account + 1)
        self.unseen[strategy_no] = []
        resting = self.engine.resting_orders()
        own = np.isin(resting["account_id"], self.accounts[strategy_no])
        self.apply(cancels(resting["account_id"][own], resting["order_id"][own]))
        return self.reply(strategy_no)

    def submit(self, strategy_no: int, batch_no: int, rows: Rows) -> StrategyReply:
        if batch_no == self.batches.get(strategy_no, 0) + 1:
            self.batches[strategy_no] = batch_no
            self.apply(rows)
        return self.reply(strategy_no)

    def apply(self, rows: Rows) -> Rows:
        events = self.engine.apply(rows)
        self.commands += len(rows)
        self.rejected += int((events["kind"] == EventKind.REJECTED).sum())
        self.trades.append(events[events["kind"] == EventKind.TRADE])
        self.volume_lots += int(self.trades[-1]["quantity_lots"].sum())
        for strategy_no, accounts in self.accounts.items():
            self.unseen[strategy_no].append(told(events, accounts))
        return events

    def reply(self, strategy_no: int) -> StrategyReply:
        events = joined_packed(self.unseen[strategy_no])
        self.unseen[strategy_no] = []
        return StrategyReply(self.batches.get(strategy_no, 0), self.view(), events)


def told(events: Rows, accounts: range) -> Integers:
    """What the traders of these accounts are told of EVENT rows."""
    [packed] = packed_for(events, bounds_of([accounts]))
    return packed


class Exchange:
    """Markets and populations that act in turn; ids stamped as the strategies' host stamps them."""

    def __init__(self, markets: list[SimulatedMarket], populations: list[Population]) -> None:
        self.markets, self.populations, self.step_no = markets, populations, 0
        for number, population in enumerate(populations, start=1):
            for market in markets:
                market.register(number, population.accounts.start, population.accounts.stop - 1)

    def step(self) -> None:
        self.step_no += 1
        for market in self.markets:
            market.price.step()
        for number, population in enumerate(self.populations, start=1):
            for place, market in enumerate(self.markets):
                population.learn(place, market.reply(number).events)
            batches = population.act(self.step_no, [market.view() for market in self.markets])
            for place, market in enumerate(self.markets):
                rows = stamped(number, self.step_no, batches[place])
                population.learn(place, market.submit(number, self.step_no, rows).events)

    def settle(self) -> None:
        """Every population learns what happened after its last batch."""
        for number, population in enumerate(self.populations, start=1):
            for place, market in enumerate(self.markets):
                population.learn(place, market.reply(number).events)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.step()


def stamped(strategy_no: int, batch_no: int, rows: Rows) -> Rows:
    new = rows["order_id"] == 0
    ids = ids_of_batch(strategy_no, batch_no, len(rows))
    rows["order_id"][new] = ids[new]
    return rows


def synthetic_markets(seed: int) -> list[SimulatedMarket]:
    """BTC-PERP and ETH-PERP around synthetic prices."""
    return [
        SimulatedMarket(BTC_PERP, SyntheticPrice(seed, 660_000, step_us=STEP_US)),
        SimulatedMarket(ETH_PERP, SyntheticPrice(seed + 1, 350_000, step_us=STEP_US)),
    ]


def default_populations(seed: int) -> list[Population]:
    """The populations of the default world, accounts a billion apart."""
    world = load_world("default")
    return [
        build_population(
            one.strategy,
            one.parameters,
            range(number * 10**9, number * 10**9 + one.heads),
            len(one.markets),
            seed,
            number,
        )
        for number, one in enumerate(world.populations, start=1)
    ]


def still_view(spec: MarketSpec, index: int, bid: int = 0, ask: int = 0) -> MarketView:
    """A market with one lot on each side that has a price."""
    bids, asks = (
        np.array([[price, 1, 1]] if price else np.empty((0, 3)), np.int64) for price in (bid, ask)
    )
    return MarketView(spec, 0, 0, index, index, bid, ask, 0, bids, asks)
