"""A simulation across actors without Ray: their plain classes, their messages carried by hand."""

import pickle
from collections.abc import Sequence
from typing import Any

from actors.simulate.hosts import SimulatedMarketActor, SimulatedPartActor
from actors.simulate.shares import Cut, shares_of
from sim.prices.processes import ReferencePrice
from sim.stepping.world import courses_by_strategy, run_hash


def carried(message: Any) -> Any:
    """As it arrives in another process."""
    return pickle.loads(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))


def stepped(cut: Cut, prices: Sequence[ReferencePrice]) -> str:
    """The hash of a whole run."""
    shares = shares_of(cut)
    markets = [
        SimulatedMarketActor(cut, share, [prices[number] for number in numbers])
        for share, numbers in enumerate(shares.markets)
    ]
    parts = [SimulatedPartActor(cut, share) for share in range(len(shares.parts))]
    replies = [carried(market.replies()) for market in markets]
    for step in range(1, cut.scenario.steps + 1):
        sent: list[list[Any]] = [[] for _ in markets]
        for share, part in enumerate(parts):
            partners = [place for place, routes in enumerate(shares.routes) if routes[share]]
            lists = carried(part.act(step, *(replies[place].pop(0) for place in partners)))
            for place, batches in zip(
                partners, lists if len(partners) > 1 else [lists], strict=True
            ):
                sent[place].append(batches)
        replies = [
            carried(market.step(step, *lists)) for market, lists in zip(markets, sent, strict=True)
        ]
    hashes = {
        number: one.state_hash
        for numbers, market in zip(shares.markets, markets, strict=True)
        for number, one in zip(numbers, market.finish()[0], strict=True)
    }
    courses = {
        number: course
        for numbers, part in zip(shares.parts, parts, strict=True)
        for number, (_, course) in zip(numbers, part.finish()[0], strict=True)
    }
    found = courses_by_strategy(cut.parts, [courses[number] for number in sorted(courses)])
    return run_hash([hashes[number] for number in sorted(hashes)], found)
