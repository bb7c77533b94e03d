"""A strategy's market in this process, which can go away, and a population that only buys."""

from collections.abc import Callable, Sequence

import numpy as np

from actors.live.strategy import MarketUnavailable, Means, Strategy
from sim.market import BTC_PERP
from sim.populations.command_rows import places
from sim.populations.population import Integers, MarketView, Population, StrategyReply
from sim.prices.processes import ConstantPrice
from sim.rows.messages import Rows, Side
from tests.actors.recorded_holdings import RecordedHoldings
from tests.sim.simulated_market import SimulatedMarket

STRATEGY_NO = 3
MAKERS = range(3_000_000_000, 3_000_000_003)
STEP_US = 200_000
RICH_ATOMS = 10**15


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now_us = 0

    def __call__(self) -> int:
        return self.now_us


class Port:
    """A market that can go away, lose replies, and delay batches."""

    def __init__(self, price_ticks: int = 660_000) -> None:
        self.market = SimulatedMarket(BTC_PERP, ConstantPrice(price_ticks))
        self.away = False
        self.loses_next_reply = False
        self.delays = 0
        self.registrations, self.attempts = 0, 0
        self.sent: list[tuple[int, Rows]] = []

    def register(self, strategy_no: int, first_account: int, last_account: int) -> StrategyReply:
        self.attempts += 1
        if self.away:
            raise MarketUnavailable("away")
        self.registrations += 1
        return self.market.register(strategy_no, first_account, last_account)

    def submit(self, strategy_no: int, batch_no: int, rows: Rows) -> StrategyReply:
        if self.away:
            raise MarketUnavailable("away")
        self.sent.append((batch_no, rows.copy()))
        if self.delays:
            self.delays -= 1
            return self.market.reply(strategy_no)
        reply = self.market.submit(strategy_no, batch_no, rows)
        if self.loses_next_reply:
            self.loses_next_reply = False
            raise MarketUnavailable("the reply was lost")
        return reply


class Recorded:
    """A population that buys one lot in every market it sees, and notes what it is told."""

    accounts = MAKERS

    def __init__(self, rows: int = 1) -> None:
        self.entered: list[tuple[int, int]] = []
        self.steps: list[int] = []
        self.events: list[Integers] = []
        self._rows = rows

    def enter(self, market: int, life: int, positions_lots: object) -> None:
        self.entered.append((market, life))

    def learn(self, market: int, packed: Integers) -> None:
        self.events.append(packed)

    def act(self, step: int, views: Sequence[MarketView | None]) -> list[Rows]:
        self.steps.append(step)
        one = np.ones(self._rows, dtype=np.int64)
        rows = places(one * MAKERS.start, one * Side.BUY, one * 1_000, one)
        return [rows.copy() if view is not None else rows[:0] for view in views]


def strategy_of(
    population: Population,
    ports: Sequence[Port],
    clock_us: Callable[[], int],
    capital_atoms: int = RICH_ATOMS,
    stored: RecordedHoldings | None = None,
    waits: bool = False,
) -> Strategy:
    """Strategy STRATEGY_NO, of BTC-PERP's leverage of 10."""
    stored = stored or RecordedHoldings([port.market for port in ports])
    count = len(ports)
    means = Means(capital_atoms, 10, (BTC_PERP,) * count, (waits,) * count, stored)
    return Strategy(STRATEGY_NO, population, ports, means, clock_us)


def step(strategy: Strategy, clock: Clock, times: int = 1) -> None:
    for _ in range(times):
        clock.now_us += STEP_US
        strategy.step_once()
