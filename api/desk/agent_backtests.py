"""Running strategies on history: each request in one transaction, each combination a simulation."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from api.desk.digests import digest
from api.desk.scenario_reader import ScenarioRead
from api.desk.simulations import Requester, Scenarios, checked_size
from storage.agents.control_entries import ControlAction, note_control
from storage.intake.idempotency import Asked, Outcome, once
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, unit_of_work
from storage.runs.agent_backtests import (
    AgentBacktest,
    BacktestWish,
    cancel_backtest,
    delete_backtest,
    queue_backtest,
)
from storage.runs.simulation_keeping import Asker

ROUTE = "backtest/run"


@dataclass(frozen=True)
class BacktestPlan:
    """All that is to be run, read and found right, but for its size.

    sent           what the request said, as what makes two of them the same
    asked          what is told of it, as JSON holds it
    combinations   what each text has otherwise than the strategy
    history        the candles that all of them walk; None of a scenario
    """

    name: str
    sent: str
    asked: Mapping[str, Any]
    combinations: Sequence[Mapping[str, Any]]
    texts: Sequence[str]
    seed: int | None
    duration_s: int | None
    history: bytes | None


async def run(
    scenarios: Scenarios, requester: Requester, plan: BacktestPlan, key: str | None
) -> UUID:
    """A new backtest's id. Raises Refused FORBIDDEN, TOO_MANY_SIMULATIONS, and ScenarioError."""
    found = [await read(scenarios, requester, plan, text) for text in plan.texts]
    simulations = [(one.wish, checked_size(requester, one)) for one in found]
    wish = BacktestWish(plan.name, plan.asked, plan.combinations, simulations)

    async def work(connection: Connection) -> Outcome:
        backtest_id, asker = uuid7(), Asker(requester.user_id, requester.origin)
        await queue_backtest(connection, backtest_id, asker, wish, requester.queue_limits)
        said = {"name": plan.name, "combinations": len(plan.texts)}
        act = ControlAction.BACKTEST_RUN
        await note_control(connection, requester.user_id, act, str(backtest_id), said)
        return {"backtest_id": str(backtest_id)}

    asked = Asked(requester.user_id, ROUTE, digest(plan.sent), key)
    return UUID((await once(scenarios.pool, asked, work))["backtest_id"])


async def read(
    scenarios: Scenarios, requester: Requester, plan: BacktestPlan, text: str
) -> ScenarioRead:
    """What there is to know of one of its scenarios. Raises ScenarioError."""
    return await scenarios.reader.read(
        requester.origin, text, plan.seed, plan.duration_s, plan.history
    )


async def cancel(pool: AsyncPool, backtest_id: UUID, user_id: int) -> AgentBacktest:
    """The backtest as it stood before it was cancelled. Raises Refused."""
    async with unit_of_work(pool) as connection:
        found = await cancel_backtest(connection, backtest_id, user_id)
        await noted(connection, user_id, ControlAction.BACKTEST_CANCELLED, found)
    return found


async def delete(pool: AsyncPool, backtest_id: UUID, user_id: int) -> AgentBacktest:
    """The backtest as it was. Raises Refused."""
    async with unit_of_work(pool) as connection:
        found = await delete_backtest(connection, backtest_id, user_id)
        await noted(connection, user_id, ControlAction.BACKTEST_DELETED, found)
    return found


async def noted(
    connection: Connection, user_id: int, act: ControlAction, found: AgentBacktest
) -> None:
    """What was done to a backtest."""
    await note_control(connection, user_id, act, str(found.backtest_id), {"name": found.name})


def meaning_of(values: Mapping[str, Any]) -> str:
    """What makes two requests the same: all that they say, numbers by what they are."""
    return json.dumps(values, sort_keys=True, default=str)
