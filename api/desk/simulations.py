"""Asking for simulations: what may be run, by whom, and how much of it."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from api.desk.scenario_text import checked_text, toml_of
from sim.refusals import Refusal, Refused
from sim.scenario_fields import ScenarioError
from sim.simulation_scenario import Scenario
from storage import simulations
from storage.accounts import Role
from storage.database import AsyncPool
from storage.idempotency import Asked, Outcome, once
from storage.settings import Settings
from storage.simulations import (
    QueueLimits,
    Report,
    SimulationSize,
    SimulationStatus,
    SimulationView,
    SimulationWish,
)
from storage.stored_scenario import read_scenario, scenario_of, shipped_text
from storage.unit_of_work import Connection

POPULATION_TRADERS_MIN = 500
"""However few traders a population has, a step of it costs as much as so many do."""

ADMIN_PLACES = 100
"""In the queue, beyond those that TRADERs can fill."""

FIELD_TEXT = re.compile(r"([A-Za-z_][\w\[\].]*): ", re.ASCII)


@dataclass(frozen=True)
class ScenarioSent:
    """A scenario in a client's words: the name of a shipped one, a JSON object, or TOML text."""

    named: str | None
    table: Mapping[str, Any] | None
    text: str | None
    seed: int | None
    duration_s: int | None


@dataclass(frozen=True)
class Requester:
    """Who asks, and within which limits."""

    user_id: int
    role: Role
    settings: Settings

    @property
    def is_admin(self) -> bool:
        """True for whoever has no limit of size and sees everybody's simulations."""
        return self.role.at_least(Role.ADMIN)

    @property
    def owner(self) -> int | None:
        """Whose simulations there are for them; None: everybody's."""
        return None if self.is_admin else self.user_id

    @property
    def queue_limits(self) -> QueueLimits:
        """How many simulations there may be."""
        settings = self.settings
        waiting, kept = settings.simulations_waiting_max, settings.simulations_kept_max
        if self.is_admin:
            return QueueLimits(None, waiting + ADMIN_PLACES, kept)
        return QueueLimits(settings.simulations_of_trader_max, waiting, kept)


async def request_simulation(
    pool: AsyncPool, requester: Requester, sent: ScenarioSent, key: str | None
) -> int:
    """A new simulation's id. Raises Refused INVALID_SCENARIO, FORBIDDEN, TOO_MANY_SIMULATIONS."""
    try:
        wish, scenario = await asyncio.to_thread(read, sent)
    except ScenarioError as error:
        raise refused_scenario(error) from None
    return await queued(pool, requester, "simulations", wish, scenario, key)


async def run_again(
    pool: AsyncPool, requester: Requester, simulation_id: int, key: str | None
) -> int:
    """A new simulation of the same scenario and seed: it will have the same state hash."""
    wish = await simulations.wish_of(pool, requester.owner, simulation_id)
    if wish is None:
        raise no_simulation()
    try:
        scenario = await asyncio.to_thread(scenario_of, wish)
    except ScenarioError as error:
        raise refused_scenario(error) from None
    route = f"simulations/{simulation_id}/runs"
    return await queued(pool, requester, route, wish, scenario, key, simulation_id)


async def queued(
    pool: AsyncPool,
    requester: Requester,
    route: str,
    wish: SimulationWish,
    scenario: Scenario,
    key: str | None,
    rerun_of: int | None = None,
) -> int:
    """The wish in the queue, once."""
    size = checked_size(requester, scenario)

    async def work(connection: Connection) -> Outcome:
        limits = requester.queue_limits
        user_id = requester.user_id
        number = await simulations.queue_simulation(
            connection, user_id, wish, size, limits, rerun_of
        )
        return {"simulation_id": number}

    asked = Asked(requester.user_id, route, digest(wish), key)
    return int((await once(pool, asked, work))["simulation_id"])


