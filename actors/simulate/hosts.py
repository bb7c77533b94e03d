"""The actors of a simulation as plain classes: some of its markets, or some parts of strategies.

What they send each other in a step is a list in the order of Shares.routes.
"""

import re
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from actors.simulate.shares import Cut, Route, shares_of
from sim.prices.processes import ReferencePrice
from sim.rows.messages import Rows
from sim.signals.course import AgentsCourse
from sim.stepping.checkpoint import frozen, thawed
from sim.stepping.market import SteppedMarket
from sim.stepping.part import Batch, Part, Reply
from sim.stepping.world import MarketOutcome, outcome

STATUS = Path("/proc/self/status")
KIBIBYTE = 1024


def peak_memory_bytes() -> int:
    """The most memory this process ever held; Linux's getrusage counts its parent's, too."""
    if STATUS.exists():
        found = re.search(r"^VmHWM:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
        if found is not None:
            return int(found[1]) * KIBIBYTE
    unit = 1 if sys.platform == "darwin" else KIBIBYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


class SimulatedMarketActor:
    """The markets of share `share`; lists are in their order.

    prices   of these markets
    """

    def __init__(self, cut: Cut, share: int, prices: Sequence[ReferencePrice]) -> None:
        shares, parts = shares_of(cut), cut.parts
        self._routes = [routes for routes in shares.routes[share] if routes]
        self._markets = {
            number: SteppedMarket(cut.scenario, number, price, parts)
            for number, price in zip(shares.markets[share], prices, strict=True)
        }
        self._parts = {
            number: [place for place, part in enumerate(parts) if number in part.markets]
            for number in self._markets
        }

    def restore(self, states: Sequence[bytes]) -> None:
        """Go on from a `state()`."""
        for market, state in zip(self._markets.values(), states, strict=True):
            market.restore(thawed(state))

    def replies(self) -> list[Any]:
        """What strategy actors were told last, each in one list, and the progress."""
        told: dict[Route, Reply] = {}
        for number, market in self._markets.items():
            routes = [(number, part) for part in self._parts[number]]
            told.update(zip(routes, market.replies, strict=True))
        return [*([told[route] for route in routes] for routes in self._routes), self._progress()]

    def step(self, step: int, *sent: Sequence[Batch]) -> list[Any]:
        """One step on: a list for each strategy actor, then (orders, fills) so far."""
        batches = _by_route(self._routes, sent)
        for number, market in self._markets.items():
            market.step(step, [batches[number, part] for part in self._parts[number]])
        return self.replies()

    def hand_out(self, written: Sequence[int]) -> None:
        """As Tape.hand_out, for each market."""
        for market, rows in zip(self._markets.values(), written, strict=True):
            market.tape.hand_out(rows)

    def taken(self) -> list[tuple[int, Rows]]:
        """As Tape.taken, of each market."""
        return [market.tape.taken() for market in self._markets.values()]

    def keep_only(self) -> None:
        """As Tape.keep_only, for each market."""
        for market in self._markets.values():
            market.tape.keep_only()

    def state(self) -> list[bytes]:
        """Everything of each market, for a checkpoint."""
        return [frozen(market.state()) for market in self._markets.values()]

    def finish(self) -> tuple[list[MarketOutcome], int]:
        """What is left of each at the end, checked; and the most memory ever held."""
        return [outcome(market) for market in self._markets.values()], peak_memory_bytes()

    def _progress(self) -> tuple[int, int]:
        markets = self._markets.values()
        return sum(market.orders for market in markets), sum(market.fills for market in markets)


class SimulatedPartActor:
    """The parts of strategies of share `share`; lists are in their order."""

    def __init__(self, cut: Cut, share: int) -> None:
        shares, descriptions = shares_of(cut), cut.parts
        self._routes = [routes[share] for routes in shares.routes if routes[share]]
        self._parts = {
            number: Part(cut.scenario, descriptions[number]) for number in shares.parts[share]
        }
        self._markets = {number: descriptions[number].markets for number in self._parts}

    def restore(self, states: Sequence[bytes]) -> None:
        """Go on from a `state()`."""
        for part, state in zip(self._parts.values(), states, strict=True):
            part.restore(thawed(state))

    def act(self, step: int, *told: Sequence[Reply]) -> Any:
        """A list for each market actor; the list itself where there is one."""
        replies = _by_route(self._routes, told)
        batches: dict[Route, Batch] = {}
        for number, part in self._parts.items():
            routes = [(market, number) for market in self._markets[number]]
            sent = part.act(step, [replies[route] for route in routes])
            batches.update(zip(routes, sent, strict=True))
        lists = [[batches[route] for route in routes] for routes in self._routes]
        return lists if len(lists) > 1 else lists[0]

    def state(self) -> list[bytes]:
        """Everything of each part, for a checkpoint."""
        return [frozen(part.state()) for part in self._parts.values()]

    def finish(self) -> tuple[list[tuple[list[int], AgentsCourse | None]], int]:
        """How many traders of each were liquidated, by sample, and what else it leaves; the most
        memory ever held."""
        parts = self._parts.values()
        left = [(part.closed_at_samples, part.population.left()) for part in parts]
        return left, peak_memory_bytes()


def _by_route(
    routes: Sequence[Sequence[Route]], lists: Sequence[Sequence[Any]]
) -> dict[Route, Any]:
    found: dict[Route, Any] = {}
    for several, items in zip(routes, lists, strict=True):
        found.update(zip(several, items, strict=True))
    return found
