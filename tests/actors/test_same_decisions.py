"""The same strategy on the same prices decides the same, live and in a simulation."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
from uuid_utils.compat import uuid7

from actors.live.agents import SignalAgent
from actors.live.orchestrator import Orchestrator
from sim.populations.signal_agents import SignalAgents
from sim.scenario.scenario import MarketPast, Scenario
from sim.signals.agents import AGENTS
from sim.signals.bounds import read
from sim.signals.signal import Action
from sim.signals.strategy import Strategy
from sim.signals.terms import StrategyTerms
from sim.stepping.world import Timing
from storage.agents.founding import name_markets
from storage.agents.sessions import start_session
from storage.agents.strategy_in_force import put_in_force
from storage.intake.accept_state import OpenOrdersMax
from storage.market.depth import levels_to_bytes
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import unit_of_work
from tests.actors.house import MARKET, House
from tests.actors.lived_session import INITIAL_ATOMS, SYMBOL, Judge, with_pool
from tests.builders import trader
from tests.sim.agents_runs import AGENTS as AGENTS_TEXT
from tests.sim.agents_runs import CROWD, ETH, agents_of, agents_scenario, agents_world, folded
from tests.sim.scenario_texts import SPOT

SECOND_US, MINUTE_US = 1_000_000, 60_000_000
SECONDS = 240
TERMS = read(
    StrategyTerms,
    {
        "agents": {
            "technical": {"cycle_s": 15, "ema_slow": 30},
            "orderbook": {"large_times": 1.2, "vanished_max": 60},
            "trend": {"cycle_s": 20, "adx_min": 15},
            "reversion": {"cycle_s": 20, "adx_max": 40},
            "arbitrage": {"profit_min_pct": 0, "score_min": 0.2},
        },
        "voting": {"min_votes": 1, "min_confidence": 0.3, "min_consensus": 0.4},
    },
)
"""Of candles of a minute, and that something is decided in minutes."""

DEARER = SPOT.replace(
    'process = "same", market = "ETH-PERP"', 'process = "synthetic", start = "3512"'
)
"""Somewhere else than the perpetual, so that there is an arbitrage whose freshness counts."""

PUT_CANDLE = """
INSERT INTO candles (market_id, width_us, open_time_us, open_ticks, high_ticks, low_ticks,
    close_ticks, volume_lots, notional_atoms, trade_count)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 0, 1)
ON CONFLICT (market_id, width_us, open_time_us) DO UPDATE SET high_ticks = excluded.high_ticks,
    low_ticks = excluded.low_ticks, close_ticks = excluded.close_ticks,
    volume_lots = excluded.volume_lots"""
PUT_BOOK = """
UPDATE market_views SET at_us = %s, best_bid_ticks = %s, best_ask_ticks = %s, bids = %s, asks = %s
WHERE market_id = %s"""
SAID = """
SELECT agent_name, action, confidence, numbers, reasoning, at_us FROM agent_signals"""
PUT_MARK = """
UPDATE market_prices SET index_ticks = %s, mark_ticks = %s, updated_at_us = %s
WHERE market_id = %s"""
VERDICTS = "SELECT response FROM decisions WHERE kind = 'risk_approval' ORDER BY seq"
DECIDED = """
SELECT action, confidence, response FROM decisions WHERE kind = 'consensus' ORDER BY seq"""


class BothWays:
    """A simulation, and beside it the agents of a deployment that are shown what it shows."""

    def __init__(self, house: House, scenario: Scenario) -> None:
        self.house, self.world = house, agents_world(scenario)
        name_markets(house.database, {SYMBOL: MARKET})
        self.now_us = 0
        url = house.urls[0]
        self.agents = {name: SignalAgent(name, url, self.clock_us) for name in AGENTS}
        limits = OpenOrdersMax(1_000, 1_000)
        self.orchestrator = Orchestrator(url, Judge(), limits, self.clock_us)
        self.shown: dict[str, int] = {}
        self.vanished = 0
        self.due_us = dict.fromkeys(AGENTS, 0)
        for one in scenario.past:
            for row in one.candles:
                house.database.execute(PUT_CANDLE, (one.market_id, MINUTE_US, *row))

    def clock_us(self) -> int:
        return self.now_us

    def show(self, market: int) -> None:
        """What a market's recorder and the market itself would have written by now."""
        stepped = self.world.markets[market]
        view, market_id = stepped.replies[0].view, stepped.spec.market_id
        self.now_us = view.time_us
        prices = (view.index_ticks, view.mark_ticks, view.time_us, market_id)
        self.house.database.execute(PUT_MARK, prices)
        if self.shown.get(market_id) != view.event_seq:
            self.shown[market_id] = view.event_seq
            sides = levels_to_bytes(view.bids), levels_to_bytes(view.asks)
            touch = (view.best_bid_ticks, view.best_ask_ticks)
            self.house.database.execute(PUT_BOOK, (view.time_us, *touch, *sides, market_id))

    def trade(self, market: int) -> None:
        """The candles of all trades so far, of which the last minutes are new."""
        stepped = self.world.markets[market]
        for row in folded(stepped.tape.trades, MINUTE_US)[-2:]:
            self.house.database.execute(PUT_CANDLE, (stepped.spec.market_id, MINUTE_US, *row))

    async def look(self, pool: AsyncPool) -> None:
        """Whoever would look at this second."""
        for name, agent in self.agents.items():
            if self.now_us >= self.due_us[name] or AGENTS[name].sees == "looks":
                await agent.look(pool)
            if self.now_us >= self.due_us[name]:
                self.due_us[name] = self.now_us + AGENTS[name].cycle_s(TERMS) * SECOND_US
        if self.now_us % (TERMS.voting.cycle_s * SECOND_US) == 0:
            await self.orchestrator.decide(pool, TERMS)

    def said(self) -> dict[str, Any]:
        """By agent, its newest signal as it is kept."""
        rows: list[tuple[Any, ...]] = self.house.database.execute(SAID).fetchall()
        return {
            name: (action, confidence, json.loads(numbers), reasoning, at_us)
            for name, action, confidence, numbers, reasoning, at_us in rows
        }

    @property
    def population(self) -> SignalAgents:
        found = self.world.parts[-1].population
        assert isinstance(found, SignalAgents)
        return found

    def simulated(self) -> dict[str, Any]:
        return {
            name: (
                one.signal.action,
                one.signal.confidence,
                json.loads(json.dumps(dict(one.signal.numbers))),
                one.signal.reasoning,
                one.at_us,
            )
            for (name, _), one in self.population.given.items()
        }