def read(sent: ScenarioSent) -> tuple[SimulationWish, Scenario]:
    """The scenario, and what is kept of it. Raises ScenarioError."""
    if sent.named is not None:
        text = shipped_text(sent.named)
    else:
        text = checked_text(sent.text if sent.text is not None else toml_of(sent.table or {}))
    scenario = read_scenario(text, sent.seed, sent.duration_s)
    world = scenario.world
    return SimulationWish(world.name, text, world.seed, sent.duration_s), scenario


def checked_size(requester: Requester, scenario: Scenario) -> SimulationSize:
    """How large it is. Raises Refused FORBIDDEN for what takes an ADMIN."""
    settings, markets = requester.settings, len(scenario.world.markets)
    work = scenario.steps * sum(
        max(population.heads, POPULATION_TRADERS_MIN) for population in scenario.world.populations
    )
    if not requester.is_admin:
        check_size(requester.role, "traders", scenario.accounts, settings.simulation_traders_max)
        check_size(requester.role, "markets", markets, settings.simulation_markets_max)
        check_size(requester.role, "traders × steps", work, settings.simulation_trader_steps_max)
    memory_mb_max = None if requester.is_admin else settings.simulation_memory_mb_max
    return SimulationSize(
        scenario.accounts, markets, scenario.steps, scenario.step_us, memory_mb_max
    )


def check_size(role: Role, what: str, found: int, allowed: int) -> None:
    """Raises Refused FORBIDDEN."""
    if found > allowed:
        raise Refused(
            Refusal.FORBIDDEN,
            f"This scenario has {found} {what}; the role {role} may run up to {allowed}",
            {"what": what, "found": found, "allowed": allowed},
        )


async def find(pool: AsyncPool, requester: Requester, simulation_id: int) -> SimulationView:
    """The simulation. Raises Refused SIMULATION_NOT_FOUND."""
    view = await simulations.simulation(pool, requester.owner, simulation_id)
    if view is None:
        raise no_simulation()
    return view


async def find_report(pool: AsyncPool, requester: Requester, simulation_id: int) -> Report:
    """Its page. Raises Refused: SIMULATION_NOT_ENDED before the end, NOT_FOUND where none is."""
    found = await simulations.report(pool, requester.owner, simulation_id)
    if found is None:
        raise no_simulation()
    status, report = found
    if report is not None:
        return report
    if status in (SimulationStatus.QUEUED, SimulationStatus.RUNNING, SimulationStatus.STOPPING):
        raise Refused(
            Refusal.SIMULATION_NOT_ENDED,
            f"The simulation is {status}: there is a report when it has ended",
            {"status": status},
        )
    raise Refused(
        Refusal.NOT_FOUND, f"The simulation is {status} and left no report", {"status": status}
    )


async def stop(pool: AsyncPool, requester: Requester, simulation_id: int) -> SimulationStatus:
    """STOPPING or STOPPED. Raises Refused SIMULATION_NOT_FOUND, SIMULATION_ENDED."""
    status = await simulations.stop(pool, requester.owner, simulation_id)
    if status is None:
        raise no_simulation()
    if status in (SimulationStatus.FINISHED, SimulationStatus.FAILED):
        raise Refused(
            Refusal.SIMULATION_ENDED,
            f"The simulation is {status}: there is nothing to stop",
            {"status": status},
        )
    return status


def no_simulation() -> Refused:
    """Somebody else's and a missing one are the same."""
    return Refused(Refusal.SIMULATION_NOT_FOUND, "No such simulation")


def refused_scenario(error: ScenarioError) -> Refused:
    """The refusal that names the field and what is allowed in it."""
    sentence = str(error)
    details = {}
    field = FIELD_TEXT.match(sentence)
    _, _, allowed = sentence.partition(", allowed ")
    if field is not None and allowed:
        allowed = allowed.removeprefix("here ").removeprefix("is ")
        details = {"field": field.group(1), "allowed": allowed}
    return Refused(Refusal.INVALID_SCENARIO, sentence, details)


def digest(wish: SimulationWish) -> bytes:
    """What makes two requests the same: what would be run."""
    meaning = f"{wish.seed}|{wish.duration_s}|{wish.scenario}"
    return blake2b(meaning.encode(), digest_size=16).digest()
