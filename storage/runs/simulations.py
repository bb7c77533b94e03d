"""Simulations as whoever asks for them sees them: wished for, listed, stopped, their reports.

`owner` is the account whose simulations exist for the caller; None: everybody's do.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sim.refusals import Refusal, Refused
from sim.signals.grid import COMBINATIONS_MAX
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, Row, fetch_all, fetch_one, unit_of_work
from storage.runs.simulation_keeping import (
    KEPT_UNTIL_US,
    NOT_FORGOTTEN,
    OWNED,
    Asker,
    KeptLimits,
    forget,
    forget_oldest,
    kept_s_of_new,
)
from storage.runs.simulation_turns import PLAN

ENTRANCE_LOCK = 7_236_012
"""Advisory lock number: who counts what is under way and adds to it is alone."""

COLUMNS = f"""id, account_id, name, seed, rerun_of, traders, markets, steps, step_us, status,
    step, orders, fills, steps_per_second, orders_per_second, fills_per_second, state_hash, error,
    created_at_us, started_at_us, ended_at_us, {KEPT_UNTIL_US}"""
LOCK_QUEUE = f"SELECT pg_advisory_xact_lock({ENTRANCE_LOCK})"
ASKED_FOR = "coalesce(backtest_id::text, id::text)"
"""What was asked for at once: the runs of a backtest are one."""

OWN_RUNS_MAX = COMBINATIONS_MAX
"""Of one account's backtests together: as many as one of them may have."""

ADDRESS_PART = 2
"""One address's backtests have half of everybody's places at the most."""

COUNT_UNDER_WAY = f"""
SELECT count(*), count(DISTINCT {ASKED_FOR}) FILTER (WHERE origin = %(origin)s),
    count(DISTINCT {ASKED_FOR}) FILTER (WHERE account_id = %(account)s),
    count(backtest_id) FILTER (WHERE origin = %(origin)s),
    count(backtest_id) FILTER (WHERE account_id = %(account)s)
FROM simulations WHERE ended_at_us IS NULL"""
INSERT = """
INSERT INTO simulations (account_id, origin, name, scenario, seed, duration_s, rerun_of, traders,
    markets, steps, step_us, memory_mb_max, wall_s_max, status, run_no, tries, step, orders, fills,
    steps_per_second, orders_per_second, fills_per_second, created_at_us, kept_s, history,
    backtest_id, backtest_place)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'QUEUED', 0, 0, 0, 0, 0, 0, 0, 0, %s,
    %s, %s, %s, %s)
RETURNING id"""
SELECT_OWN = f"""
SELECT {COLUMNS}, NULL, NULL FROM simulations
WHERE account_id = %s AND id < %s AND {NOT_FORGOTTEN} ORDER BY id DESC LIMIT %s"""
SELECT_ALL = f"""
SELECT {COLUMNS}, NULL, NULL FROM simulations
WHERE id < %s AND {NOT_FORGOTTEN} ORDER BY id DESC LIMIT %s"""
SELECT_ONE = f"""{PLAN}
SELECT {COLUMNS}, summary, CASE WHEN status = 'QUEUED' THEN
    (SELECT place - 1 FROM plan WHERE plan.id = simulations.id) END
FROM simulations WHERE {OWNED}"""
SELECT_WISH = f"""
SELECT name, scenario, seed, duration_s, history FROM simulations WHERE {OWNED}"""
SELECT_REPORT = f"""
SELECT status, page, policy FROM simulations LEFT JOIN simulation_reports ON simulation_id = id
WHERE {OWNED}"""
SELECT_STATUS = f"SELECT status FROM simulations WHERE {OWNED}"
STOPPED = """status = CASE status WHEN 'QUEUED' THEN 'STOPPED' ELSE 'STOPPING' END,
    ended_at_us = CASE status WHEN 'QUEUED' THEN %(now)s::bigint END"""
"""Of one that has not ended, from when its end is wished."""

STOP = f"""
UPDATE simulations SET {STOPPED}
WHERE {OWNED} AND ended_at_us IS NULL RETURNING status"""
COUNT_BY_STATUS = """
SELECT status, count(*) FROM simulations WHERE ended_at_us IS NULL GROUP BY status"""


