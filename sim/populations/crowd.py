"""What all strategies have in common: holdings by market, dice, a position limit."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.populations.command_rows import lots_of_quote
from sim.populations.dice import Dice
from sim.populations.holdings import Holdings
from sim.populations.population import Endowment, Integers, MarketView
from sim.rows.messages import Rows, empty_commands
from sim.signals.course import AgentsCourse
from sim.units import PPM


class Crowd(ABC):
    """A Population whose traders act on each market by itself.

    accounts      contiguous account ids, one a trader
    markets       how many markets it sees
    dice          theirs, as many traders as accounts
    position_max_quote   worth of the largest position of a trader in a market, quote units
    activity_ppm         chance that a trader acts in a step; None where they act by another rule
    """

    watches = False
    """Whether `watch` remembers anything."""

    reckons = False
    """Whether `reckon` does."""

    def __init__(
        self,
        accounts: range,
        markets: int,
        dice: Dice,
        position_max_quote: int,
        activity_ppm: int | None = None,
    ) -> None:
        self.accounts = accounts
        self.holdings = [Holdings(accounts) for _ in range(markets)]
        self._dice, self._life, self.first_trader = dice, 0, dice.first_trader
        self._position_max_quote, self._activity_ppm = position_max_quote, activity_ppm
        self._limits_lots: list[int | None] = [None] * markets
        self._factors_ppm = [PPM] * markets

    def enter(self, market: int, life: int, positions_lots: Integers | None) -> None:
        """See Population."""
        self._life = life
        self.holdings[market].enter(positions_lots)

    def learn(self, market: int, packed: Integers) -> None:
        """See Population."""
        self.holdings[market].learn(packed)

    def act(self, step: int, views: Sequence[MarketView | None]) -> list[Rows]:
        """See Population. Where there is no index yet, nobody trades."""
        self._factors_ppm = [PPM if view is None else view.activity_ppm for view in views]
        sent = []
        for market, view in enumerate(views):
            if view is None or view.index_ticks < 1:
                sent.append(empty_commands(0))
                continue
            self.limit_lots(market, view)
            sent.append(self.decide(step, market, view))
        return sent

    def watch(self, step: int, views: Sequence[MarketView]) -> None:  # noqa: B027
        """What is to be remembered of the views of a step in which nobody acts."""

    def endow(self, endowment: Endowment) -> None:  # noqa: B027
        """What each trader begins with. Simulations say so before the first step."""

    def reckon(self, margins: Sequence[Integers]) -> None:  # noqa: B027
        """What each market says of its traders when margins are checked, in memory that is not
        ours: see MarketAccounts.margins."""

    def left(self) -> AgentsCourse | None:
        """What it leaves of a run beside its trades."""
        return None

    def next_step(self, after: int) -> int:
        """A step after `after` before which nobody acts, whatever happens meanwhile.

        True while everybody acts as often as usual (activity.py).
        """
        if self._activity_ppm is None:
            return after + 1
        return min(
            self._dice.next_awake(market, self._life, after, self._activity_ppm)
            for market in range(len(self.holdings))
        )

    @abstractmethod
    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """COMMAND rows for one market."""

    def limit_lots(self, market: int, view: MarketView) -> int:
        """The largest position, in lots of the first price seen, so that it never shrinks."""
        limit = self._limits_lots[market]
        if limit is None:
            limit = lots_of_quote(view.spec, view.index_ticks, self._position_max_quote)
            self._limits_lots[market] = limit
        return limit

    def draw(self, step: int, market: int, words: int) -> Integers:
        """int64 (traders, 4 × words) for this step, each uniform in [0, UNIT)."""
        return self._dice.draw(market, self._life, step, words)

    def awake(self, step: int, market: int, activity_ppm: int) -> Integers:
        """Places of those who act in this step, int64 (awake,), ascending."""
        return self._dice.awake(market, self._life, step, self.chance_ppm(market, activity_ppm))

    def chance_ppm(self, market: int, activity_ppm: int) -> int:
        """The chance that a trader acts in this step, as busy as the market is."""
        return min(PPM, activity_ppm * self._factors_ppm[market] // PPM)

    def key(self, market: int) -> np.uint64:
        """What keys the draws of this life on a market, for kernels that draw by themselves."""
        return self._dice.key(market, self._life)

    def wake(
        self, step: int, market: int, activity_ppm: int, words: int
    ) -> tuple[Integers, Integers]:
        """Places of those who act in this step and their draws, int64 (awake, 4 × words)."""
        chance_ppm = self.chance_ppm(market, activity_ppm)
        return self._dice.wake(market, self._life, step, chance_ppm, words)


@dataclass(frozen=True)
class StrategyKind:
    """What the file of a strategy declares of it, and nobody else knows.

    name           as a scenario calls it
    population     made of parameters, accounts, how many markets it sees, and dice
    parameters     a dataclass of integers made with `bounded`, or what `read` makes
    makes_markets  whether it quotes both sides: its inventory is what risks its money
    divides        False where its traders take turns among all of them, or all go by what is
                   thought out once: always one part
    read           parameters from a scenario's table, raises TermsRefused; None for `bounded` ones
    heads_max      None for as many as anybody may have
    is_for_worlds  False where there is no such population but in simulations
    trades_spot    False where spot markets are only looked at
    """

    name: str
    population: type[Crowd]
    parameters: type[Any]
    makes_markets: bool = False
    divides: bool = True
    read: Callable[[Mapping[str, Any]], Any] | None = None
    heads_max: int | None = None
    is_for_worlds: bool = True
    trades_spot: bool = True
