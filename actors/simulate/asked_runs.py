"""What a simulation asked for by REST runs: the world of a scenario, or a droid on a pool's log, or
a grid of droids."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from actors.simulate.backtest_results import with_result
from actors.simulate.droid_grid import grid_summary, tried_until
from actors.simulate.droid_results import droid_summary
from actors.simulate.hosts import peak_memory_bytes
from actors.simulate.results import summary_of
from actors.simulate.run_origin import origin_of
from sim.backtest.result import Result
from sim.backtest.run import Backtest
from sim.facts.of_run import run_facts
from sim.joint.opening import world_of
from sim.report.html import CONTENT_SECURITY_POLICY
from sim.report.page_of_backtest import backtest_report
from sim.report.page_of_run import html_report
from sim.scenario.fields import ScenarioError
from sim.scenario.scenario import Scenario
from sim.stepping.checkpoint import StateUnreadable
from sim.stepping.world import SimulatedWorld, Timing
from storage.files.scenario_file import scenario_prices
from storage.runs.simulation_runs import Begun
from storage.runs.simulations import Report
from storage.runs.stored_backtest import StoredBacktest
from storage.runs.stored_scenario import paths_of

ASKED_BY = "a request to the exchange"

log = structlog.get_logger()


class CannotRun(Exception):
    """It would come to the same end every time. The message is one sentence."""


@dataclass(frozen=True)
class Left:
    """What a run leaves. report   None where it took no step, or none could be made"""

    state_hash: str
    summary: Mapping[str, Any]
    report: Report | None


class AskedRun(Protocol):
    """Of either kind, as its turn drives it; `orders` and `fills` are totals so far."""

    @property
    def step_no(self) -> int: ...

    @property
    def orders(self) -> int: ...

    @property
    def fills(self) -> int: ...

    @property
    def done(self) -> bool: ...

    def run(self, called: Callable[[], bool]) -> None:
        """To the end; sooner where `called`, asked a step, says so."""

    def checkpoint(self) -> bytes | None:
        """Where another process goes on; None where it begins anew, and comes to the same."""

    def left(self, wall_s: float) -> Left:
        """After `run`, of the steps that it took."""


class ScenarioRun:
    """The world where its last process has left it, or at its start. Raises CannotRun."""

    def __init__(self, begun: Begun, scenario: Scenario) -> None:
        self._world = open_world(begun, scenario)

    @property
    def step_no(self) -> int:
        return self._world.step_no

    @property
    def orders(self) -> int:
        return self._world.orders

    @property
    def fills(self) -> int:
        return self._world.fills

    @property
    def done(self) -> bool:
        return self._world.done

    def run(self, called: Callable[[], bool]) -> None:
        self._world.run(None, called)

    def checkpoint(self) -> bytes:
        return self._world.checkpoint()

    def left(self, wall_s: float) -> Left:
        origin = origin_of(ASKED_BY)
        timing = Timing(wall_s, "one process", peak_memory_bytes(), origin=origin)
        record = self._world.record(timing)
        facts = run_facts(record)
        report = report_of(record.steps, lambda: html_report(record, facts=facts))
        summary = with_result(summary_of(record, facts), record)
        return Left(record.state_hash, summary, report)


class DroidRun:
    """A backtest, whose steps are blocks. A pool has no orders."""

    orders = fills = 0

    def __init__(self, asked: StoredBacktest) -> None:
        self._backtest = Backtest(asked.log, asked.setting)
        self._blocks = asked.log.blocks
        self._result: Result | None = None
        self.step_no = 0

    @property
    def done(self) -> bool:
        return self.step_no == self._blocks

    def run(self, called: Callable[[], bool]) -> None:
        def look(blocks: int) -> bool:
            self.step_no = blocks
            return called()

        self._result = self._backtest.run(look)
        self.step_no = self._result.blocks

    def checkpoint(self) -> None:
        return None

    def left(self, wall_s: float) -> Left:
        result, origin = self._result, origin_of(ASKED_BY)
        assert result is not None
        summary = droid_summary(result, origin, wall_s)
        page = report_of(result.blocks, lambda: backtest_report(result, origin, wall_s))
        return Left(summary["state_hash"], summary, page)


class GridRun:
    """Every combination of a grid, one after the other: a simulation is one process, so that
    nobody's takes the processors of others'. The blocks of all are its steps."""

    orders = fills = 0

    def __init__(self, begun: Begun, asked: StoredBacktest) -> None:
        self._log, self._tried = asked.log, asked.tried
        self._found = found_in(begun.checkpoint)[: len(asked.tried)]
        self._kept = len(self._found)
        self.step_no = self._kept * self._log.blocks

    @property
    def done(self) -> bool:
        return len(self._found) == len(self._tried)

    def run(self, called: Callable[[], bool]) -> None:
        for one in self._tried[len(self._found) :]:
            before = len(self._found) * self._log.blocks

            def look(blocks: int, before: int = before) -> bool:
                self.step_no = before + blocks
                return called()

            figures = tried_until(self._log, one.setting, look)
            if figures is None:
                return
            self._found.append(figures)
            self.step_no = len(self._found) * self._log.blocks

    def checkpoint(self) -> bytes | None:
        """The combinations that are done. None where there are no more than were kept: a process
        that has come no further has outlived nothing."""
        if len(self._found) == self._kept:
            return None
        self._kept = len(self._found)
        return json.dumps(self._found).encode()

    def left(self, wall_s: float) -> Left:
        origin = origin_of(ASKED_BY)
        summary = grid_summary(self._log, self._tried, self._found, origin, wall_s)
        return Left(summary["state_hash"], summary, None)


def found_in(checkpoint: bytes | None) -> list[dict[str, Any]]:
    """Figures of combinations, as they were kept; none where that is damaged."""
    try:
        return list(json.loads(checkpoint)) if checkpoint is not None else []
    except ValueError as error:
        log.warning("simulation_starts_anew", error=str(error))
        return []


def asked_run(begun: Begun, asked: Scenario | StoredBacktest) -> AskedRun:
    """What is to be run, opened. Raises CannotRun."""
    if not isinstance(asked, StoredBacktest):
        return ScenarioRun(begun, asked)
    return GridRun(begun, asked) if asked.is_grid else DroidRun(asked)


def open_world(begun: Begun, scenario: Scenario) -> SimulatedWorld:
    """The world where its last process has left it, or at its start. Raises CannotRun."""
    try:
        paths = paths_of(begun.wish)
        world = world_of(scenario, scenario_prices(scenario, paths))
        if begun.checkpoint is None:
            return world
        try:
            world.resume(begun.checkpoint)
            return world
        except StateUnreadable as error:  # of an older version, say
            log.warning("simulation_starts_anew", error=str(error))
            return world_of(scenario, scenario_prices(scenario, paths))
    except ScenarioError as error:
        raise CannotRun(str(error)) from error


def report_of(steps: int, page: Callable[[], str]) -> Report | None:
    """The report; a run without one is still a run."""
    if not steps:
        return None
    try:
        return Report(page(), CONTENT_SECURITY_POLICY)
    except Exception:
        log.exception("simulation_without_report", steps=steps)
        return None
