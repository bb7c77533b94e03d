"""Which actor of a simulation has which markets and which parts of strategies, and what they send.

An actor is a process and a call to it costs about a millisecond, whatever it has to do: several
markets or parts in one actor are asked by one call. Every process reckons the same shares from
the scenario; what happens in the markets does not depend on them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sim.scenario.scenario import Scenario
from sim.stepping.part import PartDescription, describe_parts

Route = tuple[int, int]
"""A market and a part that trades on it."""


@dataclass(frozen=True)
class Cut:
    """A scenario cut to pieces: each strategy in at most `spread` parts, dealt to actors.

    market_shares, part_shares   the most actors for markets, and for parts of strategies
    """

    scenario: Scenario
    spread: int
    market_shares: int
    part_shares: int

    @property
    def parts(self) -> list[PartDescription]:
        """All parts of all strategies."""
        return describe_parts(self.scenario, self.spread)


@dataclass(frozen=True)
class Shares:
    """The markets of each market actor, the parts of each strategy actor; by number, ascending.

    routes   routes[m][p]: what market actor m and strategy actor p have to tell each other in a
             step, in this order; one message each way, none where there is nothing
    """

    markets: list[list[int]]
    parts: list[list[int]]
    routes: list[list[list[Route]]]


def shares_of(cut: Cut) -> Shares:
    """Markets weigh as many as trade there, parts as their traders on all their markets."""
    parts = cut.parts
    numbers = range(len(cut.scenario.world.markets))
    crowds = [sum(len(part.accounts) for part in parts if no in part.markets) for no in numbers]
    markets = dealt(crowds, cut.market_shares)
    hosted = dealt([len(part.accounts) * len(part.markets) for part in parts], cut.part_shares)
    return Shares(
        markets, hosted, [[_routes(parts, mine, theirs) for theirs in hosted] for mine in markets]
    )


def dealt(weights: Sequence[int], shares: int) -> list[list[int]]:
    """Places of the weights in at most `shares` groups: the heaviest first, to the lightest."""
    groups: list[list[int]] = [[] for _ in range(min(shares, len(weights)))]
    loads = [0] * len(groups)
    for place in sorted(range(len(weights)), key=lambda place: -weights[place]):
        lightest = min(range(len(groups)), key=lambda group: (loads[group], len(groups[group])))
        groups[lightest].append(place)
        loads[lightest] += weights[place]
    return [sorted(group) for group in groups]


def _routes(
    parts: Sequence[PartDescription], markets: Iterable[int], hosted: Sequence[int]
) -> list[Route]:
    return [
        (market, part) for market in markets for part in hosted if market in parts[part].markets
    ]
