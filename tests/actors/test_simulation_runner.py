"""Simulations asked for by REST: run, stopped, lost and found again, in order."""

import resource
import subprocess
import sys
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from actors.cluster.remote import Wanted
from actors.live.supervisor import Absence, Supervisor, Vitals
from actors.simulate import runner as simulation_runner
from actors.simulate.queue import SimulationQueue
from actors.simulate.runner import SimulationRunner
from sim.scenario.scenario import Scenario
from sim.stepping.rehearsal import rehearse
from sim.stepping.world import SimulatedWorld
from storage.errors import Superseded
from storage.files.scenario_file import scenario_prices
from storage.postgres.database import connect
from storage.runs.simulation_runs import TRIES_MAX, begin_run, start_next
from storage.runs.simulations import SimulationStatus, report
from storage.runs.stored_scenario import read_scenario
from tests.simulations import (
    SECONDS_OF_A_LONG_ONE,
    SMALL,
    Most,
    hash_of,
    queue,
    stop,
    view,
    with_pool,
)
from tests.waiting import PROGRAM_S_MAX, eventually

AT_ONCE = 0.0


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, "test") as connection:
        yield connection


@contextmanager
def started(database_url: str, simulation_id: int) -> Iterator[SimulationRunner]:
    runner = SimulationRunner(database_url, simulation_id, AT_ONCE, run=True)
    yield runner
    runner.stop()


def test_a_simulation_comes_to_the_hash_of_its_scenario(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url)
    assert start_next(database, 1) == [number]
    SimulationRunner(database_url, number).run()
    ended = view(database_url, number)
    assert (ended.status, ended.state_hash) == (SimulationStatus.FINISHED, hash_of())
    assert (ended.step, ended.steps) == (80, 80)
    assert ended.summary is not None
    assert ended.summary["state_hash"] == ended.state_hash
    assert ended.summary["orders"] == ended.orders > ended.fills > 0
    page = with_pool(database_url, lambda pool: report(pool, None, number))
    assert page is not None
    assert page[1] is not None
    assert ended.state_hash is not None
    assert ended.state_hash in page[1].page
    assert f'content="{page[1].policy}"' in page[1].page


def test_one_that_is_stopped_before_its_first_step_has_a_result_and_no_report(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url)
    start_next(database, 1)
    stop(database_url, number)
    SimulationRunner(database_url, number).run()
    ended = view(database_url, number)
    assert (ended.status, ended.step) == (SimulationStatus.STOPPED, 0)
    assert ended.summary is not None
    assert with_pool(database_url, lambda pool: report(pool, None, number)) == ("STOPPED", None)


def test_it_says_how_far_it_is_and_stops_when_it_is_told(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url, duration_s=SECONDS_OF_A_LONG_ONE)
    start_next(database, 1)
    with started(database_url, number):
        eventually(lambda: view(database_url, number).steps_per_second)
        stop(database_url, number)
        eventually(lambda: view(database_url, number).status == SimulationStatus.STOPPED)
    ended = view(database_url, number)
    assert 0 < ended.step < ended.steps
    assert ended.summary is not None
    assert ended.summary["steps"] == ended.step
    assert not exists(database, "simulation_checkpoints", number)


def exists(database: psycopg.Connection[Any], table: str, number: int) -> bool:
    found = database.execute(f"SELECT 1 FROM {table} WHERE simulation_id = %s", (number,))
    return found.fetchone() is not None


def test_a_process_that_was_superseded_ends_and_leaves_the_simulation_alone(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url, duration_s=SECONDS_OF_A_LONG_ONE)
    start_next(database, 1)
    with ThreadPoolExecutor(1) as threads:
        zombie = threads.submit(SimulationRunner(database_url, number, AT_ONCE).run)
        eventually(lambda: exists(database, "simulation_checkpoints", number))
        newest = begin_run(database, number)
        with pytest.raises(Superseded):
            zombie.result(PROGRAM_S_MAX)
    assert newest is not None
    assert newest.run.run_no == 2
    assert view(database_url, number).status == SimulationStatus.RUNNING


def test_a_process_that_is_asked_to_end_leaves_its_place_to_the_next(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url, duration_s=120)
    start_next(database, 1)
    with started(database_url, number) as first:
        eventually(lambda: first.health()["step"] > 5)
    assert view(database_url, number).status == SimulationStatus.RUNNING
    row = database.execute("SELECT step FROM simulation_checkpoints").fetchone()
    assert row is not None
    assert row[0] == first.health()["step"]
    SimulationRunner(database_url, number).run()
    assert view(database_url, number).state_hash == hash_of(duration_s=120)


def flipped_within() -> bytes:
    """A checkpoint with a bit of its state flipped, and packed as one that is whole."""
    world = SimulatedWorld(scenario := read_scenario(SMALL), scenario_prices(scenario))
    world.run(5)
    data = bytearray(world.checkpoint())
    data[-100] ^= 4
    return zlib.compress(bytes(data))


@pytest.mark.parametrize(
    "kept", [bytes.fromhex("789c030000000001"), bytes.fromhex("789c03000000ff01"), b"", "flipped"]
)
def test_a_damaged_checkpoint_costs_time_only(
    database_url: str, database: psycopg.Connection[Any], kept: bytes | str
) -> None:
    number = queue(database_url)
    start_next(database, 1)
    state = flipped_within() if kept == "flipped" else kept
    insert = "INSERT INTO simulation_checkpoints VALUES (%s, 7, 0, %s)"
    database.execute(insert, (number, state))
    SimulationRunner(database_url, number).run()
    assert view(database_url, number).state_hash == hash_of()


