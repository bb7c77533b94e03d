"""`sandpit simulate --to`: takes a run's trades to a recorder while it runs, and ends its books.

The run in PostgreSQL or Parquet is opened here, the trades are written by a recorder: a process
beside a run in one process, a Ray actor beside actors.
"""

import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from actors.simulate.recorder_process import RecorderProcess, RecordingFailed
from actors.simulate.worlds import Runnable, SimulateError
from sim.record.run import TRADE, RunRecord
from sim.scenario.scenario import Scenario
from sim.stepping.tape import SAMPLED_ONE_OF
from sim.stepping.world import SimulatedWorld, scenario_mark
from storage.errors import StorageError
from storage.settings import ConfigurationError, Settings

DESTINATIONS = ("parquet", "postgres")
TRADES_WORTH_TAKING = 65_536
TAKE_EVERY_S = 1.0
MARK_DIGITS = 12


class RunStore(Protocol):
    """RunInDatabase and RunInParquet alike."""

    def begin(self, step: int) -> list[int]: ...

    def recorder(self, written: list[int]) -> Mapping[str, Any]: ...

    def finish(self, record: RunRecord, trades: int) -> None: ...

    def close(self) -> None: ...


class Recorder(Protocol):
    """RecorderProcess and RecorderActor alike."""

    waits: int
    waited_s: float

    @property
    def failure(self) -> str | None: ...

    def put(self, markets: Sequence[int], taken: Any) -> None: ...

    def flush(self) -> None: ...

    def end(self) -> tuple[list[int], float]: ...

    def stop(self) -> None: ...


class Tapes:
    """The tapes of a world's markets: objects here, or in actors that are asked by reference."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._alone = isinstance(world, SimulatedWorld)

    def hand_out(self, written: Sequence[int]) -> None:
        """As Tape.hand_out. Raises LookupError."""
        if self._alone:
            for market, count in zip(self._world.markets, written, strict=True):
                market.tape.hand_out(count)
            return
        self._world.hand_out(written)

    def taken(self) -> Iterator[tuple[list[int], Any]]:
        """Numbers of markets, and what Tape.taken gives for each, or a reference to it."""
        if self._alone:
            for number, market in enumerate(self._world.markets):
                yield [number], [market.tape.taken()]
            return
        for actor, numbers in zip(self._world.markets, self._world.market_shares, strict=True):
            yield numbers, actor.taken.remote()

    def keep_only(self) -> None:
        """As Tape.keep_only."""
        for market in self._world.markets:
            (market.tape.keep_only if self._alone else market.keep_only.remote)()


class Recording:
    """One run's way to its store. Every method is to be called by the one who drives the run.

    look_inside   the command that does, where the store needs one
    """

    def __init__(
        self, store: RunStore, to: str, name: str, one_of: int, look_inside: str | None = None
    ) -> None:
        self._store, self._to, self._name, self._look_inside = store, to, name, look_inside
        self._worth_taking = TRADES_WORTH_TAKING * one_of
        self._taken_at, self._taken_fills = time.monotonic(), 0
        self._recorder: Recorder | None = None
        self._tapes: Tapes | None = None
        self.failure: str | None = None
        self.figures: dict[str, Any] = {}

    def begin(self, world: Runnable) -> None:
        """The world stands where it goes on. Raises SimulateError."""
        tapes = Tapes(world)
        try:
            written = self._store.begin(world.step_no)
            told = self._store.recorder(written)
            self._recorder = _recorder_beside(world, told)
            tapes.hand_out(written)
        except (StorageError, ConfigurationError) as error:
            raise SimulateError(f"--to {self._to}: {error}") from error
        except LookupError as error:
            raise SimulateError(
                f"--to {self._to}: the record has a gap before this checkpoint that the checkpoint"
                " cannot fill: run the scenario from its start."
            ) from error
        self._tapes, self._taken_fills = tapes, world.fills

    def look(self, world: Runnable) -> bool:
        """Take what is worth taking; whether the run must stop, for nobody writes any more."""
        if self._recorder is None or self.failure:
            return bool(self.failure)
        late = time.monotonic() - self._taken_at > TAKE_EVERY_S
        if world.fills - self._taken_fills >= self._worth_taking or late:
            self._guarded(self._take)
            self._taken_at, self._taken_fills = time.monotonic(), world.fills
        return bool(self.failure)

    def settle(self) -> None:
        """All trades so far are written, and the world hands out no more."""
        if self._tapes is not None:
            self._guarded(self._take_last)
            self._tapes.keep_only()

    def finish(self, record: RunRecord) -> None:
        """Quotes, standings and the run's end; `failure` says where that could not be."""
        if self._recorder is not None:
            self._guarded(lambda: self._end(record))

    def close(self) -> None:
        """End what was started."""
        if self._recorder is not None:
            self._recorder.stop()
        self._store.close()

    def _take(self) -> None:
        assert self._recorder is not None
        assert self._tapes is not None
        for markets, taken in self._tapes.taken():
            self._recorder.put(markets, taken)
        self.failure = self._recorder.failure

    def _take_last(self) -> None:
        assert self._recorder is not None
        self._take()
        self._recorder.flush()

    def _end(self, record: RunRecord) -> None:
        assert self._recorder is not None
        written, busy_s = self._recorder.end()
        self._store.finish(record, sum(written))
        self.figures = {
            "to": self._to,
            "run": self._name,
            "trades": sum(written),
            "writing_seconds": round(busy_s, 3),
            "waits": self._recorder.waits,
            "waited_seconds": round(self._recorder.waited_s, 3),
            "look_inside": self._look_inside,
        }

    def _guarded(self, action: Callable[[], None]) -> None:
        if self.failure:
            return
        try:
            action()
        except (RecordingFailed, StorageError) as error:
            self.failure = str(error).rstrip(".")