def with_terms(scenario: Scenario) -> Scenario:
    """The terms, and candles of two hours before the start: a walk with a trend in it."""
    dice = np.random.default_rng(11)
    closes = 350_000 - 4_000 + np.cumsum(dice.integers(-180, 250, 120))
    closes += 350_000 - closes[-1]
    rows = tuple(
        (
            (place - len(closes)) * MINUTE_US,
            close - 20,
            close + 90,
            close - 110,
            close,
            500 + 7 * place,
        )
        for place, close in enumerate(closes.tolist())
    )
    *others, agents = scenario.world.populations
    populations = (*others, replace(agents, parameters=TERMS))
    world = replace(scenario.world, populations=populations)
    return replace(scenario, world=world, past=(MarketPast(MARKET, rows),))


def test_the_same_prices_give_the_same_decisions(house: House) -> None:
    scenario = with_terms(agents_scenario(ETH + DEARER + CROWD + AGENTS_TEXT, duration_s=SECONDS))
    both = BothWays(house, scenario)
    spoken: set[tuple[str, str]] = set()

    async def begun(pool: AsyncPool) -> None:
        owner_id = trader(house.database)
        async with unit_of_work(pool) as connection:
            await put_in_force(connection, Strategy(terms=TERMS))
            traded = (SYMBOL, MARKET)
            await start_session(connection, uuid7(), owner_id, traded, INITIAL_ATOMS)

    async def lived(pool: AsyncPool) -> None:
        while not both.world.done:
            for market in range(2):
                both.show(market)
            is_due = both.now_us % SECOND_US == 0
            if is_due:
                both.trade(0)
                await both.look(pool)
            both.world.step()
            if is_due:
                said = both.said()
                assert said == both.simulated()
                spoken.update((name, one[0]) for name, one in said.items())
                both.vanished += said["orderbook-agent"][2].get("vanished_levels", 0) > 0

    with_pool(house.api_url, begun)
    with_pool(house.urls[0], lived)
    decisions = agents_of(both.world.record(Timing())).course.decisions
    told: list[tuple[Any, ...]] = house.database.execute(DECIDED).fetchall()
    assert len(told) == len(decisions) == SECONDS // TERMS.voting.cycle_s
    for (action, confidence, response), decision in zip(told, decisions, strict=True):
        answer = json.loads(response)
        assert (action, confidence) == (decision.action, decision.confidence)
        assert answer["consensus"] == decision.consensus
        assert answer["scores"] == dict(decision.scores)
    assert {decision.action for decision in decisions} > {Action.HOLD}
    first = next(decision.verdicts[0] for decision in decisions if decision.verdicts)
    verdicts: list[tuple[Any, ...]] = house.database.execute(VERDICTS).fetchall()
    judged = json.loads(verdicts[0][0])
    assert (judged["ruling"], judged["rule"]) == (first.ruling, first.rule)
    assert judged["quantity_lots"] == first.quantity_lots > 0
    assert len({name for name, action in spoken if action != Action.HOLD}) >= 4
    assert both.vanished > 10