class SimulationStatus(StrEnum):
    """QUEUED → RUNNING → FINISHED, STOPPED or FAILED; STOPPING between a wish and its effect."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    FINISHED = "FINISHED"
    STOPPED = "STOPPED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class SimulationWish:
    """What is to be run.

    scenario    TOML text
    duration_s  instead of the text's own
    history     what it lives, where that is kept beside the text: a log that was sent
                (storage/runs/sent_log.py), or candles (storage/runs/kept_candles.py)
    """

    name: str
    scenario: str
    seed: int
    duration_s: int | None
    history: bytes | None = None


@dataclass(frozen=True)
class SimulationSize:
    """How much work it is; steps are planned ones. memory_mb_max, wall_s_max: None for no limit."""

    traders: int
    markets: int
    steps: int
    step_us: int
    memory_mb_max: int | None = None
    wall_s_max: int | None = None


@dataclass(frozen=True)
class BacktestPart:
    """Which run of which agents' backtest it is, from 0."""

    backtest_id: UUID
    place: int


@dataclass(frozen=True)
class Report:
    """An HTML page and the Content-Security-Policy under which it shows."""

    page: str
    policy: str


@dataclass(frozen=True)
class QueueLimits:
    """How many simulations may be under way: of the account (None: no limit; of an address as
    many as of `users_an_address` accounts), and of everybody; and what is kept of the ended."""

    own_max: int | None
    all_max: int
    kept: KeptLimits


@dataclass(frozen=True)
class SimulationView:
    """A simulation and how far it is; rates are those of the last second.

    kept_until_us   when it goes; None before the end
    summary         the object that `sandpit simulate --json` prints; None in lists and before the
                    end
    ahead           how many wait before it, while it waits; None in lists
    """

    simulation_id: int
    account_id: int
    name: str
    seed: int
    rerun_of: int | None
    traders: int
    markets: int
    steps: int
    step_us: int
    status: SimulationStatus
    step: int
    orders: int
    fills: int
    steps_per_second: int
    orders_per_second: int
    fills_per_second: int
    state_hash: str | None
    error: str | None
    created_at_us: int
    started_at_us: int | None
    ended_at_us: int | None
    kept_until_us: int | None
    summary: dict[str, Any] | None
    ahead: int | None


async def queue_simulation(
    connection: Connection,
    asker: Asker,
    wish: SimulationWish,
    size: SimulationSize,
    limits: QueueLimits,
    rerun_of: int | None = None,
) -> int:
    """A new simulation's id. The caller's transaction commits.

    Raises Refused TOO_MANY_SIMULATIONS.
    """
    kept_s = await let_in(connection, asker, limits)
    return await insert_simulation(connection, asker, wish, size, kept_s, rerun_of=rerun_of)


async def let_in(
    connection: Connection, asker: Asker, limits: QueueLimits, runs_of_backtest: int = 0
) -> int:
    """How long what is asked for will stay: a simulation, or all runs of a backtest. The queue is
    the caller's alone until its transaction is over. Raises Refused TOO_MANY_SIMULATIONS."""
    await connection.execute(LOCK_QUEUE)
    await _check_queue(connection, asker, limits, runs_of_backtest)
    kept_s = await kept_s_of_new(connection, asker, limits.kept)
    await forget_oldest(connection, asker.account, limits.kept.own_max)
    return kept_s


async def insert_simulation(
    connection: Connection,
    asker: Asker,
    wish: SimulationWish,
    size: SimulationSize,
    kept_s: int,
    *,
    rerun_of: int | None = None,
    part: BacktestPart | None = None,
) -> int:
    """The id of one that was let in. The caller's transaction commits."""
    backtest = (None, None) if part is None else (part.backtest_id, part.place)
    values = (
        *(asker.account, asker.origin, wish.name, wish.scenario, wish.seed, wish.duration_s),
        *(rerun_of, size.traders, size.markets, size.steps, size.step_us, size.memory_mb_max),
        *(size.wall_s_max, now_us(), kept_s, wish.history, *backtest),
    )
    row = await (await connection.execute(INSERT, values)).fetchone()
    assert row is not None
    return int(row[0])