def _recorder_beside(world: Runnable, told: Mapping[str, Any]) -> Recorder:
    """A process beside a run in one process, a Ray actor beside actors."""
    if isinstance(world, SimulatedWorld):
        return RecorderProcess(told, TRADE)
    from actors.simulate.spread_world import RecorderActor

    return RecorderActor(told)


def run_name(scenario: Scenario) -> str:
    """What a run is found by, in a database and on disk: other scenarios have other names, also
    those that only end at another time."""
    world = scenario.world
    return f"{world.name}-{world.seed}-{scenario_mark(scenario)[:MARK_DIGITS]}"


@contextmanager
def opened_recording(
    to: str | None, scenario: Scenario, directory: Path, data_dir: Path | None
) -> Iterator[Recording | None]:
    """The recording that was asked for, its server there; nothing has begun. Raises SimulateError.

    directory   of the run, for Parquet
    data_dir    of a deployment, for PostgreSQL; None: the settings' own
    """
    if to is None:
        yield None
        return
    with ExitStack() as stack:
        try:
            settings = Settings.load(data_dir=data_dir) if to == "postgres" else None
            store = _store(to, scenario, directory, settings, stack)
        except (ConfigurationError, StorageError) as error:
            raise SimulateError(f"--to {to}: {error}") from error
        one_of = SAMPLED_ONE_OF if scenario.record == "sampled" else 1
        look_inside = way_in(settings) if settings is not None else None
        recording = Recording(store, to, run_name(scenario), one_of, look_inside)
        stack.callback(recording.close)
        yield recording


def _store(
    to: str, scenario: Scenario, directory: Path, settings: Settings | None, stack: ExitStack
) -> RunStore:
    if to == "parquet":
        from storage.runs.parquet_run import RunInParquet

        return RunInParquet(directory, run_name(scenario), scenario)
    assert settings is not None, "a place that was looked at before"
    from storage.runs.recorded_runs import RunInDatabase
    from storage.servers.recording_server import recording_database

    url = stack.enter_context(recording_database(settings))
    return RunInDatabase(url, run_name(scenario), scenario)


def way_in(settings: Settings) -> str | None:
    """The command that looks into the server that we run; whoever named another knows the way."""
    if settings.database_url is not None:
        return None
    return shlex.join(["sandpit", "db", "shell", "--data-dir", str(settings.data_path)])
