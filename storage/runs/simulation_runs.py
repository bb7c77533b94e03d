"""Simulations as those who run them see them: taken from the queue, noted, kept, ended.

A process that runs one takes its next `run_no`. Everything it writes asks for that
number, so whoever was superseded writes nothing.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from storage.errors import Superseded, wrapped
from storage.postgres.database import now_us
from storage.runs.simulation_turns import PLAN
from storage.runs.simulations import Report, SimulationStatus, SimulationWish

QUEUE_LOCK = 7_236_011
"""Advisory lock number: who counts the running ones and adds to them is alone."""

TRIES_MAX = 5
"""Processes that may be lost in a row without having kept a checkpoint."""

CHECKPOINT_EVERY_S = 30.0
CHECKPOINT_BYTES_MAX = 64 << 20
COMPRESSION_LEVEL = 1
JUST_ENDED_US = 3_600_000_000
JUST_ENDED_MAX = 100
OVERDUE_US = 60_000_000
"""So long after its time a process is ended that did not end itself."""

TOO_LONG = "It took longer than the %s s that it may take, and did not end its step in time"
GAVE_UP = f"Its process was lost {TRIES_MAX} times in a row: too little memory, or a fault of ours"

START_NEXT = f"""{PLAN}
UPDATE simulations SET status = 'RUNNING', started_at_us = %(now)s
WHERE id = (SELECT id FROM plan WHERE place = 1) AND status = 'QUEUED'
    AND %(most)s::int > (
        SELECT count(*) FROM simulations
        WHERE ended_at_us IS NULL AND status IN ('RUNNING', 'STOPPING'))
RETURNING id"""
RUNNING = """
SELECT id FROM simulations
WHERE ended_at_us IS NULL AND status IN ('RUNNING', 'STOPPING') ORDER BY id"""
JUST_ENDED = """
SELECT id FROM simulations WHERE ended_at_us > %s ORDER BY id DESC LIMIT %s"""
BEGIN = """
UPDATE simulations SET run_no = run_no + 1, tries = tries + 1,
    due_at_us = %(now)s + wall_s_max * 1000000::bigint - coalesce(1000 * (
        SELECT wall_ms FROM simulation_checkpoints WHERE simulation_id = simulations.id), 0)
WHERE id = %(id)s AND ended_at_us IS NULL AND status IN ('RUNNING', 'STOPPING')
RETURNING run_no, tries, memory_mb_max, wall_s_max, name, scenario, seed,
    duration_s, history"""
FAIL_OVERDUE = """
UPDATE simulations SET status = 'FAILED', ended_at_us = %(now)s,
    error = format(%(error)s, wall_s_max)
WHERE ended_at_us IS NULL AND status IN ('RUNNING', 'STOPPING') AND due_at_us < %(late)s
RETURNING id"""
CHECKPOINT = "SELECT wall_ms, state FROM simulation_checkpoints WHERE simulation_id = %s"
NOTE = """
UPDATE simulations SET step = greatest(step, %(step)s), orders = greatest(orders, %(orders)s),
    fills = greatest(fills, %(fills)s), steps_per_second = %(steps_per_second)s,
    orders_per_second = %(orders_per_second)s, fills_per_second = %(fills_per_second)s
WHERE id = %(id)s AND run_no = %(run_no)s AND ended_at_us IS NULL RETURNING status"""
OUTLIVED = """
UPDATE simulations SET tries = 0
WHERE id = %s AND run_no = %s AND ended_at_us IS NULL RETURNING 1"""
KEEP = """
INSERT INTO simulation_checkpoints (simulation_id, step, wall_ms, state) VALUES (%s, %s, %s, %b)
ON CONFLICT (simulation_id) DO UPDATE
SET step = excluded.step, wall_ms = excluded.wall_ms, state = excluded.state"""
END = """
UPDATE simulations SET status = %(status)s, step = %(step)s, orders = %(orders)s, fills = %(fills)s,
    steps_per_second = 0, orders_per_second = 0, fills_per_second = 0, error = %(error)s,
    state_hash = %(state_hash)s, summary = %(summary)s, ended_at_us = %(now)s
WHERE id = %(id)s AND run_no = %(run_no)s AND ended_at_us IS NULL RETURNING 1"""
FAIL = """
UPDATE simulations SET status = 'FAILED', error = %s, ended_at_us = %s
WHERE id = %s AND run_no = %s AND ended_at_us IS NULL RETURNING 1"""
INSERT_REPORT = "INSERT INTO simulation_reports (simulation_id, page, policy) VALUES (%s, %s, %s)"
FORGET_CHECKPOINT = "DELETE FROM simulation_checkpoints WHERE simulation_id = %s"

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Run:
    """One process's turn at a simulation: the fence of all it writes."""

    simulation_id: int
    run_no: int


@dataclass(frozen=True)
class Begun:
    """What a process needs to run a simulation; `checkpoint` None: from the start.

    wall_ms   how long processes before this one worked up to the checkpoint
    """

    run: Run
    wish: SimulationWish
    memory_mb_max: int | None
    wall_ms_max: int | None
    checkpoint: bytes | None
    wall_ms: int


