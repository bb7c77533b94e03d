"""Execution agents: each works one large parent order off in slices.

What they share. At its slices a trader compares what its position should be by
now, which is what TWAP, VWAP and POV differ in, with what it is, and orders the
difference at once; what the book does not give is due again at the next slice.
"""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from sim.populations.command_rows import immediate, lots_of_quote
from sim.populations.crowd import Crowd
from sim.populations.dice import UNIT, UNIT_BITS, Dice
from sim.populations.noise import sane_places, touch_ticks
from sim.populations.population import Integers, MarketView, bounded
from sim.rows.messages import Rows, Side
from sim.units import PPM


@dataclass(frozen=True)
class ParentParameters:
    """Of every trader in every market.

    parent_quote    worth of the whole order, quote units; each trader's is from half of it to all
    sell_ppm        share of traders who sell
    start_step      steps between a trader's first view of the market and its first slice
    duration_steps  how long it works
    slice_steps     between one slice and the next; traders take turns within it
    slip_ppm        how far through the touch a slice may trade
    """

    parent_quote: int = bounded(100_000, 1, 1_000_000_000)
    sell_ppm: int = bounded(500_000, 0, 1_000_000)
    start_step: int = bounded(600, 0, 2**40)
    duration_steps: int = bounded(6_000, 1, 2**40)
    slice_steps: int = bounded(20, 1, 1_000_000)
    slip_ppm: int = bounded(300, 0, 1_000_000)


@dataclass
class Parents:
    """Of one market: int64 (traders,).

    begin_step    of the schedule
    before_lots   the position each had when it began
    whole_lots    the parent orders
    """

    begin_step: int
    before_lots: Integers
    whole_lots: Integers


class ParentOrders(Crowd):
    """Traders with a parent order each; whoever has none left does nothing.

    parents   of each market, None until it is first seen
    """

    def __init__(
        self, parameters: ParentParameters, accounts: range, markets: int, dice: Dice
    ) -> None:
        super().__init__(accounts, markets, dice, parameters.parent_quote)
        self._terms = parameters
        self.parents: list[Parents | None] = [None] * markets
        character = dice.birth(0, 1).astype(np.int64)
        selling = character[:, 0] < parameters.sell_ppm * UNIT // PPM
        self._signs = np.where(selling, -1, 1)
        self._turns = character[:, 1] * parameters.slice_steps >> UNIT_BITS
        self._shares = UNIT - (character[:, 2] >> 1)

    @abstractmethod
    def due_lots(self, market: int, view: MarketView, elapsed: int, parents: Parents) -> Integers:
        """What each should have traded after so many steps (0 < elapsed ≤ duration): (traders,)."""

    def before(self, market: int, view: MarketView) -> None:
        """Called for every view until the schedule begins."""

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """Immediate orders for what is due to those whose turn it is."""
        parents = self._parents_of(step, market, view)
        elapsed = step - parents.begin_step
        if elapsed <= 0:
            self.before(market, view)
            return self._orders(view, self._signs[:0], self._signs[:0])
        elapsed = min(elapsed, self._terms.duration_steps)
        mine = np.flatnonzero((step + self._turns) % self._terms.slice_steps == 0)
        due = self.due_lots(market, view, elapsed, parents)[mine]
        moved = self.holdings[market].positions_lots[mine] - parents.before_lots[mine]
        lots = np.minimum(due - moved * self._signs[mine], view.spec.max_quantity_lots)
        acts = lots >= view.spec.min_quantity_lots
        return self._orders(view, mine[acts], lots[acts])

    def _parents_of(self, step: int, market: int, view: MarketView) -> Parents:
        """Written at the first view: sizes are in lots of its price."""
        parents = self.parents[market]
        if parents is None:
            most = lots_of_quote(view.spec, view.index_ticks, self._terms.parent_quote)
            whole = np.maximum(most * self._shares >> UNIT_BITS, view.spec.min_quantity_lots)
            before = self.holdings[market].positions_lots.copy()
            parents = Parents(step + self._terms.start_step, before, whole)
            self.parents[market] = parents
        return parents

    def _orders(self, view: MarketView, traders: Integers, lots: Integers) -> Rows:
        slip = view.index_ticks * self._terms.slip_ppm // PPM
        bid, ask = touch_ticks(view)
        buying = self._signs[traders] > 0
        prices = np.where(buying, ask + slip, bid - slip)
        sides = np.where(buying, Side.BUY, Side.SELL).astype(np.int64)
        return immediate(sane_places(view, traders + self.accounts.start, sides, prices, lots))
