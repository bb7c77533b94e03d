"""A short run of everything that a scenario may need, so that its kernels are compiled before the
run that is timed. The first one after an installation takes half a minute, later ones no time."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sim.prices.processes import ReferencePrice
from sim.scenario.markets import CandlePath, Constant, MarketDescription, PriceProcess, Replay
from sim.scenario.scenario import IndexJump, Scenario
from sim.scenario.world import PopulationDescription, reference_price
from sim.stepping.world import SimulatedWorld, Timing
from sim.units import PPM

STEP_US = 100_000_000
FUNDING_HOURS = 1
STEPS = 40
"""Somewhat more than the hour after which funding is paid."""

HEADS_MAX = 8
FALL_STEPS, FALL_PPM = (10, 14, 18), -400_000
"""Falls that close whoever has borrowed."""


def rehearse(scenario: Scenario) -> None:
    """Play a few minutes of it with a few traders, falls and an hour of funding among them."""
    small = small_scenario(scenario)
    world = SimulatedWorld(small, list(prices_of(small)), 2)
    world.run(STEPS - 1)
    again = SimulatedWorld(small, list(prices_of(small)), 2)
    again.resume(world.checkpoint())
    again.run()
    again.record(Timing())


def small_scenario(scenario: Scenario) -> Scenario:
    """The same strategies and kinds of prices on no more markets than two."""
    world = scenario.world
    markets = tuple(
        small_market(market, world.priced(market.spec.market_id).price)
        for market in world.markets[:2]
    )
    ids = [market.spec.market_id for market in markets]
    crowds = tuple(small_crowd(crowd, ids) for crowd in world.populations)
    return replace(
        scenario,
        world=replace(world, markets=markets, populations=crowds),
        steps=STEPS,
        step_us=STEP_US,
        sample_steps=4,
        margin_steps=1,
        happenings=tuple(
            IndexJump(market_id, step, FALL_PPM) for step in FALL_STEPS for market_id in ids
        ),
    )


def small_market(market: MarketDescription, price: PriceProcess) -> MarketDescription:
    """The same market, with funding as often as a rehearsal can see it paid."""
    spec = replace(market.spec, funding_interval_hours=FUNDING_HOURS)
    return replace(market, spec=spec, price=price)


def small_crowd(crowd: PopulationDescription, ids: list[str]) -> PopulationDescription:
    """Wide awake, and as deep in debt as it may be."""
    held = dict(zip(crowd.markets, crowd.inventory_lots, strict=True))
    markets = tuple(one for one in crowd.markets if one in ids) or tuple(ids[:1])
    parameters = crowd.parameters
    if hasattr(parameters, "activity_ppm"):
        parameters = replace(parameters, activity_ppm=PPM // 2)
    heads = min(HEADS_MAX, crowd.heads)
    inventory = tuple(held.get(one, 0) for one in markets)
    return replace(
        crowd, heads=heads, markets=markets, parameters=parameters, inventory_lots=inventory
    )


def prices_of(scenario: Scenario) -> Iterator[ReferencePrice]:
    """Of the same kinds; recorded trades are replaced by one trade, candles by one candle."""
    for market in scenario.world.markets:
        market_id, price = market.spec.market_id, market.price
        ticks = min(market.spec.max_price_ticks, PPM)
        trades = np.zeros(1, np.int64), np.full(1, ticks, np.int64)
        minutes = np.full((1, 4), ticks, np.int64)
        recorded = isinstance(price, Replay | CandlePath)
        assert recorded or isinstance(price, Constant) or hasattr(price, "start_ticks")
        yield reference_price(scenario.world, market_id, trades, scenario.step_us, minutes)
