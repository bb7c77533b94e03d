"""A simulation asked for by REST: one process runs one, and tells PostgreSQL how far it is."""

import math
import os
import time

import structlog

from actors.loop import Loop
from actors.simulate.asked_runs import AskedRun, CannotRun, asked_run
from sim.book.engine import warm_up
from sim.scenario.fields import ScenarioError
from sim.scenario.scenario import Scenario
from sim.stepping.rehearsal import rehearse
from storage.errors import DatabaseUnavailable, Superseded, patiently
from storage.postgres.database import Link
from storage.process_limits import limited_memory
from storage.runs.simulation_runs import (
    CHECKPOINT_EVERY_S,
    Begun,
    Ending,
    Progress,
    begin_run,
    end_run,
    fail_run,
    keep_checkpoint,
    note_progress,
)
from storage.runs.simulations import SimulationStatus
from storage.runs.stored_backtest import StoredBacktest, is_backtest, read_backtest
from storage.runs.stored_scenario import scenario_of

NOTE_EVERY_S = 1.0
CHECKPOINT_SHARE_MAX = 0.05
"""Of the time; the larger the state, the longer until it is kept again."""

STEP_S_MAX = 600.0
"""Without a step, a start or a report done, after which it is taken for one that hangs."""

STOP_WAIT_S = 3.0
NICENESS = 10
"""The live exchange on the same machine goes first."""

TOO_LATE = "It was stopped after the {} s that it may take: the result is that of its steps so far"

log = structlog.get_logger()


class SimulationRunner:
    """Runs simulation `simulation_id` to its end, from where the process before it has come.

    checkpoint_s   how often it is kept where it stands, at the most
    """

    def __init__(
        self,
        database_url: str,
        simulation_id: int,
        checkpoint_s: float = CHECKPOINT_EVERY_S,
        run: bool = False,
    ) -> None:
        self._link = Link(database_url, f"simulation-{simulation_id}")
        self._simulation_id, self._checkpoint_s = simulation_id, checkpoint_s
        self._turn: Turn | None = None
        name = f"simulation {simulation_id}"
        self._loop = Loop(name, self._run_as_a_guest, silent_s_max=STEP_S_MAX)
        if run:
            self.start()

    def start(self) -> None:
        """Run in a thread. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Keep where it stands, for a later process to go on from there."""
        self._loop.stop(STOP_WAIT_S)

    def health(self) -> dict[str, int]:
        """Steps taken."""
        return {"step": self._turn.step if self._turn is not None else 0}

    def _run_as_a_guest(self) -> None:
        os.nice(NICENESS)  # of this thread
        self.run()

    def run(self) -> None:
        """To the end, or until `stop`. Raises Superseded where another process runs it."""
        try:
            self._take_turn()
        finally:
            self._link.close()

    def _take_turn(self) -> None:
        begun = patiently(lambda: begin_run(self._link(), self._simulation_id))
        if begun is None:
            return
        log.info("simulation_begins", simulation=self._simulation_id, run_no=begun.run.run_no)
        try:
            ending = self._ending_of(begun)
        except CannotRun as error:
            sentence = str(error)
            log.warning("simulation_fails", simulation=self._simulation_id, error=sentence)
            patiently(lambda: fail_run(self._link(), begun.run, sentence))
            return
        if ending is not None:
            patiently(lambda: end_run(self._link(), begun.run, ending))
            log.info("simulation_ends", simulation=self._simulation_id, status=ending.status)

    def _ending_of(self, begun: Begun) -> Ending | None:
        """What it leaves; None where this process stops. Raises CannotRun.

        What goes wrong would go wrong in every process: it is deterministic. Only the database
        and a newer process are not.
        """
        try:
            asked = prepared(begun)
            with limited_memory(begun.memory_mb_max):
                run = asked_run(begun, asked)
                self._turn = Turn(begun, run, self._link, self._checkpoint_s)
                return self._turn.take(self._loop)
        except (CannotRun, DatabaseUnavailable, Superseded):
            raise
        except MemoryError:
            raise CannotRun(
                f"It needs more memory than the {begun.memory_mb_max} MB that it may have"
            ) from None
        except Exception as error:
            log.exception("simulation_breaks", simulation=self._simulation_id)
            step = self._turn.step if self._turn is not None else 0
            broken = "a rule of the simulation broke" if isinstance(error, AssertionError) else ""
            raise CannotRun(
                f"It cannot go on from step {step}: {broken or type(error).__name__}: {error}"
            ) from None


