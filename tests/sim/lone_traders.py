"""Populations by name on one market of the harness, and a client who is not a population."""

from typing import Any

import numpy as np

from sim.market import BTC_PERP, MarketSpec
from sim.populations.command_rows import cancels, immediate, places
from sim.populations.crowd import Crowd
from sim.populations.dice import BLOCK_TRADERS
from sim.populations.registry import STRATEGIES, build_population
from sim.prices.processes import ConstantPrice, ReferencePrice
from sim.rows.messages import Rows, Side
from tests.sim.simulated_market import Exchange, SimulatedMarket, still_view

INDEX = 660_000
CLIENT = 42


def crowd(
    strategy: str, heads: int, number: int, seed: int, markets: int = 1, **fields: int
) -> Any:
    """A population whose accounts begin at its number in billions."""
    accounts = range(number * 10**9, number * 10**9 + heads)
    parameters = STRATEGIES[strategy].parameters(**fields)
    return build_population(strategy, parameters, accounts, markets, seed, number)


def exchange(*populations: Crowd, price: ReferencePrice | None = None) -> Exchange:
    market = SimulatedMarket(BTC_PERP, price or ConstantPrice(INDEX))
    return Exchange([market], list(populations))


def client(market: SimulatedMarket, side: Side, price: int, lots: int, now: bool = True) -> Rows:
    """An order of a client; its id is the next number of the market's commands."""
    row = places(*(np.array([value]) for value in (CLIENT, side, price, lots)))
    row["order_id"] = market.commands + 1
    return market.apply(immediate(row) if now else row)


def withdraw_all(market: SimulatedMarket) -> None:
    resting = market.engine.resting_orders()
    market.apply(cancels(resting["account_id"], resting["order_id"]))


def mid_of(market: SimulatedMarket) -> float:
    return (market.engine.best_bid_ticks + market.engine.best_ask_ticks) / 2


def mids(ran: Exchange, steps: int) -> np.ndarray:
    """The mid after each of so many steps."""
    seen = []
    for _ in range(steps):
        ran.step()
        seen.append(mid_of(ran.markets[0]))
    return np.array(seen)


def rows_whole_and_in_parts(
    strategy: str, spec: MarketSpec = BTC_PERP, steps: int = 40, **fields: int
) -> tuple[Rows, Rows]:
    """What 5,000 traders send on a wandering price, and what the same send as two parts."""
    heads, parameters = 5_000, STRATEGIES[strategy].parameters(**fields)
    whole = build_population(strategy, parameters, range(heads), 2, 7, 3)
    parts = [
        build_population(strategy, parameters, range(first, last), 2, 7, 3, first)
        for first, last in ((0, BLOCK_TRADERS), (BLOCK_TRADERS, heads))
    ]
    return sorted_rows(sent(whole, spec, steps)), sorted_rows(
        np.concatenate([sent(part, spec, steps) for part in parts])
    )


def sent(population: Crowd, spec: MarketSpec, steps: int) -> Rows:
    batches = []
    for step in range(1, steps + 1):
        price = INDEX + (step * step * 37) % 2_000
        near = still_view(spec, price, price - 5, price + 5)
        far = still_view(spec, price, price + 800, price + 810)
        for place, rows in enumerate(population.act(step, [near, far])):
            rows["time_us"] = step * 10 + place
            batches.append(rows)
    return np.concatenate(batches)


def sorted_rows(rows: Rows) -> Rows:
    order = np.lexsort([rows[name] for name in ("price_ticks", "side", "account_id", "time_us")])
    return rows[order]
