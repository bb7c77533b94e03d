"""Scenario texts are read apart: what they cost, the API does not pay."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from api.desk import scenario_reader
from api.desk.scenario_reader import READINGS, ScenarioRead, ScenarioReader, read
from sim.refusals import Refusal, Refused
from sim.scenario.fields import ScenarioError
from tests.simulations import SMALL
from tests.waiting import within

ROOT = Path(__file__).parents[2]
CROWD, ALONE = "192.0.2.66", "192.0.2.7"
DEADLY = "deadly"
DOTTED = "\n".join(f"a{n}." + ".".join("b" * 60) + " = 1" for n in range(450))


@pytest.fixture
async def reader() -> AsyncIterator[ScenarioReader]:
    reader = ScenarioReader()
    yield reader
    reader.close()


def read_by(
    text: str, seed: int | None, duration_s: int | None, swaps: bytes | None
) -> ScenarioRead:
    """Says which process reads it."""
    raise ScenarioError(f"{os.getpid()} reads {text}")


async def test_what_reading_costs_is_not_this_process_s(
    reader: ScenarioReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenario_reader, "read", read_by)
    with pytest.raises(ScenarioError) as caught:
        await reader.read(ALONE, SMALL, None, None)
    reader_pid, _, said = str(caught.value).partition(" ")
    assert said == f"reads {SMALL}"
    assert int(reader_pid) != os.getpid()


async def test_a_text_that_takes_long_to_read_is_refused_as_any_other(
    reader: ScenarioReader,
) -> None:
    with pytest.raises(ScenarioError):
        await reader.read(ALONE, DOTTED, None, None)


async def test_a_reader_that_was_lost_is_replaced_and_nobody_is_blamed(
    reader: ScenarioReader,
) -> None:
    others = set(multiprocessing.active_children())  # of tests before, on their way out
    found = await reader.read(ALONE, SMALL, 7, 4)
    assert (found.wish.seed, found.steps, found.traders, found.markets) == (7, 40, 302, 1)
    (child,) = set(multiprocessing.active_children()) - others
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    assert await reader.read(ALONE, SMALL, 7, 4) == found


OWNER = """
import asyncio, multiprocessing, sys
from api.desk.scenario_reader import ScenarioReader

async def own() -> None:
    await ScenarioReader().read("address", sys.argv[1], None, None)
    print(multiprocessing.active_children()[0].pid, flush=True)
    await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(own())
"""


def test_the_process_does_not_outlive_one_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(OWNER)
    asked = [sys.executable, str(script), SMALL]
    told = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True, env=told) as owner:
        assert owner.stdout is not None
        child = psutil.Process(int(within(owner.stdout.readline)))
        assert child.is_running()
        owner.kill()
    assert psutil.wait_procs([child], timeout=10)[1] == []


def read_unless_deadly(
    text: str, seed: int | None, duration_s: int | None, swaps: bytes | None
) -> ScenarioRead:
    """In the reader's process."""
    if text == DEADLY:
        os._exit(1)
    return read(text, seed, duration_s)


async def test_who_waits_behind_a_text_that_breaks_the_process_is_read(
    reader: ScenarioReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenario_reader, "read", read_unless_deadly)
    asked = [reader.read(CROWD, DEADLY, None, None)]
    asked += [reader.read(ALONE, SMALL, None, None) for _ in range(2)]
    deadly, *innocent = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(deadly, ScenarioError)
    assert "takes more than 2 s or 512 MB" in str(deadly)
    assert all(isinstance(answer, ScenarioRead) for answer in innocent)


async def test_a_text_passes_seventeen_of_another_address_whose_surplus_is_refused(
    reader: ScenarioReader,
) -> None:
    flood = [asyncio.create_task(reader.read(CROWD, SMALL, None, None)) for _ in range(17)]
    await asyncio.sleep(0)
    assert (await reader.read(ALONE, SMALL, 7, 4)).steps == 40
    waiting = [task for task in flood if not task.done()]
    answers = await asyncio.gather(*flood, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    most = READINGS.waiting_of_address_max
    assert [one.refusal for one in refused] == [Refusal.UNAVAILABLE] * (16 - most)
    assert len(waiting) >= most - 1
