"""Simulations for tests: small scenarios, asked for through storage, run in this process."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

from sim.stepping.world import SimulatedWorld
from storage.files.scenario_file import scenario_prices
from storage.postgres.database import AsyncPool, open_pool
from storage.postgres.unit_of_work import unit_of_work
from storage.runs import simulations
from storage.runs.simulation_keeping import Asker, KeptLimits
from storage.runs.simulation_runs import Begun, Ending, Progress, begin_run, end_run, start_next
from storage.runs.simulations import (
    QueueLimits,
    Report,
    SimulationSize,
    SimulationStatus,
    SimulationView,
    SimulationWish,
)
from storage.runs.stored_scenario import read_scenario

Answer = TypeVar("Answer")

KEPT_AT_WILL = KeptLimits(100, 1_000, 3, 30 * 86_400, 86_400)
NO_LIMITS = QueueLimits(None, 1_000, KEPT_AT_WILL)
ASKER = Asker(1_000, "127.0.0.1")
SECONDS_OF_A_LONG_ONE = 90_000
SMALL = """
name = "tiny"
seed = 5
duration_s = 8

[[markets]]
id = "BTC-PERP"
base = "BTC"
quote = "USDC"
tick_size = "0.1"
lot_size = "0.001"
max_quantity = "1000"
price = {process = "synthetic", start = "66000"}

[[populations]]
name = "makers"
strategy = "ladder"
heads = 2
capital = "1000000000"

[[populations]]
name = "noise"
strategy = "noise"
heads = 300
capital = "100000"
parameters = {activity_ppm = 20000}
"""


def hash_of(text: str = SMALL, seed: int | None = None, duration_s: int | None = None) -> str:
    """What the scenario must come to."""
    scenario = read_scenario(text, seed, duration_s)
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    world.run()
    return world.state_hash()


def with_pool(
    database_url: str, work: Callable[[AsyncPool], Coroutine[Any, Any, Answer]]
) -> Answer:
    """What `work` answers with a pool of its own."""

    async def run() -> Answer:
        pool = await open_pool(database_url, 2)
        try:
            return await work(pool)
        finally:
            await pool.close()

    return asyncio.run(run())


@dataclass(frozen=True)
class Most:
    """What a run may take, where it is bounded."""

    memory_mb: int | None = None
    wall_s: int | None = None


NO_MOST = Most()


def queue(
    database_url: str,
    account_id: int = ASKER.account,
    duration_s: int | None = None,
    limits: QueueLimits = NO_LIMITS,
    most: Most = NO_MOST,
    origin: str = ASKER.origin,
    text: str = SMALL,
) -> int:
    """A small simulation in the queue; its id."""
    wish = SimulationWish("tiny", text, 5, duration_s)
    scenario = read_scenario(text, 5, duration_s)
    asked = SimulationSize(
        scenario.accounts,
        len(scenario.world.markets),
        scenario.steps,
        scenario.step_us,
        most.memory_mb,
        most.wall_s,
    )
    return queue_wish(database_url, wish, asked, Asker(account_id, origin), limits)


def queue_wish(
    database_url: str,
    wish: SimulationWish,
    size: SimulationSize,
    asker: Asker = ASKER,
    limits: QueueLimits = NO_LIMITS,
) -> int:
    """Whatever it is, in the queue; its id."""

    async def work(pool: AsyncPool) -> int:
        async with unit_of_work(pool) as connection:
            return await simulations.queue_simulation(connection, asker, wish, size, limits)

    return with_pool(database_url, work)


def view(database_url: str, simulation_id: int) -> SimulationView:
    """Looked at often, and so without a pool."""
    with psycopg.connect(database_url) as connection:
        asked = {"id": simulation_id, "owner": None}
        row = connection.execute(simulations.SELECT_ONE, asked).fetchone()
    assert row is not None
    return simulations.view_of(row)


def stop(database_url: str, simulation_id: int) -> None:
    with_pool(database_url, lambda pool: simulations.stop(pool, None, simulation_id))


def listed(database_url: str, owner: int | None) -> list[SimulationView]:
    return with_pool(
        database_url, lambda pool: simulations.simulations(pool, owner, 2**63 - 1, 100)
    )


def begun(database: psycopg.Connection[Any], number: int) -> Begun:
    found = begin_run(database, number)
    assert found is not None
    return found


def ending() -> Ending:
    report = Report("<p>", "default-src 'none'")
    return Ending(SimulationStatus.FINISHED, Progress(80, 9, 3), "ab", {"orders": 9}, report)


def ended_one(
    database_url: str, database: psycopg.Connection[Any], account: int, **asked: Any
) -> int:
    """One that has run to its end, with a report; its id."""
    number = queue(database_url, account, **asked)
    start_next(database, 1)
    end_run(database, begun(database, number).run, ending())
    return number
