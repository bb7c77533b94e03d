"""Orders from outside a market, as a scenario has them: what is due of each, what was traded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.book.engine import MarketEngine
from sim.market import MarketSpec
from sim.record.run import ShockDone
from sim.rows.messages import (
    CommandKind,
    EventKind,
    MarketStatus,
    OrderType,
    Rows,
    Side,
    TimeInForce,
    empty_commands,
)
from sim.rows.order_ids import ids_of_traders
from sim.scenario.scenario import MarketShock

Integers = npt.NDArray[np.int64]


@dataclass
class Deed:
    """What became of one shock so far. last_step: of its last trade, 0 before the first."""

    lots: int = 0
    notional_atoms: int = 0
    last_step: int = 0


class Shocks:
    """The shocks of one market.

    A slice is a MARKET order, one a step. What finds nobody is asked for again with the next
    one, and after the last one in every step until all is traded: who must sell sells. Where
    nobody stands on the other side of the book when a step begins nothing is asked in it.
    """

    def __init__(self, shocks: Sequence[MarketShock], outsider: int, spec: MarketSpec) -> None:
        self._shocks, self._outsider, self._spec = list(shocks), outsider, spec
        self._deeds = [Deed() for _ in shocks]
        self._planned = len(shocks)

    def add(self, shock: MarketShock) -> None:
        """One that no scenario has planned; those before it that are done are forgotten."""
        kept = [
            place
            for place, (one, deed) in enumerate(self._with_deeds())
            if place < self._planned or deed.lots < one.quantity_lots
        ]
        self._shocks = [*(self._shocks[place] for place in kept), shock]
        self._deeds = [*(self._deeds[place] for place in kept), Deed()]

    def ask(self, step: int, engine: MarketEngine) -> bool:
        """Whether any has something to ask for in a step, where it finds somebody."""
        return any(self._asked_lots(step, engine))

    def _asked_lots(self, step: int, engine: MarketEngine) -> list[int]:
        if not self._shocks:
            return []  # most worlds, in every step
        sides = sides_served(engine)
        return [
            self._wanted_lots(place, step) if shock.side in sides else 0
            for place, shock in enumerate(self._shocks)
        ]

    def _wanted_lots(self, place: int, step: int) -> int:
        """Of equal slices so far what is not traded yet; what does not divide is in the first."""
        shock = self._shocks[place]
        slices = min(max(0, step - shock.step + 1), shock.slices)
        whole, rest = divmod(shock.quantity_lots, shock.slices)
        due = whole * slices + min(slices, rest)
        return min(due - self._deeds[place].lots, self._spec.max_quantity_lots)

    def rows(self, step: int, engine: MarketEngine) -> Rows:
        """COMMAND rows of a step."""
        wanted = self._asked_lots(step, engine)
        due = [place for place, lots in enumerate(wanted) if lots > 0]
        rows = empty_commands(len(due))
        rows["kind"], rows["order_type"] = CommandKind.PLACE, OrderType.MARKET
        rows["time_in_force"], rows["account_id"] = TimeInForce.IOC, self._outsider
        rows["side"] = [self._shocks[place].side for place in due]
        rows["quantity_lots"] = [wanted[place] for place in due]
        rows["order_id"] = self._ids(step)[due]
        return rows

    def _ids(self, step: int) -> Integers:
        numbers = np.arange(len(self._shocks))
        return ids_of_traders(step, np.full_like(numbers, self._outsider), numbers)

    def note(self, step: int, events: Rows) -> None:
        """What a step's EVENT rows say of its orders."""
        if not self._shocks:
            return  # most worlds: nothing to look for among all that happens
        own = events[(events["account_id"] == self._outsider) & (events["kind"] == EventKind.TRADE)]
        for place, order_id in enumerate(self._ids(step).tolist() if len(own) else ()):
            trades = own[own["order_id"] == order_id]
            deed = self._deeds[place]
            for lots, ticks in zip(trades["quantity_lots"], trades["price_ticks"], strict=True):
                deed.lots += int(lots)
                deed.notional_atoms += self._spec.notional_atoms(int(ticks), int(lots))
                deed.last_step = step

    def done(self, step_us: int) -> tuple[ShockDone, ...]:
        """What was done, in the order of the shocks that were planned."""
        return tuple(
            ShockDone(shock, deed.lots, deed.notional_atoms, deed.last_step * step_us)
            for shock, deed in self._with_deeds()[: self._planned]
        )

    def _with_deeds(self) -> list[tuple[MarketShock, Deed]]:
        return [*zip(self._shocks, self._deeds, strict=True)]

    def state(self) -> tuple[Any, ...]:
        """What `restore` takes."""
        deeds = [(deed.lots, deed.notional_atoms, deed.last_step) for deed in self._deeds]
        return deeds, self._shocks[self._planned :]

    def restore(self, state: tuple[Any, ...]) -> None:
        """Go on from a `state()`."""
        deeds, added = state
        self._shocks = [*self._shocks[: self._planned], *added]
        self._deeds = [Deed(*numbers) for numbers in deeds]


def sides_served(engine: MarketEngine) -> list[Side]:
    """Sides whose market orders find somebody now."""
    if engine.status != MarketStatus.ACTIVE:
        return []
    opposite = {Side.BUY: engine.best_ask_ticks, Side.SELL: engine.best_bid_ticks}
    return [side for side, ticks in opposite.items() if ticks]
