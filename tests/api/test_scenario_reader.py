"""Scenario texts are read apart: what they cost, the API does not pay."""

import asyncio
import multiprocessing
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest

from api.desk import scenario_reader
from api.desk.scenario_reader import ScenarioReader
from sim.refusals import Refusal, Refused
from sim.scenario_fields import ScenarioError
from storage.stored_scenario import read_scenario
from tests.simulations import SMALL

DOTTED = "\n".join(f"a{n}." + ".".join("b" * 60) + " = 1" for n in range(450))


@pytest.fixture
async def reader() -> AsyncIterator[ScenarioReader]:
    reader = ScenarioReader()
    yield reader
    reader.close()


async def test_what_reading_costs_is_not_this_process_s(reader: ScenarioReader) -> None:
    await reader.read(SMALL, None, None)
    began = time.process_time()
    with pytest.raises(ScenarioError):
        read_scenario(DOTTED)
    here_s, began = time.process_time() - began, time.process_time()
    with pytest.raises(ScenarioError):
        await reader.read(DOTTED, None, None)
    assert time.process_time() - began < here_s / 4


async def test_a_reader_that_was_lost_is_replaced(reader: ScenarioReader) -> None:
    found = await reader.read(SMALL, 7, 4)
    assert (found.wish.seed, found.steps, found.traders, found.markets) == (7, 40, 302, 1)
    (child,) = multiprocessing.active_children()
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ScenarioError, match="takes more than 2 s or 512 MB to read"):
        await reader.read(SMALL, None, None)
    assert await reader.read(SMALL, 7, 4) == found


async def test_so_many_wait_to_be_read_and_no_more(
    reader: ScenarioReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenario_reader, "READINGS_MAX", 2)
    asked = [reader.read(SMALL, None, None) for _ in range(3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert [one.refusal for one in refused] == [Refusal.UNAVAILABLE]
