"""Asking for simulations: what may be run, by whom, and how much of it."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.desk.digests import digest
from api.desk.scenario_reader import ScenarioRead, ScenarioReader
from api.desk.scenario_text import checked_text, toml_of
from sim.refusals import Name, Refusal, Refused
from sim.roles import Role
from sim.scenario.fields import ScenarioError
from storage.intake.idempotency import Asked, Outcome, once
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection
from storage.runs import simulations
from storage.runs.sent_log import SentLog
from storage.runs.simulation_keeping import FORGOTTEN, Asker, KeptLimits
from storage.runs.simulations import (
    QueueLimits,
    Report,
    SimulationSize,
    SimulationStatus,
    SimulationView,
    SimulationWish,
)
from storage.runs.stored_scenario import shipped_text
from storage.settings import Settings

ADMIN_PLACES = 100
"""In the queue, beyond those that TRADERs can fill."""

DAY_S = 86_400
FIELD_TEXT = re.compile(
    rf"({re.escape(Name.SCENARIO_TEXT)}|[A-Za-z_][\w\[\].]*)(?:, line \d+)?: ", re.ASCII
)
ALLOWED_TEXT = re.compile(r", allowed (here )?(is )?|: must be ")


@dataclass(frozen=True)
class ScenarioSent:
    """A scenario or a backtest in a client's words: the name of a shipped scenario, a JSON object,
    or TOML text.

    log   that the table's backtest is to live, instead of one that ships
    """

    named: str | None
    table: Mapping[str, Any] | None
    text: str | None
    seed: int | None
    duration_s: int | None
    log: SentLog | None = None


@dataclass(frozen=True)
class Requester:
    """Who asks, from which address, and within which limits."""

    user_id: int
    role: Role
    origin: str
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
        settings, waiting = self.settings, self.settings.simulations_waiting_max
        own_kept_max = settings.simulations_kept_of_trader_max
        kept = KeptLimits(
            None if self.is_admin else own_kept_max,
            settings.simulations_kept_max,
            settings.users_an_address,
            settings.simulation_days * DAY_S,
            settings.guest_ttl_s,
        )
        if self.is_admin:
            return QueueLimits(None, waiting + ADMIN_PLACES, kept)
        return QueueLimits(settings.simulations_of_trader_max, waiting, kept)


@dataclass(frozen=True)
class Scenarios:
    """What asking for simulations works with."""

    pool: AsyncPool
    reader: ScenarioReader


async def request_simulation(
    scenarios: Scenarios, requester: Requester, sent: ScenarioSent, key: str | None
) -> int:
    """A new simulation's id. Raises Refused INVALID_SCENARIO, FORBIDDEN, TOO_MANY_SIMULATIONS."""
    try:
        text, history = text_of(sent), None
        if sent.log is not None:  # which takes a while, in which others are answered
            history = await asyncio.to_thread(sent.log.checked().packed)
        found = await scenarios.reader.read(
            requester.origin, text, sent.seed, sent.duration_s, history
        )
    except ScenarioError as error:
        raise refused_scenario(error) from None
    return await queued(scenarios.pool, requester, "simulations", found, key)


async def run_again(
    scenarios: Scenarios, requester: Requester, simulation_id: int, key: str | None
) -> int:
    """A new simulation of the same scenario and seed: it will have the same state hash."""
    wish = await simulations.wish_of(scenarios.pool, requester.owner, simulation_id)
    if wish is None:
        raise no_simulation()
    try:
        found = await scenarios.reader.read(
            requester.origin, wish.scenario, wish.seed, wish.duration_s, wish.history
        )
    except ScenarioError as error:
        raise refused_scenario(error) from None
    route = f"simulations/{simulation_id}/runs"
    return await queued(scenarios.pool, requester, route, found, key, simulation_id)


async def queued(
    pool: AsyncPool,
    requester: Requester,
    route: str,
    found: ScenarioRead,
    key: str | None,
    rerun_of: int | None = None,
) -> int:
    """The wish in the queue, once."""
    size = checked_size(requester, found)

    async def work(connection: Connection) -> Outcome:
        asker = Asker(requester.user_id, requester.origin)
        number = await simulations.queue_simulation(
            connection, asker, found.wish, size, requester.queue_limits, rerun_of
        )
        return {"simulation_id": number}

    asked = Asked(requester.user_id, route, meaning_of(found.wish), key)
    return int((await once(pool, asked, work))["simulation_id"])


def text_of(sent: ScenarioSent) -> str:
    """The scenario as TOML. Raises ScenarioError."""
    if sent.named is not None:
        return shipped_text(sent.named)
    return checked_text(sent.text if sent.text is not None else toml_of(sent.table or {}))


def checked_size(requester: Requester, found: ScenarioRead) -> SimulationSize:
    """How large it is. Raises Refused FORBIDDEN for what takes an ADMIN."""
    settings, role = requester.settings, requester.role
    memory_mb_max = wall_s_max = None
    if not requester.is_admin:
        memory_mb_max = settings.simulation_memory_mb_max
        wall_s_max = settings.simulation_wall_s_max
        steps_max = settings.simulation_trader_steps_max
        check_size(role, "traders", found.traders, settings.simulation_traders_max)
        check_size(role, "markets", found.markets, settings.simulation_markets_max)
        check_size(role, "traders and orders × steps", found.work.trader_steps, steps_max)
        check_size(role, "MB of traders and orders", found.work.memory_mb, memory_mb_max)
    return SimulationSize(
        found.traders, found.markets, found.steps, found.step_us, memory_mb_max, wall_s_max
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
            f"The simulation is {status}: there is nothing to stop; {Name.FORGET_IT} removes it",
            {"status": status},
        )
    return status


async def forget(pool: AsyncPool, requester: Requester, simulation_id: int) -> str:
    """FORGOTTEN. Raises Refused SIMULATION_NOT_FOUND, SIMULATION_NOT_ENDED."""
    status, is_gone = await simulations.forget_one(pool, requester.owner, simulation_id)
    if is_gone:
        return FORGOTTEN
    if status is None:
        raise no_simulation()
    raise Refused(
        Refusal.SIMULATION_NOT_ENDED,
        f"The simulation is {status}: it can be forgotten when it has ended",
        {"status": status},
    )


def no_simulation() -> Refused:
    """Somebody else's and a missing one are the same."""
    return Refused(Refusal.SIMULATION_NOT_FOUND, "No such simulation")


def refused_scenario(error: ScenarioError) -> Refused:
    """The refusal that names the field and what is allowed in it."""
    sentence = str(error)
    details = {}
    field = FIELD_TEXT.match(sentence)
    allowed = ALLOWED_TEXT.search(sentence)
    if field is not None and allowed is not None:
        details = {"field": field.group(1), "allowed": sentence[allowed.end() :]}
    return Refused(Refusal.INVALID_SCENARIO, sentence, details)


def meaning_of(wish: SimulationWish) -> bytes:
    """What makes two requests the same: what would be run."""
    history = () if wish.history is None else (wish.history.hex(),)
    return digest(str(wish.seed), str(wish.duration_s), wish.scenario, *history)
