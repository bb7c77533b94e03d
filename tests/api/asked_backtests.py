"""Backtests of agents for tests: a market with some hours of candles long ago, and whoever runs
what waits."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psycopg

from actors.simulate.runner import SimulationRunner
from sim.money.candles import MINUTE_US
from storage.postgres.database import connect
from storage.runs.simulation_runs import start_next
from tests.api.agents_floor import AgentsFloor, Client
from tests.waiting import eventually

SYMBOL, MARKET = "ETH/USDT", "ETH-PERP"
DAY, DAY_BEFORE = "2025-01-15", "2025-01-14"
DAY_US = 1_736_899_200_000_000
BEFORE, AFTER, SEED = 120, 20, 7
"""Minutes with candles on both days."""

NOBODYS = "123e4567-e89b-12d3-a456-426614174000"
EAGER: dict[str, Any] = {
    "agents": {"trend": {"adx_min": 5}},
    "voting": {"quorum": 0.3, "min_consensus": 0.1, "min_confidence": 0.1},
}
"""A strategy that trades on what there is within minutes."""

INSERT = """
INSERT INTO candles (market_id, width_us, open_time_us, open_ticks, high_ticks, low_ticks,
    close_ticks, volume_lots, notional_atoms, trade_count, simulated)
VALUES (%s, %s, %s, %s, %s, %s, %s, 50, 1, 9, true)"""


def with_candles(database: psycopg.Connection[Any], market_id: str = MARKET) -> None:
    """A random walk of BEFORE minutes before DAY and AFTER of it."""
    print(f"seed {SEED}")
    moves = np.random.default_rng(SEED).integers(-60, 61, (BEFORE + AFTER, 3))
    without_candles(database, market_id)
    opened = 350_000
    for place, (move, up, down) in enumerate(moves.tolist()):
        closed = opened + move
        high, low = max(opened, closed) + abs(up), min(opened, closed) - abs(down)
        at_us = DAY_US + (place - BEFORE) * MINUTE_US
        database.execute(INSERT, (market_id, MINUTE_US, at_us, opened, high, low, closed))
        opened = closed


def without_candles(database: psycopg.Connection[Any], market_id: str) -> None:
    """None of those days."""
    of_days = "DELETE FROM candles WHERE market_id = %s AND open_time_us < %s"
    database.execute(of_days, (market_id, DAY_US + 86_400_000_000))


def body(**changes: Any) -> dict[str, Any]:
    """A backtest of the day's first minutes, with the day before as its past."""
    asked = {
        "name": "a quiet day",
        "start_date": DAY,
        "end_date": DAY,
        "symbols": [SYMBOL],
        "initial_capital": 10_000,
        "strategy": EAGER,
        "seed": 3,
        **changes,
    }
    return {name: value for name, value in asked.items() if value is not None}


@dataclass
class Backtests:
    """Who asks for them, and who runs them."""

    agents: AgentsFloor
    paper: Client = field(init=False)

    def __post_init__(self) -> None:
        self.paper = self.agents.paper

    @property
    def database(self) -> psycopg.Connection[Any]:
        return self.agents.app.database

    def asked(self, who: Client | None = None, **changes: Any) -> str:
        """The id of one that waits."""
        told = (who or self.paper).does("backtest/run", body(**changes), 202)
        assert told["status"] == "pending"
        return str(told["id"])

    def numbers(self, backtest_id: str) -> list[int]:
        """Of its simulations, by their places."""
        rows = self.database.execute(
            "SELECT id FROM simulations WHERE backtest_id = %s ORDER BY backtest_place",
            (backtest_id,),
        )
        return [number for (number,) in rows]

    def takes(self, many: int = 1) -> list[int]:
        """What waits longest runs from now on."""
        with connect(self.agents.floor.house.urls[0], "test") as connection:
            return start_next(connection, many)

    def runs_all(self) -> None:
        """Each that waits to its end, one after the other, as the engine's user."""
        while running := self.takes():
            for number in running:
                SimulationRunner(self.agents.floor.house.urls[0], number).run()

    def loses(self, number: int) -> None:
        """One that runs: its process ends on the way, and has kept where it stands."""
        url = self.agents.floor.house.urls[0]
        runner = SimulationRunner(url, number, checkpoint_s=0.0, run=True)
        eventually(lambda: runner.health()["step"] > 0)
        runner.stop()

    def resumes(self, number: int) -> None:
        """One that runs goes on in another process, to its end."""
        SimulationRunner(self.agents.floor.house.urls[0], number).run()


def refused(who: Client, sent: Any, status: int = 400) -> dict[str, Any]:
    """What is answered to one that is not taken."""
    answer = who.sends("POST", "backtest/run", sent)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


def faults(who: Client, **changes: Any) -> dict[str, str]:
    """What is wrong with the day's backtest, by field."""
    told = refused(who, body(**changes))
    return {one["field"]: one["message"] for one in told["errors"]}