def test_a_simulation_whose_processes_are_lost_again_and_again_has_failed(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url)
    start_next(database, 1)
    database.execute("UPDATE simulations SET tries = %s", (TRIES_MAX,))
    SimulationRunner(database_url, number).run()
    failed = view(database_url, number)
    assert failed.status == SimulationStatus.FAILED
    assert failed.error is not None
    assert "lost 5 times" in failed.error
    assert start_next(database, 1) == []


def test_a_simulation_that_takes_too_much_memory_has_failed(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url, most=Most(memory_mb=1))
    start_next(database, 1)
    SimulationRunner(database_url, number).run()
    failed = view(database_url, number)
    assert (failed.status, failed.state_hash) == (SimulationStatus.FAILED, None)
    assert failed.error == "It needs more memory than the 1 MB that it may have"


LARGE = SMALL.replace("heads = 300", "heads = 1000000").replace("20000}", "1000000}")
RUN = """
import sys
import re
from pathlib import Path
from actors.simulate.runner import SimulationRunner

SimulationRunner(sys.argv[1], int(sys.argv[2])).run()
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def test_the_limit_of_memory_holds_in_the_middle_of_a_step(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    rehearse(read_scenario(LARGE, None, None))  # compiling would be the peak
    number = queue(database_url, most=Most(memory_mb=400), text=LARGE)
    start_next(database, 1)
    asked = [sys.executable, "-c", RUN, database_url, str(number)]
    ended = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=PROGRAM_S_MAX)
    failed = view(database_url, number)
    assert failed.error == "It needs more memory than the 400 MB that it may have"
    assert (failed.status, failed.step) == (SimulationStatus.FAILED, 0)
    assert int(ended.stdout.split()[-1]) < 450 * 1024  # the process alone, not what forked it


def test_compiling_its_kernels_is_not_the_simulations_memory(
    database_url: str, database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = [resource.getrlimit(resource.RLIMIT_DATA)]

    def compiled(scenario: Scenario) -> None:
        limits.append(resource.getrlimit(resource.RLIMIT_DATA))
        rehearse(scenario)

    monkeypatch.setattr(simulation_runner, "rehearse", compiled)
    # above what this process has, which in a new clone has compiled kernels for all tests before
    number = queue(database_url, most=Most(memory_mb=16_000))
    start_next(database, 1)
    SimulationRunner(database_url, number).run()
    assert view(database_url, number).status == SimulationStatus.FINISHED
    assert limits == limits[:1] * 2


def test_one_that_has_used_its_time_is_stopped_and_keeps_what_it_has(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url, duration_s=SECONDS_OF_A_LONG_ONE, most=Most(wall_s=1))
    start_next(database, 1)
    SimulationRunner(database_url, number).run()
    ended = view(database_url, number)
    assert (ended.status, ended.state_hash is not None) == (SimulationStatus.STOPPED, True)
    assert ended.error is not None
    assert "after the 1 s that it may take" in ended.error
    assert 0 < ended.step < ended.steps
    assert ended.summary is not None


def test_what_goes_wrong_every_time_is_told_the_first_time(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url)
    start_next(database, 1)
    database.execute("UPDATE simulations SET scenario = replace(scenario, '66000', '0.01')")
    SimulationRunner(database_url, number).run()
    failed = view(database_url, number)
    assert failed.status == SimulationStatus.FAILED
    assert failed.error is not None
    assert "lost" not in failed.error


class Threads:
    """A cluster whose actors are threads of this process."""

    def __init__(self) -> None:
        self.actors: dict[str, SimulationRunner] = {}

    def ensure(self, wanted: Wanted) -> None:
        if wanted.name not in self.actors:
            self.actors[wanted.name] = SimulationRunner(**wanted.arguments, run=True)

    def look(self, names: Sequence[str]) -> dict[str, Vitals | Absence]:
        return {
            name: Vitals(self.actors[name].health()) if name in self.actors else Absence.GONE
            for name in names
        }

    def kill(self, name: str) -> None:
        self.end([name])

    def stop(self, names: Sequence[str]) -> None:
        self.end(names)

    def end(self, names: Sequence[str]) -> None:
        for name in names:
            if name in self.actors:
                self.actors.pop(name).stop()


def test_simulations_run_in_order_and_no_more_than_allowed(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    numbers = [queue(database_url) for _ in range(3)]
    assert [view(database_url, number).ahead for number in numbers] == [0, 1, 2]
    threads = Threads()
    supervisor = Supervisor([], threads, SimulationQueue(database_url, 1))
    most = 0

    def all_ended() -> bool:
        nonlocal most
        supervisor.reconcile()
        most = max(most, len(threads.actors))
        return all(view(database_url, number).ended_at_us for number in numbers)

    eventually(all_ended, 20)
    supervisor.reconcile()
    supervisor.stop()
    assert (most, threads.actors) == (1, {})
    ended = [view(database_url, number) for number in numbers]
    assert {one.state_hash for one in ended} == {hash_of()}
    assert sorted(one.started_at_us or 0 for one in ended) == [one.started_at_us for one in ended]


def test_a_new_supervisor_ends_what_the_one_before_has_left_and_goes_on_with_the_rest(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    ended, running = queue(database_url), queue(database_url, duration_s=SECONDS_OF_A_LONG_ONE)
    start_next(database, 2)
    threads = Threads()
    first = SimulationQueue(database_url, 2)
    first.reconcile(threads)
    eventually(lambda: view(database_url, ended).ended_at_us)
    assert len(threads.actors) == 2
    first.close()
    second = Supervisor([], threads, SimulationQueue(database_url, 2))
    second.reconcile()
    assert list(threads.actors) == [f"simulation:{running}"]
    second.stop()
    assert threads.actors == {}
    assert view(database_url, running).status == SimulationStatus.RUNNING
