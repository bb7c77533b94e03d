"""Backtests of agents' strategies as whoever asks for them sees them: each run of one is a
simulation, waits and runs as such, and stays as long."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sim.refusals import Refusal, Refused
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, Row, fetch_all, fetch_one
from storage.runs.simulation_keeping import Asker, forget
from storage.runs.simulations import (
    STOPPED,
    BacktestPart,
    QueueLimits,
    SimulationSize,
    SimulationStatus,
    SimulationWish,
    insert_simulation,
    let_in,
)

Point = TypeVar("Point")

RESULT, TOTAL_RETURN = "backtest", "total_return"
"""What the summary of a backtest's simulation has beside those of others, and what that has of how
it went."""

SESSION = "session"
"""What its population is called, which has one head."""

EQUITY_POINTS_MAX, TRADES_MAX = 1_000, 200
"""Of a run that are kept, and of all its runs together that are told."""

COLUMNS = "id, name, wish, combinations, created_at_us, cancelled_at_us"
THERE = """EXISTS (SELECT 1 FROM simulations WHERE backtest_id = agent_backtests.id)"""
"""A backtest is gone with the last of its runs."""

FORGOTTEN = f"NOT {THERE}"
"""Of the rows of agent_backtests: those that are kept no longer."""

INSERT = """
INSERT INTO agent_backtests (id, account_id, name, wish, combinations, created_at_us)
VALUES (%s, %s, %s, %s, %s, %s)"""
SELECT_PAGE = f"""
SELECT {COLUMNS} FROM agent_backtests WHERE account_id = %s AND {THERE}
ORDER BY id DESC LIMIT %s OFFSET %s"""
COUNT = f"SELECT count(*) FROM agent_backtests WHERE account_id = %s AND {THERE}"
SELECT_ONE = f"""
SELECT {COLUMNS} FROM agent_backtests WHERE id = %s AND account_id = %s AND {THERE}"""
LOCK_ONE = f"{SELECT_ONE} FOR UPDATE"
RUN_COLUMNS = """backtest_id, backtest_place, id, status, seed, step, steps, state_hash, error,
    started_at_us, ended_at_us"""
SELECT_RUNS = f"""
SELECT {RUN_COLUMNS}, summary FROM simulations
WHERE backtest_id = %s ORDER BY backtest_place"""
SELECT_SHORT_RUNS = f"""
SELECT {RUN_COLUMNS}, json_build_object('{RESULT}', json_build_object('{TOTAL_RETURN}',
    summary::json #> '{{{RESULT},{TOTAL_RETURN}}}'))::text FROM simulations
WHERE backtest_id = ANY(%s) ORDER BY backtest_place"""
CANCEL = "UPDATE agent_backtests SET cancelled_at_us = %s WHERE id = %s"
STOP_RUNS = f"""
UPDATE simulations SET {STOPPED} WHERE backtest_id = %(id)s AND ended_at_us IS NULL"""
DELETE = "DELETE FROM agent_backtests WHERE id = %s"

ENDED = (SimulationStatus.FINISHED, SimulationStatus.STOPPED, SimulationStatus.FAILED)


class BacktestStatus(StrEnum):
    """How a backtest stands: pending → running → completed, failed or cancelled."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_under_way(self) -> bool:
        """Whether there is something to cancel."""
        return self in (BacktestStatus.PENDING, BacktestStatus.RUNNING)


@dataclass(frozen=True)
class BacktestRun:
    """One combination's simulation, how far it is, and what came of it.

    result   under RESULT in its summary; None before the end. In lists it has how it went alone
    """

    place: int
    simulation_id: int
    status: SimulationStatus
    seed: int
    step: int
    steps: int
    state_hash: str | None
    error: str | None
    started_at_us: int | None
    ended_at_us: int | None
    result: Mapping[str, Any] | None

    @property
    def total_return(self) -> float | None:
        """How it went; None of what was not lived to its end."""
        if self.status is not SimulationStatus.FINISHED:
            return None
        found = (self.result or {}).get(TOTAL_RETURN)
        return None if found is None else float(found)


@dataclass(frozen=True)
class AgentBacktest:
    """See storage/tables/agents.py. `runs` are those that are not forgotten, by their places."""

    backtest_id: UUID
    name: str
    wish: Mapping[str, Any]
    combinations: Sequence[Mapping[str, Any]]
    created_at_us: int
    cancelled_at_us: int | None
    runs: tuple[BacktestRun, ...]

    @property
    def status(self) -> BacktestStatus:
        """Of what its runs have come to: one that is done is enough to be completed."""
        stand = Counter(run.status for run in self.runs)
        has_ended = all(run.status in ENDED for run in self.runs)
        if self.cancelled_at_us is not None:
            return BacktestStatus.CANCELLED
        if not has_ended:
            waits = stand[SimulationStatus.QUEUED] == len(self.runs)
            return BacktestStatus.PENDING if waits else BacktestStatus.RUNNING
        if stand[SimulationStatus.FINISHED]:
            return BacktestStatus.COMPLETED
        failed = any(run.error for run in self.runs)
        return BacktestStatus.FAILED if failed else BacktestStatus.CANCELLED

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it waits or runs, also of one that was cancelled."""
        return all(run.status in ENDED for run in self.runs)

    @property
    def progress_percent(self) -> int:
        """How much of all steps is done, of whole parts of a hundred."""
        steps = sum(run.steps for run in self.runs)
        return 100 * sum(run.step for run in self.runs) // steps if steps else 0

    @property
    def best(self) -> BacktestRun | None:
        """The run with the highest return, of those that are whole; of equal ones the first."""
        done = [run for run in self.runs if run.total_return is not None]
        return max(done, key=lambda run: run.total_return or 0.0, default=None)


@dataclass(frozen=True)
class BacktestWish:
    """What is to be run: a simulation for each of `combinations`."""

    name: str
    asked: Mapping[str, Any]
    combinations: Sequence[Mapping[str, Any]]
    simulations: Sequence[tuple[SimulationWish, SimulationSize]]


async def queue_backtest(
    connection: Connection,
    backtest_id: UUID,
    asker: Asker,
    wish: BacktestWish,
    limits: QueueLimits,
) -> None:
    """All its runs in the queue. The caller's transaction commits.

    Raises Refused TOO_MANY_SIMULATIONS.
    """
    kept_s = await let_in(connection, asker, limits, len(wish.simulations))
    texts = json.dumps(wish.asked), json.dumps(wish.combinations)
    row = (backtest_id, asker.account, wish.name, *texts, now_us())
    await connection.execute(INSERT, row)
    for place, (simulated, size) in enumerate(wish.simulations):
        part = BacktestPart(backtest_id, place)
        await insert_simulation(connection, asker, simulated, size, kept_s, part=part)


async def own_backtests(
    pool: AsyncPool, account_id: int, limit: int, offset: int
) -> tuple[list[AgentBacktest], int]:
    """A page of an account's, newest first, and how many there are in all."""
    rows = await fetch_all(pool, SELECT_PAGE, (account_id, limit, offset))
    runs = await fetch_all(pool, SELECT_SHORT_RUNS, ([row[0] for row in rows],))
    counted = await fetch_one(pool, COUNT, (account_id,))
    return [_backtest(row, runs) for row in rows], int(counted[0]) if counted else 0


async def own_backtest(pool: AsyncPool, backtest_id: UUID, account_id: int) -> AgentBacktest:
    """One of an account's with all that came of it. Raises Refused NOT_FOUND."""
    row = await fetch_one(pool, SELECT_ONE, (backtest_id, account_id))
    found = _there(row, backtest_id)
    return _backtest(found, await fetch_all(pool, SELECT_RUNS, (backtest_id,)))


async def cancel_backtest(
    connection: Connection, backtest_id: UUID, account_id: int
) -> AgentBacktest:
    """As it stood; what waits is stopped, and what runs will be within a second. The caller's
    transaction commits. Raises Refused NOT_FOUND; SIMULATION_ENDED where nothing is left to cancel.
    """
    found = await _locked(connection, backtest_id, account_id)
    if not found.status.is_under_way:
        sentence = f"The backtest is {found.status}"
        raise _refused(Refusal.SIMULATION_ENDED, found, "cancelled", sentence)
    at_us = now_us()
    await connection.execute(CANCEL, (at_us, backtest_id))
    await connection.execute(STOP_RUNS, {"id": backtest_id, "now": at_us})
    return found


async def delete_backtest(
    connection: Connection, backtest_id: UUID, account_id: int
) -> AgentBacktest:
    """One that has ended, as it stood, is gone with all it left. The caller's transaction commits.
    Raises Refused NOT_FOUND, SIMULATION_NOT_ENDED while a run of it waits or runs."""
    found = await _locked(connection, backtest_id, account_id)
    if not found.has_ended:
        sentence = (
            "What ran of it is being stopped: try again in a moment"
            if found.cancelled_at_us is not None
            else f"The backtest is {found.status}: cancel it first"
        )
        raise _refused(Refusal.SIMULATION_NOT_ENDED, found, "deleted", sentence)
    for run in found.runs:
        await forget(connection, {"id": run.simulation_id, "owner": account_id})
    await connection.execute(DELETE, (backtest_id,))
    return found


async def _locked(connection: Connection, backtest_id: UUID, account_id: int) -> AgentBacktest:
    rows = await connection.execute(LOCK_ONE, (backtest_id, account_id))
    row = _there(await rows.fetchone(), backtest_id)
    runs = await connection.execute(SELECT_SHORT_RUNS, ([backtest_id],))
    return _backtest(row, await runs.fetchall())


def _refused(refusal: Refusal, found: AgentBacktest, done: str, sentence: str) -> Refused:
    details = {
        "brief": f"backtest cannot be {done}",
        "backtest_id": str(found.backtest_id),
        "status": str(found.status),
    }
    return Refused(refusal, sentence, details)


def _there(row: Row | None, backtest_id: UUID) -> Row:
    if row is None:
        named = {"missing": "backtest", "backtest_id": str(backtest_id)}
        raise Refused(Refusal.NOT_FOUND, "No such backtest", named)
    return row


def _backtest(row: Row, runs: Sequence[Row]) -> AgentBacktest:
    backtest_id, name, wish, combinations, created_at_us, cancelled_at_us = row
    own = tuple(_run(one) for one in runs if one[0] == backtest_id)
    told = json.loads(wish), json.loads(combinations)
    return AgentBacktest(backtest_id, name, *told, created_at_us, cancelled_at_us, own)


def _run(row: Row) -> BacktestRun:
    result = json.loads(row[-1]).get(RESULT) if row[-1] is not None else None
    _, place, number, status, seed, step, steps, state_hash, error, started_us, ended_us, _ = row
    return BacktestRun(
        place,
        number,
        SimulationStatus(status),
        seed,
        step,
        steps,
        state_hash,
        error,
        started_us,
        ended_us,
        result,
    )


def thinned(points: Sequence[Point], most: int) -> Sequence[Point]:
    """Some of them at even distances, the first and the last among them; `most` is 2 or more."""
    if len(points) <= most:
        return points
    last = len(points) - 1
    return [points[last * place // (most - 1)] for place in range(most)]
