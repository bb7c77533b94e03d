"""The actors of a simulation as plain classes: one market, or one part of a strategy."""

import resource
from typing import Any

from sim.messages import Rows
from sim.prices import ReferencePrice
from sim.simulation_scenario import Scenario
from sim.world import MarketOutcome, outcome
from sim.world_market import SteppedMarket
from sim.world_part import Batch, Part, Reply, describe_parts
from sim.world_state import frozen, thawed

KIBIBYTE = 1024


def peak_memory_bytes() -> int:
    """The most memory this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE


class SimulatedMarketActor:
    """Market number `market_no`; everything else as in sim.world_market."""

    def __init__(
        self, scenario: Scenario, spread: int, market_no: int, price: ReferencePrice
    ) -> None:
        self._market = SteppedMarket(scenario, market_no, price, describe_parts(scenario, spread))

    def restore(self, state: bytes) -> None:
        """Go on from a `state()`."""
        self._market.restore(thawed(state))

    def replies(self) -> list[Any]:
        """What its parts were told last, and its progress."""
        return self._answer(self._market.replies)

    def step(self, step: int, *batches: Batch) -> list[Any]:
        """One step on: a reply for each part, then (orders, fills) so far."""
        return self._answer(self._market.step(step, batches))

    def hand_out(self, written: int) -> None:
        """As Tape.hand_out."""
        self._market.tape.hand_out(written)

    def taken(self) -> tuple[int, Rows]:
        """As Tape.taken."""
        return self._market.tape.taken()

    def keep_only(self) -> None:
        """As Tape.keep_only."""
        self._market.tape.keep_only()

    def state(self) -> bytes:
        """Everything, for a checkpoint."""
        return frozen(self._market.state())

    def finish(self) -> tuple[MarketOutcome, int]:
        """What is left at the end, checked; and the most memory ever held."""
        return outcome(self._market), peak_memory_bytes()

    def _answer(self, replies: list[Reply]) -> list[Any]:
        return [*replies, (self._market.orders, self._market.fills)]


class SimulatedPartActor:
    """Part number `part_no` of the scenario's strategies, cut `spread` times."""

    def __init__(self, scenario: Scenario, spread: int, part_no: int) -> None:
        self._part = Part(scenario, describe_parts(scenario, spread)[part_no])

    def restore(self, state: bytes) -> None:
        """Go on from a `state()`."""
        self._part.restore(thawed(state))

    def act(self, step: int, *replies: Reply) -> Any:
        """A batch for each of its markets; the batch itself where there is one market."""
        batches = self._part.act(step, replies)
        return batches if len(batches) > 1 else batches[0]

    def state(self) -> bytes:
        """Everything, for a checkpoint."""
        return frozen(self._part.state())

    def finish(self) -> tuple[list[int], int]:
        """How many of its traders were liquidated, by sample; the most memory ever held."""
        return self._part.closed_at_samples, peak_memory_bytes()
