"""Drives one scenario across Ray actors: one a market, one a strategy or part of one.

The driver makes one call per actor and step and looks at no order: what an actor returns goes
to the next by reference. Steps are asked for ahead of time, up to STEPS_AHEAD_MAX; Ray holds
each call until what it needs is there. Ray is put on here, for these actors live and die with
their run and have no names.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import ray
from ray.exceptions import ObjectLostError, RayActorError, RayError, RayTaskError

from actors.simulation_actors import SimulatedMarketActor, SimulatedPartActor, peak_memory_bytes
from sim.prices import ReferencePrice
from sim.run_record import RunRecord
from sim.simulation_scenario import Scenario
from sim.world import (
    Timing,
    assemble,
    closed_by_strategy,
    combined_hash,
    make_checkpoint,
    read_checkpoint,
    seats,
)
from sim.world_part import describe_parts

STEPS_AHEAD_MAX = 16
CHECKPOINT_STEPS = 2_000
"""How often the driver asks for the state of everything, to go on from when an actor is lost."""

RESTARTS_MAX = 5
LOST = (RayActorError, ObjectLostError)


class SpreadWorld:
    """The same as sim.world.SimulatedWorld, across actors.

    checkpoint_steps   an actor that is lost costs at most this many steps over again
    """

    def __init__(
        self,
        scenario: Scenario,
        prices: Sequence[ReferencePrice],
        spread: int,
        checkpoint_steps: int = CHECKPOINT_STEPS,
    ) -> None:
        self.scenario, self.spread, self.step_no = scenario, spread, 0
        self.orders, self.fills, self.restarts = 0, 0, 0
        self._prices, self._checkpoint_steps = prices, checkpoint_steps
        self._descriptions = describe_parts(scenario, spread)
        self._seats = seats(self._descriptions, len(prices))
        self._checkpoint: bytes | None = None
        self._start()

    @property
    def done(self) -> bool:
        """Whether all steps are taken."""
        return self.step_no >= self.scenario.steps

    def _start(self) -> None:
        """All actors anew, where the last checkpoint stands."""
        market_class = ray.remote(num_cpus=0)(SimulatedMarketActor)
        part_class = ray.remote(num_cpus=0)(SimulatedPartActor)
        told = (ray.put(self.scenario), self.spread)
        self.markets = [
            market_class.remote(*told, number, price) for number, price in enumerate(self._prices)
        ]
        self.parts = [part_class.remote(*told, number) for number in range(len(self._descriptions))]
        self.step_no = 0
        if self._checkpoint is not None:
            self._restore(self._checkpoint)
        self._acknowledged: deque[list[Any]] = deque()
        self._replies = [
            self._returns(market.replies, number) for number, market in enumerate(self.markets)
        ]

    def _restore(self, data: bytes) -> None:
        state = read_checkpoint(self.scenario, data)
        assert state["spread"] == self.spread, "a checkpoint goes on in as many parts as it had"
        self.step_no = state["step"]
        for actor, kept in zip(self.markets, state["markets"], strict=True):
            actor.restore.remote(kept)
        for actor, kept in zip(self.parts, state["parts"], strict=True):
            actor.restore.remote(kept)

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
        batches: list[list[Any]] = [[] for _ in self.markets]
        for part, about, seat in zip(self.parts, self._descriptions, self._seats, strict=True):
            told = [
                self._replies[number][place]
                for number, place in zip(about.markets, seat, strict=True)
            ]
            sent = part.act.options(num_returns=len(told)).remote(self.step_no, *told)
            for number, batch in zip(about.markets, sent if len(told) > 1 else [sent], strict=True):
                batches[number].append(batch)
        self._replies = [
            self._returns(market.step, number, self.step_no, *batches[number])
            for number, market in enumerate(self.markets)
        ]
        self._acknowledged.append([replies[-1] for replies in self._replies])
        if len(self._acknowledged) > STEPS_AHEAD_MAX:
            self._take_acknowledgement()

    def _returns(self, method: Any, number: int, *arguments: Any) -> list[Any]:
        """A market's answer: a reference for each of its parts, and one for its progress."""
        count = 1 + sum(number in about.markets for about in self._descriptions)
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
        markets = ray.get([actor.state.remote() for actor in self.markets])
        parts = ray.get([actor.state.remote() for actor in self.parts])
        data = make_checkpoint(self.scenario, self.spread, self.step_no, markets, parts)
        self._checkpoint = data
        return data

    def state_hash(self) -> str:
        """64 hex digits of all markets and all accounts."""
        ends = ray.get([actor.finish.remote() for actor in self.markets])
        return combined_hash([end.state_hash for end, _ in ends])

    def record(self, timing: Timing) -> RunRecord:
        """What the run has left so far."""
        ends = ray.get([actor.finish.remote() for actor in self.markets])
        parts = ray.get([actor.finish.remote() for actor in self.parts])
        memory = [bytes_held for _, bytes_held in (*ends, *parts)]
        timing.peak_memory_bytes = peak_memory_bytes() + sum(memory)
        timing.closed = closed_by_strategy(self._descriptions, [closed for closed, _ in parts])
        return assemble(self.scenario, self.step_no, [end for end, _ in ends], timing)

    def stop(self) -> None:
        """End all actors of this run."""
        for actor in (*self.markets, *self.parts):
            ray.kill(actor)


def _is_loss(error: RayError) -> bool:
    """Whether an actor's process is gone, not its code at fault."""
    cause = error.cause if isinstance(error, RayTaskError) else error
    return isinstance(cause, LOST)
