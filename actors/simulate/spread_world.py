"""Drives one scenario across Ray actors, each with some of its markets or some parts of strategies.

The driver makes one call per actor and step and looks at no order: what an actor returns goes
to the next by reference. Steps are asked for ahead of time, up to STEPS_AHEAD_MAX; Ray holds
each call until what it needs is there. Ray is put on here, for these actors live and die with
their run and have no names: the run's recorder, too.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ray
from ray.exceptions import (
    ActorDiedError,
    ObjectLostError,
    RayActorError,
    RayError,
    RayTaskError,
)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.simulate.hosts import SimulatedMarketActor, SimulatedPartActor, peak_memory_bytes
from actors.simulate.recorder_process import RecordingFailed, TradeRecorder
from actors.simulate.shares import Cut, shares_of
from sim.prices.processes import ReferencePrice
from sim.record.run import RunRecord
from sim.scenario.scenario import Scenario
from sim.stepping.world import (
    MarketOutcome,
    Timing,
    assemble,
    closed_by_strategy,
    courses_by_strategy,
    make_checkpoint,
    read_checkpoint,
)

STEPS_AHEAD_MAX = 16
CHECKPOINT_STEPS = 2_000
"""How often the driver asks for the state of everything, to go on from when an actor is lost."""

CHUNKS_AHEAD_MAX = 16
"""Calls to a recorder under way; with more the run waits."""

RESTARTS_MAX = 5
LOST = (RayActorError, ObjectLostError)

Place = Callable[[str, int], Mapping[str, Any]]
"""Ray's options for so many actors of a kind, market or strategy: where they may run."""


def anywhere(_kind: str, _count: int) -> Mapping[str, Any]:
    """On a Ray of our own all of them fit, and share the cores."""
    return {"num_cpus": 0}