async def _check_queue(
    connection: Connection, asker: Asker, limits: QueueLimits, runs: int
) -> None:
    counted = await connection.execute(COUNT_UNDER_WAY, vars(asker))
    row = await counted.fetchone()
    assert row is not None
    everybodys, of_address, own, runs_of_address, own_runs = row
    if limits.own_max is not None:
        address_max = limits.kept.users_an_address * limits.own_max
        _refuse_more(own, limits.own_max, "of your simulations may wait or run at a time")
        _refuse_more(of_address, address_max, "simulations from one address may wait or run")
        if runs:
            _refuse_runs(own_runs + runs, runs_of_address + runs, limits)
    others = everybodys + max(runs, 1) - 1
    _refuse_more(others, limits.all_max, "simulations may wait or run; try again later")


def _refuse_runs(own: int, of_address: int, limits: QueueLimits) -> None:
    address_max = -(-limits.all_max // ADDRESS_PART)
    _refuse_more(own - 1, OWN_RUNS_MAX, "runs of your backtests may wait or run at a time")
    what = "runs of backtests from one address may wait or run"
    _refuse_more(of_address - 1, address_max, what)


def _refuse_more(found: int, allowed: int, what: str) -> None:
    if found >= allowed:
        raise Refused(
            Refusal.TOO_MANY_SIMULATIONS, f"At most {allowed} {what}", {"allowed": allowed}
        )


async def simulations(
    pool: AsyncPool, owner: int | None, before_id: int, limit: int
) -> list[SimulationView]:
    """Newest first."""
    if owner is None:
        rows = await fetch_all(pool, SELECT_ALL, (before_id, limit))
    else:
        rows = await fetch_all(pool, SELECT_OWN, (owner, before_id, limit))
    return [view_of(row) for row in rows]


async def simulation(
    pool: AsyncPool, owner: int | None, simulation_id: int
) -> SimulationView | None:
    """One simulation with its result."""
    row = await fetch_one(pool, SELECT_ONE, {"id": simulation_id, "owner": owner})
    return view_of(row) if row is not None else None


async def wish_of(pool: AsyncPool, owner: int | None, simulation_id: int) -> SimulationWish | None:
    """What was run, so that it can be run again."""
    row = await fetch_one(pool, SELECT_WISH, {"id": simulation_id, "owner": owner})
    return SimulationWish(*row) if row is not None else None


async def report(
    pool: AsyncPool, owner: int | None, simulation_id: int
) -> tuple[SimulationStatus, Report | None] | None:
    """The status and, where there is one, the report; None where there is no such simulation."""
    row = await fetch_one(pool, SELECT_REPORT, {"id": simulation_id, "owner": owner})
    if row is None:
        return None
    status, page, policy = row
    return SimulationStatus(status), Report(page, policy) if page is not None else None


async def stop(pool: AsyncPool, owner: int | None, simulation_id: int) -> SimulationStatus | None:
    """Wish its end: STOPPED at once while it waits, else STOPPING. Its status after that, which
    is that of before where it has ended; None where there is no such simulation."""
    asked = {"id": simulation_id, "owner": owner, "now": now_us()}
    async with unit_of_work(pool) as connection:
        row = await (await connection.execute(STOP, asked)).fetchone()
        if row is None:
            row = await (await connection.execute(SELECT_STATUS, asked)).fetchone()
    return SimulationStatus(row[0]) if row is not None else None


async def forget_one(
    pool: AsyncPool, owner: int | None, simulation_id: int
) -> tuple[SimulationStatus | None, bool]:
    """Remove an ended one with all it left: the status it has or had, None where there is no such
    simulation, and whether it is gone."""
    asked = {"id": simulation_id, "owner": owner}
    async with unit_of_work(pool) as connection:
        row = await (await connection.execute(SELECT_STATUS, asked)).fetchone()
        is_gone = await forget(connection, asked)
    return SimulationStatus(row[0]) if row is not None else None, is_gone


async def count_under_way(pool: AsyncPool) -> dict[SimulationStatus, int]:
    """How many there are in each status that is not the last."""
    rows = await fetch_all(pool, COUNT_BY_STATUS)
    return {SimulationStatus(status): int(count) for status, count in rows}


def view_of(row: Row) -> SimulationView:
    """A row of one of the SELECTs."""
    values = list(row)
    values[9] = SimulationStatus(values[9])
    values[22] = json.loads(values[22]) if values[22] is not None else None
    return SimulationView(*values)