@dataclass(frozen=True)
class Progress:
    """Totals, and rates of late."""

    step: int
    orders: int
    fills: int
    steps_per_second: int = 0
    orders_per_second: int = 0
    fills_per_second: int = 0


@dataclass(frozen=True)
class Ending:
    """What a simulation leaves: FINISHED, or STOPPED before its last step; error: why, where
    nobody wished for it."""

    status: SimulationStatus
    progress: Progress
    state_hash: str
    summary: Mapping[str, Any]
    report: Report | None
    error: str | None = None


def start_next(connection: Connection, running_max: int) -> list[int]:
    """Take from the queue what there is room for, in order; the ids of all that should run."""
    with wrapped(), connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (QUEUE_LOCK,))
        for _ in range(running_max):
            asked = {"most": running_max, "now": now_us()}
            if connection.execute(START_NEXT, asked).fetchone() is None:
                break
        return [row[0] for row in connection.execute(RUNNING)]


def fail_overdue(connection: Connection) -> list[int]:
    """End what should have ended itself long ago, in the middle of a step, say; the ids."""
    now = now_us()
    values = {"error": TOO_LONG, "now": now, "late": now - OVERDUE_US}
    with wrapped():
        return [row[0] for row in connection.execute(FAIL_OVERDUE, values)]


def just_ended(connection: Connection) -> list[int]:
    """Simulations that ended within the hour: somebody may still have their processes."""
    with wrapped():
        rows = connection.execute(JUST_ENDED, (now_us() - JUST_ENDED_US, JUST_ENDED_MAX))
        return [row[0] for row in rows]


def begin_run(connection: Connection, simulation_id: int) -> Begun | None:
    """Supersede whoever ran it; None where it is not to be run (any more).

    A simulation whose processes were lost too often has failed.
    """
    with wrapped(), connection.transaction():
        asked = {"id": simulation_id, "now": now_us()}
        row = connection.execute(BEGIN, asked).fetchone()
        if row is None:
            return None
        run_no, tries, memory_mb_max, wall_s_max, *wish = row
        run = Run(simulation_id, run_no)
        if tries > TRIES_MAX:
            _fail(connection, run, GAVE_UP)
            return None
        kept = connection.execute(CHECKPOINT, (simulation_id,), binary=True).fetchone()
    wall_ms, state = kept or (0, None)
    wall_ms_max = wall_s_max * 1_000 if wall_s_max is not None else None
    checkpoint = _unpacked(state)
    return Begun(run, SimulationWish(*wish), memory_mb_max, wall_ms_max, checkpoint, wall_ms)


def _unpacked(state: bytes | None) -> bytes | None:
    """What `keep_checkpoint` was given; as it lies there where it is damaged, for whoever opens
    a checkpoint looks at its seal."""
    try:
        return zlib.decompress(state) if state is not None else None
    except zlib.error:
        return state


def note_progress(connection: Connection, run: Run, progress: Progress) -> bool:
    """Write how far it is; whether somebody wants it to stop. Raises Superseded."""
    values = {"id": run.simulation_id, "run_no": run.run_no, **vars(progress)}
    with wrapped():
        row = connection.execute(NOTE, values).fetchone()
    _check(row, run)
    return row is not None and row[0] == SimulationStatus.STOPPING


def keep_checkpoint(
    connection: Connection, run: Run, step: int, wall_ms: int, state: bytes
) -> bool:
    """Where the next process goes on; False for a state too large to keep. Raises Superseded."""
    packed = zlib.compress(state, COMPRESSION_LEVEL)
    if len(packed) > CHECKPOINT_BYTES_MAX:
        return False
    with wrapped(), connection.transaction():
        _check(connection.execute(OUTLIVED, (run.simulation_id, run.run_no)).fetchone(), run)
        connection.execute(KEEP, (run.simulation_id, step, wall_ms, packed))
    return True


def end_run(connection: Connection, run: Run, ending: Ending) -> None:
    """The last word on a simulation, with its report. Raises Superseded."""
    progress = ending.progress
    values = {
        "id": run.simulation_id,
        "run_no": run.run_no,
        "status": ending.status,
        "step": progress.step,
        "orders": progress.orders,
        "fills": progress.fills,
        "state_hash": ending.state_hash,
        "summary": json.dumps(ending.summary),
        "error": ending.error,
        "now": now_us(),
    }
    with wrapped(), connection.transaction():
        _check(connection.execute(END, values).fetchone(), run)
        if ending.report is not None:
            report = (run.simulation_id, ending.report.page, ending.report.policy)
            connection.execute(INSERT_REPORT, report)
        connection.execute(FORGET_CHECKPOINT, (run.simulation_id,))


def fail_run(connection: Connection, run: Run, sentence: str) -> None:
    """It cannot be run. Raises Superseded."""
    with wrapped(), connection.transaction():
        _fail(connection, run, sentence)


def _fail(connection: Connection, run: Run, sentence: str) -> None:
    values = (sentence, now_us(), run.simulation_id, run.run_no)
    _check(connection.execute(FAIL, values).fetchone(), run)
    connection.execute(FORGET_CHECKPOINT, (run.simulation_id,))


def _check(row: object | None, run: Run) -> None:
    if row is None:
        raise Superseded(f"simulation {run.simulation_id} is no longer that of run {run.run_no}")
