"""A part of a strategy in a simulation: sees last step's markets, sends this step's batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.money.order_margin import OrderMargin
from sim.money.watch import Judgement, MarginWatch, no_closings, no_pairs
from sim.populations.dice import BLOCK_TRADERS
from sim.populations.population import CANDLE_COLUMNS, Endowment, MarketView
from sim.populations.registry import build_population
from sim.rows.messages import Rows, empty_commands
from sim.rows.packed import joined_packed
from sim.scenario.scenario import Scenario
from sim.stepping.arrivals import latency_key, stamp

Integers = npt.NDArray[np.int64]

UNLEARNED_ROWS_MAX = 10_000
"""Events that a part keeps until it acts on them."""

NO_ROWS = empty_commands(0)

LIFE = 1
"""A simulated strategy has one."""


@dataclass
class Batch:
    """What a part sends a market in a step.

    rows        COMMAND, stamped with arrival and id
    closings    int64 (n, 3): account, ppm of its position to close by force, atoms of its equity
                that stand behind the position
    shortfalls  int64 (n, 2): account, atoms the insurance fund is asked for
    elsewhere   int64 (traders,): equity less what was gained in the market, after steps that
                check margins. None where that is the capital, for traders of one market
    """

    rows: Rows
    closings: Integers = field(default_factory=no_closings)
    shortfalls: Integers = field(default_factory=no_pairs)
    elsewhere: Integers | None = None

    @property
    def asks(self) -> bool:
        """Whether the market has anything to do for it."""
        if self is NOTHING:
            return False
        return len(self.rows) + len(self.closings) + len(self.shortfalls) > 0


NOTHING = Batch(NO_ROWS)
"""What a part sends that has nothing to send."""


@dataclass
class Reply:
    """What a market tells a part after a step, in one process as between actors.

    events    those of its own accounts, as in rows/packed.py: int64 (n, 4). Never more, so
              that what a part does cannot depend on where it runs
    stirred   whether anything happened to anybody here, so that the view may be new
    margin    int64 (2, traders) of MarketAccounts.values, after steps that check margins
    """

    view: MarketView
    events: Integers
    stirred: bool = False
    margin: Integers | None = None


@dataclass(frozen=True)
class PartDescription:
    """Which traders: of population `strategy`, from `first_trader` on, by account."""

    strategy: int
    first_trader: int
    accounts: range
    markets: tuple[int, ...]


def describe_parts(scenario: Scenario, spread: int = 1) -> list[PartDescription]:
    """Every strategy in at most `spread` parts that begin at whole blocks, in order of accounts.

    Accounts are numbered from 1, strategy after strategy.
    """
    numbers = {market.spec.market_id: no for no, market in enumerate(scenario.world.markets)}
    parts, base = [], 1
    for strategy, population in enumerate(scenario.world.populations):
        markets = tuple(numbers[market_id] for market_id in population.markets)
        shares = spread if population.kind.divides else 1
        for first, stop in _shares(population.heads, shares):
            accounts = range(base + first, base + stop)
            parts.append(PartDescription(strategy, first, accounts, markets))
        base += population.heads
    return parts


def _shares(heads: int, spread: int) -> list[tuple[int, int]]:
    blocks = -(-heads // BLOCK_TRADERS)
    shares = min(spread, blocks)
    edges = [blocks * share // shares * BLOCK_TRADERS for share in range(shares)] + [heads]
    return list(zip(edges[:-1], edges[1:], strict=True))  # noqa: RUF007


def _margins(replies: Sequence[Reply]) -> list[Integers]:
    return [reply.margin for reply in replies if reply.margin is not None]


def _past(scenario: Scenario, market_id: str) -> Integers:
    """Of a market, int64 (n, 6) of MarketPast."""
    rows = [row for one in scenario.past if one.market_id == market_id for row in one.candles]
    return np.array(rows, np.int64).reshape(-1, CANDLE_COLUMNS)


class Part:
    """One population, or the part of it that a PartDescription names.

    watch   who of them is liquidated, and how far
    """

    def __init__(self, scenario: Scenario, description: PartDescription) -> None:
        self._scenario, self._description = scenario, description
        self._about = about = scenario.world.populations[description.strategy]
        seed, number = scenario.world.seed, description.strategy + 1
        accounts, markets = description.accounts, description.markets
        self.population = build_population(
            about.strategy,
            about.parameters,
            accounts,
            len(markets),
            seed,
            number,
            description.first_trader,
        )
        specs = [scenario.world.markets[market].spec for market in markets]
        capital, leverage = about.capital_atoms, about.leverage
        past = [_past(scenario, spec.market_id) for spec in specs]
        self.population.endow(Endowment(capital, leverage, specs, past))
        for market in range(len(markets)):
            self.population.enter(market, LIFE, None)
        self.watch = MarginWatch(accounts, capital, specs, scenario.step_us, leverage)
        self._margin = OrderMargin(accounts, capital, specs, leverage)
        for market, lots in enumerate(about.inventory_lots):
            self._margin.begin_with(market, np.full(len(accounts), lots, np.int64))
        self._keys = [latency_key(seed, number, market) for market in markets]
        self._counts = np.zeros(len(accounts), np.int64)
        self._sums = np.empty((len(accounts) if len(markets) > 1 else 0, 4), np.int64)
        self._steady, self._next_act = scenario.activity is None, 1
        self._unlearned: list[list[Integers]] = [[] for _ in markets]
        self._unlearned_rows = 0
        self.nothing = [NOTHING] * len(markets)
        self.closed_at_samples: list[int] = []
        self.rows_sent = 0

    @property
    def orders_refused(self) -> int:
        """Orders that equity did not carry, or of traders who are out."""
        return self._margin.refused

    @property
    def busy_step(self) -> int:
        """The next step in which it may send anything, margin checks apart."""
        return self._next_act

    def act(self, step: int, replies: Sequence[Reply]) -> list[Batch]:
        """The batches of a step, one for each of its markets, from what they said last."""
        self._hear(replies)
        judges = all(reply.margin is not None for reply in replies)
        if judges or step >= self._next_act:
            batches = self._acted(step, replies, judges)
        else:
            self._look_on(step, replies)
            batches = self.nothing
        if step % self._scenario.sample_steps == 0:
            self.closed_at_samples.append(int(np.count_nonzero(self.watch.stages)))
        return batches

    def look_on(self, step: int, replies: Sequence[Reply]) -> None:
        """A step in which it sends nothing."""
        self._hear(replies)
        self._look_on(step, replies)

    def _look_on(self, step: int, replies: Sequence[Reply]) -> None:
        """A population remembers prices and touches, which only events move: anybody's."""
        if self.population.watches and any(reply.stirred for reply in replies):
            self.population.watch(step, [reply.view for reply in replies])

    def _hear(self, replies: Sequence[Reply]) -> None:
        """Keep events until somebody acts on them, or there are many."""
        for market, reply in enumerate(replies):
            if len(reply.events):
                self._unlearned[market].append(reply.events)
                self._unlearned_rows += len(reply.events)
        if self._unlearned_rows > UNLEARNED_ROWS_MAX:
            self._learn()

    def _learn(self) -> None:
        for market, heard in enumerate(self._unlearned):
            if heard:
                events = joined_packed(heard)
                self.population.learn(market, events)
                self._margin.learn(market, events)
                heard.clear()
        self._unlearned_rows = 0

    def _acted(self, step: int, replies: Sequence[Reply], judges: bool) -> list[Batch]:
        """The batches of a step in which somebody acts or margins are checked."""
        self._learn()
        views = [reply.view for reply in replies]
        if judges and self.population.reckons:
            self.population.reckon(_margins(replies))
        rows = [NO_ROWS for _ in replies]
        if step >= self._next_act:
            rows = self.population.act(step, views)
            self._next_act = self.population.next_step(step) if self._steady else step + 1
        else:
            self._look_on(step, replies)
        judgement = self._judged(step, replies) if judges else None
        if any(map(len, rows)):
            touches = [(view.best_bid_ticks, view.mark_ticks) for view in views]
            rows = self._margin.admit(rows, touches, self.watch.stages)
        batches = [Batch(self._stamped(step, market, own)) for market, own in enumerate(rows)]
        if judgement is not None:
            self._tell(step, judgement, batches)
        return batches

    def _judged(self, step: int, replies: Sequence[Reply]) -> Judgement:
        margins, margin = _margins(replies), self._margin
        return self.watch.judge(step, margins, margin.free_atoms, margin.most_atoms, self._sums)

    def _tell(self, step: int, judgement: Judgement, batches: list[Batch]) -> None:
        """Closings go to their markets; the funds of all markets are asked in turn."""
        for market, batch in enumerate(batches):
            batch.closings = judgement.closings[market]
            batch.elsewhere = judgement.elsewhere[market] if judgement.elsewhere else None
        turn = step // self._scenario.margin_steps % len(batches)
        batches[turn].shortfalls = judgement.owing

    def _stamped(self, step: int, market: int, rows: Rows) -> Rows:
        """Rows with arrivals and ids."""
        if len(rows) == 0:
            return rows
        about = self._about
        span = about.latency_us_max - about.latency_us_min + 1
        answer = stamp(
            rows,
            self._counts,
            self._description.accounts.start,
            step,
            self._scenario.step_us,
            about.latency_us_min,
            span,
            self._keys[market],
        )
        assert answer == 0, f"{about.name}: a trader sent more rows than an order id can count"
        self.rows_sent += len(rows)
        return rows

    def state(self) -> dict[str, Any]:
        """What `restore` takes: plain values, arrays and objects of this package."""
        self._learn()
        return {
            "next": self._next_act,
            "population": self.population,
            "watch": self.watch,
            "margin": self._margin.state(),
            "closed": list(self.closed_at_samples),
            "rows": self.rows_sent,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state()`."""
        self.population, self.watch = state["population"], state["watch"]
        self._margin.restore(state["margin"])
        self._next_act = state["next"]
        self.closed_at_samples, self.rows_sent = list(state["closed"]), state["rows"]
