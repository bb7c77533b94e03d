"""Scenario texts are read in a process of their own: reading one may take a quarter of a second
of processor time, in which the API would answer nobody."""

import asyncio
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from api.fair_turns import FairTurns, TurnLimits
from sim.chain.building import BLOCK_S
from sim.scenario.fields import ScenarioError
from sim.scenario.markets import SECOND_US
from sim.scenario.work import CROWD_MIN, MEBIBYTE, Work, work_of
from storage.process_limits import die_with_parent, end_after_cpu, limited_memory
from storage.runs.kept_candles import unpacked
from storage.runs.simulations import SimulationWish
from storage.runs.stored_backtest import GRID, SWAPS, is_backtest, read_backtest
from storage.runs.stored_scenario import read_scenario

READ_CPU_S_MAX = 2
READ_MEMORY_MB_MAX = 512
READINGS = TurnLimits(1, 1, waiting_max=64, waiting_of_address_max=8)
"""One text is with the process at a time, so that whoever breaks it breaks nobody else's."""

READINGS_OF_A_TEXT_MAX = 2
"""A process may be lost by somebody else's doing: then a text is read again, once."""

LOGGED_BYTES = 8_192
"""What a row of a pool's log leaves in a backtest at the most: itself, a standing, its fees."""

STEPS_MAX = 2**31 - 1
"""As many as a simulation's row can count."""

NICENESS = 10
"""Orders go first."""


@dataclass(frozen=True)
class ScenarioRead:
    """What there is to know of a scenario before it runs."""

    wish: SimulationWish
    traders: int
    markets: int
    steps: int
    step_us: int
    work: Work


class ScenarioReader:
    """Reads one text at a time, and addresses take turns; the process starts with the first."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._turns = FairTurns("scenarios to be read", READINGS)

    async def read(
        self,
        address: str,
        text: str,
        seed: int | None,
        duration_s: int | None,
        history: bytes | None = None,
    ) -> ScenarioRead:
        """Raises ScenarioError; Refused UNAVAILABLE where too many wait to be read.

        history   what is to be lived: see SimulationWish
        """
        clock = asyncio.get_running_loop().time
        async with self._turns.turn(address):
            for _ in range(READINGS_OF_A_TEXT_MAX):
                pool = self._pool = self._pool or new_pool()
                began = clock()
                try:
                    return await asyncio.wrap_future(
                        pool.submit(read, text, seed, duration_s, history)
                    )
                except BrokenProcessPool:
                    self._forget(pool)
                if clock() - began >= READ_CPU_S_MAX:
                    break  # it had the time to use up its own
        raise ScenarioError(
            f"not a scenario: it takes more than {READ_CPU_S_MAX} s or"
            f" {READ_MEMORY_MB_MAX} MB to read"
        )

    def _forget(self, broken: ProcessPoolExecutor) -> None:
        """The next reading gets a new process."""
        if self._pool is broken:
            self._pool = None
        broken.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def new_pool() -> ProcessPoolExecutor:
    """One process, apart from this one's threads and sockets."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=context, initializer=begin, initargs=(os.getpid(),))


def begin(parent: int) -> None:
    """In the new process: it gives way to orders, and outlives nobody, also a parent killed."""
    os.nice(NICENESS)
    die_with_parent()
    if os.getppid() != parent:
        os._exit(1)


def read(
    text: str, seed: int | None, duration_s: int | None, history: bytes | None = None
) -> ScenarioRead:
    """In the process of its own. Raises ScenarioError."""
    end_after_cpu(READ_CPU_S_MAX)
    try:
        with limited_memory(READ_MEMORY_MB_MAX):
            if is_backtest(text):
                return of_backtest(text, seed, duration_s, history)
            candles = None if history is None else unpacked(history)
            scenario = read_scenario(text, seed, duration_s, candles)
    except MemoryError:
        raise ScenarioError(
            f"not a scenario: it takes more than {READ_MEMORY_MB_MAX} MB to read"
        ) from None
    world = scenario.world
    return ScenarioRead(
        SimulationWish(world.name, text, world.seed, duration_s, history),
        scenario.accounts,
        len(world.markets),
        scenario.steps,
        scenario.step_us,
        work_of(scenario),
    )


def of_backtest(
    text: str, seed: int | None, duration_s: int | None, history: bytes | None = None
) -> ScenarioRead:
    """A droid is one trader on no market; a block is a step. Raises ScenarioError."""
    if duration_s is not None:
        raise ScenarioError(f"{SWAPS}: found a duration beside it, allowed is none: all of the log")
    backtest = read_backtest(text, seed, history)
    rows, blocks, many = len(backtest.log.rows), backtest.log.blocks, len(backtest.tried)
    if many * blocks > STEPS_MAX:
        found = f"found {many} combinations of {blocks} blocks each"
        raise ScenarioError(f"{GRID}: {found}, allowed are {STEPS_MAX} blocks in all")
    return ScenarioRead(
        SimulationWish(backtest.name, text, backtest.setting.seed, None, history),
        many,
        0,
        many * blocks,
        BLOCK_S * SECOND_US,
        Work(many * (blocks + rows) * CROWD_MIN, -(-rows * LOGGED_BYTES // MEBIBYTE)),
    )