class Turn:
    """What one process does of a simulation."""

    def __init__(self, begun: Begun, run: AskedRun, link: Link, checkpoint_s: float) -> None:
        self._begun, self._run = begun, run
        self._link, self._checkpoint_s = link, checkpoint_s
        self._began = time.monotonic()
        self._noted_at, self._noted = -NOTE_EVERY_S, self._progress()
        self._keep_at = self._began + checkpoint_s
        self._is_unwanted = self._is_overdue = False

    @property
    def step(self) -> int:
        """Steps taken, by this process and those before it."""
        return self._run.step_no

    def take(self, loop: Loop) -> Ending | None:
        """Step to the end, to the end of its time or until somebody wants it stopped; None where
        this process stops."""
        self._run.run(lambda: self._look(loop) or loop.stopping.is_set())
        if loop.stopping.is_set() and not self._has_its_end:
            self._keep()
            return None
        return self._ending()

    @property
    def _has_its_end(self) -> bool:
        return self._is_unwanted or self._is_overdue or self._run.done

    def _look(self, loop: Loop) -> bool:
        """Asked every step: note how far it is, keep it; whether to stop."""
        loop.beat()
        now = time.monotonic()
        most_ms = self._begun.wall_ms_max
        self._is_overdue = most_ms is not None and self._wall_ms() >= most_ms
        if now - self._noted_at >= NOTE_EVERY_S:
            self._note(now)
        if now >= self._keep_at:
            self._keep()
        return self._is_unwanted or self._is_overdue

    def _note(self, now: float) -> None:
        passed, before = now - self._noted_at, self._noted
        noted = self._progress()
        noted = Progress(
            noted.step,
            noted.orders,
            noted.fills,
            round((noted.step - before.step) / passed),
            round((noted.orders - before.orders) / passed),
            round((noted.fills - before.fills) / passed),
        )
        self._noted_at, self._noted = now, noted
        try:
            self._is_unwanted = note_progress(self._link(), self._begun.run, noted)
        except DatabaseUnavailable as error:
            log.warning("simulation_not_noted", error=str(error))

    def _keep(self) -> None:
        """A checkpoint. Without one the next process begins at the start, and comes to the same."""
        began, kept = time.monotonic(), True
        try:
            state, run = self._run.checkpoint(), self._begun.run
            if state is not None:
                kept = keep_checkpoint(self._link(), run, self.step, self._wall_ms(), state)
        except DatabaseUnavailable as error:
            log.warning("simulation_not_kept", error=str(error))
        now = time.monotonic()
        self._keep_at = now + max(self._checkpoint_s, (now - began) / CHECKPOINT_SHARE_MAX)
        if not kept:  # nor will it be smaller later
            log.warning("simulation_too_large_to_keep", step=self.step)
            self._keep_at = math.inf

    def _ending(self) -> Ending:
        left = self._run.left(self._wall_ms() / 1_000)
        status = SimulationStatus.FINISHED if self._run.done else SimulationStatus.STOPPED
        late = self._is_overdue and not self._is_unwanted and not self._run.done
        error = TOO_LATE.format((self._begun.wall_ms_max or 0) // 1_000) if late else None
        return Ending(status, self._progress(), left.state_hash, left.summary, left.report, error)

    def _progress(self) -> Progress:
        return Progress(self._run.step_no, self._run.orders, self._run.fills)

    def _wall_ms(self) -> int:
        return self._begun.wall_ms + round((time.monotonic() - self._began) * 1_000)


def prepared(begun: Begun) -> Scenario | StoredBacktest:
    """What is to be run, its kernels compiled. Raises CannotRun.

    Compiling takes half a minute and hundreds of megabytes after an installation, and its library
    ends the process that has no room for it: neither is the simulation's to pay for.
    """
    wish = begun.wish
    try:
        if is_backtest(wish.scenario):
            return read_backtest(wish.scenario, wish.seed, wish.history)
        warm_up()
        scenario = scenario_of(wish)
        rehearse(scenario)
    except ScenarioError as error:
        raise CannotRun(str(error)) from error
    return scenario