class SpreadWorld:
    """The same as sim.stepping.world.SimulatedWorld, across actors.

    spread             parts that each strategy is cut into, at most
    actors             for markets, and as many for strategies, at most; as `spread` if None
    checkpoint_steps   an actor that is lost costs at most this many steps over again
    place              asked whenever actors are started
    """

    def __init__(
        self,
        scenario: Scenario,
        prices: Sequence[ReferencePrice],
        spread: int,
        checkpoint_steps: int = CHECKPOINT_STEPS,
        actors: int | None = None,
        place: Place = anywhere,
    ) -> None:
        self.scenario, self.spread, self.step_no = scenario, spread, 0
        self.orders, self.fills, self.restarts = 0, 0, 0
        self._prices, self._checkpoint_steps, self._place = prices, checkpoint_steps, place
        self._cut = Cut(scenario, spread, actors or spread, actors or spread)
        self._shares = shares_of(self._cut)
        self._checkpoint: bytes | None = None
        self._start()

    @property
    def done(self) -> bool:
        """Whether all steps are taken."""
        return self.step_no >= self.scenario.steps

    @property
    def market_shares(self) -> list[list[int]]:
        """The numbers of the markets of each of `markets`."""
        return self._shares.markets

    def _start(self) -> None:
        """All actors anew, where the last checkpoint stands."""
        shares, told = self._shares, ray.put(self._cut)
        market_class = self._actor_class(SimulatedMarketActor, "market", len(shares.markets))
        part_class = self._actor_class(SimulatedPartActor, "strategy", len(shares.parts))
        self.markets = [
            market_class.remote(told, share, [self._prices[number] for number in numbers])
            for share, numbers in enumerate(shares.markets)
        ]
        self.parts = [part_class.remote(told, share) for share in range(len(shares.parts))]
        self.step_no = 0
        if self._checkpoint is not None:
            self._restore(self._checkpoint)
        self._acknowledged: deque[list[Any]] = deque()
        self._replies = [
            self._returns(market.replies, share) for share, market in enumerate(self.markets)
        ]

    def _actor_class(self, plain: type, kind: str, count: int) -> Any:
        return ray.remote(**self._place(kind, count))(plain)

    def _restore(self, data: bytes) -> None:
        state = read_checkpoint(self.scenario, data)
        assert state["spread"] == self.spread, "a checkpoint goes on in as many parts as it had"
        self.step_no = state["step"]
        for actors, shares, kept in (
            (self.markets, self._shares.markets, state["markets"]),
            (self.parts, self._shares.parts, state["parts"]),
        ):
            for actor, numbers in zip(actors, shares, strict=True):
                actor.restore.remote([kept[number] for number in numbers])

    def resume(self, data: bytes) -> None:
        """Go on from a checkpoint of the same scenario. Raises StateUnreadable."""
        read_checkpoint(self.scenario, data)
        self._checkpoint = data
        self.stop()
        self._start()

    def run(self, until: int | None = None, called: Callable[[], bool] | None = None) -> None:
        """Steps until the end, or until `until`; sooner where `called`, asked a step, says so."""
        last = self.scenario.steps if until is None else min(until, self.scenario.steps)
        while self.step_no < last and not (called is not None and called()):
            self._guarded(self._step)
            if self.step_no % self._checkpoint_steps == 0:
                self._guarded(self.checkpoint)
        self._guarded(self._wait_for_all)
        if self.step_no < last and not (called is not None and called()):
            self.run(until, called)

    def _step(self) -> None:
        """Ask for one more step; wait where too many are under way."""
        self.step_no += 1
        sent: list[list[Any]] = [[] for _ in self.markets]
        for share, part in enumerate(self.parts):
            routes = [of_market[share] for of_market in self._shares.routes]
            partners = [number for number, mutual in enumerate(routes) if mutual]
            told = [self._replies[number].pop(0) for number in partners]
            lists = part.act.options(num_returns=len(told)).remote(self.step_no, *told)
            for number, batches in zip(partners, lists if len(told) > 1 else [lists], strict=True):
                sent[number].append(batches)
        self._replies = [
            self._returns(market.step, share, self.step_no, *sent[share])
            for share, market in enumerate(self.markets)
        ]
        self._acknowledged.append([replies.pop() for replies in self._replies])
        if len(self._acknowledged) > STEPS_AHEAD_MAX:
            self._take_acknowledgement()

    def _returns(self, method: Any, share: int, *arguments: Any) -> list[Any]:
        """A reference for each strategy actor that a market actor answers, one for its progress."""
        count = 1 + sum(len(routes) > 0 for routes in self._shares.routes[share])
        answer = method.options(num_returns=count).remote(*arguments)
        return answer if count > 1 else [answer]

    def _take_acknowledgement(self) -> None:
        counts = ray.get(self._acknowledged.popleft())
        self.orders, self.fills = (sum(count[place] for count in counts) for place in (0, 1))

    def _wait_for_all(self) -> None:
        while self._acknowledged:
            self._take_acknowledgement()

    def _guarded(self, action: Callable[[], Any]) -> Any:
        """Do it; where an actor is lost, go back to the last checkpoint, a few times."""
        try:
            return action()
        except RayError as error:
            if not _is_loss(error) or self.restarts >= RESTARTS_MAX:
                raise
            self.restarts += 1
            self.stop()
            self._start()
            return None

    def checkpoint(self) -> bytes:
        """All that is needed to go on from here; also where a lost actor will."""
        self._wait_for_all()
        markets = _in_order(
            self._shares.markets, ray.get([actor.state.remote() for actor in self.markets])
        )
        parts = _in_order(
            self._shares.parts, ray.get([actor.state.remote() for actor in self.parts])
        )
        data = make_checkpoint(self.scenario, self.spread, self.step_no, markets, parts)
        self._checkpoint = data
        return data

    def state_hash(self) -> str:
        """As SimulatedWorld.state_hash."""
        return self.record(Timing()).state_hash

    def record(self, timing: Timing) -> RunRecord:
        """What the run has left so far."""
        outcomes, memory = self._finished()
        ends = ray.get([actor.finish.remote() for actor in self.parts])
        left = _in_order(self._shares.parts, [several for several, _ in ends])
        memory += sum(bytes_held for _, bytes_held in ends)
        timing.peak_memory_bytes = peak_memory_bytes() + memory
        timing.closed = closed_by_strategy(self._cut.parts, [closed for closed, _ in left])
        timing.courses = courses_by_strategy(self._cut.parts, [course for _, course in left])
        return assemble(self.scenario, self.step_no, outcomes, timing)

    def _finished(self) -> tuple[list[MarketOutcome], int]:
        """Every market's outcome, and the memory that their actors ever held."""
        ends = ray.get([actor.finish.remote() for actor in self.markets])
        outcomes = _in_order(self._shares.markets, [several for several, _ in ends])
        return outcomes, sum(bytes_held for _, bytes_held in ends)

    def hand_out(self, written: Sequence[int]) -> None:
        """As Tape.hand_out, on all markets. Raises LookupError."""
        for actor, numbers in zip(self.markets, self.market_shares, strict=True):
            ray.get(actor.hand_out.remote([written[number] for number in numbers]))
        self.checkpoint()  # where a lost actor goes on, handing out

    def stop(self) -> None:
        """End all actors of this run."""
        for actor in (*self.markets, *self.parts):
            ray.kill(actor)


class RecorderActor:
    """A TradeRecorder in Ray, on the driver's node; it is given references, never rows."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        here = ray.get_runtime_context().get_node_id()
        strategy = NodeAffinitySchedulingStrategy(here, soft=False)
        wrapped = ray.remote(num_cpus=0, scheduling_strategy=strategy)(TradeRecorder)
        self._actor = wrapped.remote(dict(told))
        self._under_way: deque[Any] = deque()
        self._failure: str | None = None
        self.waits, self.waited_s = 0, 0.0

    @property
    def failure(self) -> str | None:
        """Why nothing more is written; None while all is well."""
        while self._under_way and ray.wait([self._under_way[0]], timeout=0)[0]:
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
        if ray.is_initialized():
            ray.kill(self._actor)

    def _take_answer(self) -> None:
        self._answer(self._under_way.popleft())

    def _answer(self, reference: Any) -> Any:
        """An answer; a failure is noted. What a lost market had not given, it gives again."""
        try:
            return ray.get(reference)
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


def _in_order(shares: Sequence[Sequence[int]], answers: Sequence[Sequence[Any]]) -> list[Any]:
    """What each actor says of each of its own, by their numbers in the scenario."""
    found = {
        number: one
        for numbers, several in zip(shares, answers, strict=True)
        for number, one in zip(numbers, several, strict=True)
    }
    return [found[number] for number in sorted(found)]


def _is_loss(error: RayError) -> bool:
    """Whether an actor's process is gone, not its code at fault."""
    cause = error.cause if isinstance(error, RayTaskError) else error
    return isinstance(cause, LOST)
