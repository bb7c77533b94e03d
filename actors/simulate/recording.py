"""`sandpit simulate --to`: takes a run's trades to a recorder while it runs, and ends its books.

The run in PostgreSQL or Parquet is opened here, the trades are written by a recorder: a process
beside a run in one process, a Ray actor beside actors.
"""

import shlex
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from actors.simulate.recorder_process import RecorderProcess, RecordingFailed, writer_of
from actors.simulate.worlds import Runnable, SimulateError
from sim.record.run import TRADE, RunRecord
from sim.rows.messages import Rows
from sim.scenario.scenario import Scenario
from sim.stepping.tape import SAMPLED_ONE_OF
from sim.stepping.world import SimulatedWorld, scenario_mark
from storage.errors import StorageError
from storage.settings import ConfigurationError, Settings

DESTINATIONS = ("parquet", "postgres")
CHUNKS_AHEAD_MAX = 16
"""Calls to a recording actor under way; with more the run waits."""

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


class TradeRecorder:
    """The recording actor as a plain class: `told` is what a run's `recorder` answered."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._writer, self._busy_s = writer_of(told), 0.0

    def write(self, markets: Sequence[int], taken: Sequence[tuple[int, Rows]]) -> None:
        """What Tape.taken gave for each. Raises StorageError, TradesMissing."""
        began = time.monotonic()
        for market_no, (first, rows) in zip(markets, taken, strict=True):
            self._writer.write(market_no, first, rows)
        self._busy_s += time.monotonic() - began

    def end(self) -> tuple[list[int], float]:
        """Trades written of each market, and seconds spent writing."""
        self._writer.end()
        return self._writer.written, self._busy_s


class RecorderActor:
    """A TradeRecorder in Ray, on the driver's node; it is given references, never rows."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = ray.get_runtime_context().get_node_id()
        strategy = NodeAffinitySchedulingStrategy(here, soft=False)
        wrapped = ray.remote(num_cpus=0, scheduling_strategy=strategy)(TradeRecorder)
        self._ray, self._actor = ray, wrapped.remote(dict(told))
        self._under_way: deque[Any] = deque()
        self._failure: str | None = None
        self.waits, self.waited_s = 0, 0.0

    @property
    def failure(self) -> str | None:
        """Why nothing more is written; None while all is well."""
        while self._under_way and self._ray.wait([self._under_way[0]], timeout=0)[0]:
            self._take_answer()
        return self._failure

    def put(self, markets: Sequence[int], taken: Any) -> None:
        """Hand over a reference to what Tape.taken gives for each. Raises RecordingFailed."""
        self._under_way.append(self._actor.write.remote(markets, taken))
        if len(self._under_way) > CHUNKS_AHEAD_MAX and not self.failure:
            began = time.monotonic()
            while len(self._under_way) > CHUNKS_AHEAD_MAX:
                self._take_answer()
            self.waits += 1
            self.waited_s += time.monotonic() - began
        self._refuse_when_failed()

    def flush(self) -> None:
        """All that was put is written. Raises RecordingFailed."""
        while self._under_way:
            self._take_answer()
        self._refuse_when_failed()

    def end(self) -> tuple[list[int], float]:
        """Trades written of each market, and seconds spent writing. Raises RecordingFailed."""
        self.flush()
        written, busy_s = self._answer(self._actor.end.remote()) or ([], 0.0)
        self._refuse_when_failed()
        return written, busy_s

    def stop(self) -> None:
        """End the actor, whatever it does, where it has not gone with its Ray."""
        if self._ray.is_initialized():
            self._ray.kill(self._actor)

    def _take_answer(self) -> None:
        self._answer(self._under_way.popleft())

    def _answer(self, reference: Any) -> Any:
        """An answer; a failure is noted. What a lost market had not given, it gives again."""
        from ray.exceptions import ActorDiedError, RayError, RayTaskError

        try:
            return self._ray.get(reference)
        except RayTaskError as error:
            if isinstance(error.cause, RayError):
                return None
            self._failure = self._failure or str(error.cause).rstrip(".")
        except ActorDiedError as error:
            if error.actor_id == self._actor._actor_id.hex():
                self._failure = self._failure or "the recorder has ended"
        except RayError:
            return None
        return None

    def _refuse_when_failed(self) -> None:
        if self._failure:
            raise RecordingFailed(self._failure)


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
        import ray

        for actor, numbers in zip(self._world.markets, self._world.market_shares, strict=True):
            ray.get(actor.hand_out.remote([written[number] for number in numbers]))
        self._world.checkpoint()  # where a lost actor goes on, handing out

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
            alone = isinstance(world, SimulatedWorld)
            self._recorder = RecorderProcess(told, TRADE) if alone else RecorderActor(told)
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
