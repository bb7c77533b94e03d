"""Steps a whole scenario in one process: the reference that actors must equal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.identity import identity
from sim.prices.processes import ReferencePrice
from sim.record.run import (
    ORIGIN_UNKNOWN,
    STANDING,
    AgentsRecord,
    MarketRecord,
    Origin,
    OtherGain,
    RunRecord,
    StrategyRecord,
)
from sim.scenario.scenario import Scenario
from sim.scenario.world import PopulationDescription
from sim.sealed import SealBroken, opened, sealed
from sim.signals.course import AgentsCourse
from sim.stepping.checkpoint import DAMAGED, StateUnreadable, frozen, thawed
from sim.stepping.market import SteppedMarket
from sim.stepping.part import Batch, Part, PartDescription, describe_parts
from sim.stepping.tape import FUNDED, HELD, PAID, TRADED, VALUE
from sim.sums import saturated_sum

Integers = npt.NDArray[np.int64]


@dataclass
class MarketOutcome:
    """What a market gives at the end of a run.

    sums    int64 (samples, strategies, 5) of tape.py
    gains   int64 (traders,) of SteppedMarket.gains_atoms
    """

    record: MarketRecord
    sums: Integers
    gains: Integers
    state_hash: bytes
    orders: int
    fills: int
    others: dict[str, OtherGain]


@dataclass
class Timing:
    """What only whoever runs a simulation knows."""

    wall_s: float = 0.0
    actors: str = "one process"
    peak_memory_bytes: int = 0
    closed: dict[int, list[int]] = field(default_factory=dict)
    courses: dict[int, AgentsCourse] = field(default_factory=dict)
    origin: Origin = ORIGIN_UNKNOWN


class SimulatedWorld:
    """All markets and all strategies of a scenario, stepped together.

    prices   the reference price of each market, in the scenario's order
    spread   parts each strategy is cut into; changes nothing in what happens
    """

    def __init__(
        self, scenario: Scenario, prices: Sequence[ReferencePrice], spread: int = 1
    ) -> None:
        self.scenario, self.spread, self.step_no = scenario, spread, 0
        self._descriptions = describe_parts(scenario, spread)
        self.parts = [Part(scenario, one) for one in self._descriptions]
        self.markets = [
            SteppedMarket(scenario, number, price, self._descriptions)
            for number, price in enumerate(prices)
        ]
        placed = seats(self._descriptions, len(self.markets))
        self._seats = [
            [(self.markets[number], at) for number, at in zip(about.markets, places, strict=True)]
            for about, places in zip(self._descriptions, placed, strict=True)
        ]

    @property
    def done(self) -> bool:
        """Whether all steps are taken."""
        return self.step_no >= self.scenario.steps

    def step(self) -> None:
        """One Δ: every part acts on the last step, then every market takes what it was sent."""
        self.step_no += 1
        step, told = self.step_no, [market.tells for market in self.markets]
        sampled = step % self.scenario.sample_steps == 0
        batches: list[list[Batch]] = [[] for _ in self.markets]
        for part, about, seat in zip(self.parts, self._descriptions, self._seats, strict=True):
            if step < part.busy_step and not sampled and not any(told[n] for n in about.markets):
                acted = part.nothing
            else:
                acted = part.act(step, [market.replies[place] for market, place in seat])
            for number, batch in zip(about.markets, acted, strict=True):
                batches[number].append(batch)
        for market, sent in zip(self.markets, batches, strict=True):
            market.step(step, sent)

    def run(self, until: int | None = None, called: Callable[[], bool] | None = None) -> None:
        """Steps until the end, or until `until`; sooner where `called`, asked a step, says so."""
        last = self.scenario.steps if until is None else min(until, self.scenario.steps)
        while self.step_no < last and not (called is not None and called()):
            self._pass_by(last)
            self.step()

    def _pass_by(self, last: int) -> None:
        """On to the step before the next in which anything happens, or before `last`."""
        acting = min((part.busy_step for part in self.parts), default=last)
        to = min(acting, last, *(market.busy_step for market in self.markets)) - 1
        if to <= self.step_no:
            return
        if any(market.tells for market in self.markets):
            for part, seat in zip(self.parts, self._seats, strict=True):
                part.look_on(self.step_no + 1, [market.replies[place] for market, place in seat])
        for market in self.markets:
            market.pass_by(to)
        self.step_no = to

    @property
    def orders(self) -> int:
        """Rows the strategies have sent and markets have taken."""
        return sum(market.orders for market in self.markets)

    @property
    def fills(self) -> int:
        """Trades so far."""
        return sum(market.fills for market in self.markets)

    def state_hash(self) -> str:
        """64 hex digits of all markets, all accounts, and what agents have decided."""
        courses = self._courses()
        return run_hash([market.state_hash() for market in self.markets], courses)

    def _courses(self) -> dict[int, AgentsCourse]:
        return courses_by_strategy(
            self._descriptions, [part.population.left() for part in self.parts]
        )

    def record(self, timing: Timing) -> RunRecord:
        """What the run has left so far; raises AssertionError where money was made or lost."""
        closed = [part.closed_at_samples for part in self.parts]
        timing.closed = closed_by_strategy(self._descriptions, closed)
        timing.courses = self._courses()
        outcomes = [outcome(market) for market in self.markets]
        return assemble(self.scenario, self.step_no, outcomes, timing)

    def checkpoint(self) -> bytes:
        """All that is needed to go on from here, with the same cut into parts."""
        markets = [frozen(market.state()) for market in self.markets]
        parts = [frozen(part.state()) for part in self.parts]
        return make_checkpoint(self.scenario, self.spread, self.step_no, markets, parts)

    def resume(self, data: bytes) -> None:
        """Go on from a checkpoint of the same scenario. Raises StateUnreadable."""
        state = read_checkpoint(self.scenario, data)
        assert state["spread"] == self.spread, "a checkpoint goes on in as many parts as it had"
        try:
            for market, kept in zip(self.markets, state["markets"], strict=True):
                market.restore(thawed(kept))
            for part, kept in zip(self.parts, state["parts"], strict=True):
                part.restore(thawed(kept))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise StateUnreadable(f"{DAMAGED}: {error}") from error
        self.step_no = state["step"]


def make_checkpoint(
    scenario: Scenario,
    spread: int,
    step: int,
    markets: list[bytes],
    parts: list[bytes],
) -> bytes:
    """The bytes that `read_checkpoint` takes, from the frozen states of all markets and
    parts."""
    mark = _course_mark(scenario)
    state = {"scenario": mark, "spread": spread, "step": step, "markets": markets, "parts": parts}
    return sealed(frozen(state))


def read_checkpoint(scenario: Scenario, data: bytes) -> dict[str, Any]:
    """Its spread, its step, and the frozen states of markets and parts.

    Raises StateUnreadable where it is of something else, or not as it was written.
    """
    try:
        state = thawed(opened(data))
    except SealBroken as error:
        raise StateUnreadable(f"{DAMAGED}, or another version of sandpit wrote it") from error
    if state["scenario"] != _course_mark(scenario):
        raise StateUnreadable("the checkpoint belongs to another scenario or seed")
    kept: dict[str, Any] = state
    return kept


def scenario_mark(scenario: Scenario) -> str:
    """What a run is told apart by: equal for equal scenarios, for no others."""
    return identity(scenario)


def _course_mark(scenario: Scenario) -> str:
    """Equal for scenarios that only end sooner or later: a run may be resumed to go on longer."""
    return identity(replace(scenario, steps=1))


def seats(parts: Sequence[PartDescription], markets: int) -> list[list[int]]:
    """For each part and each of its markets: its place among the market's parts."""
    counts = [0] * markets
    found = []
    for part in parts:
        found.append([counts[market] for market in part.markets])
        for market in part.markets:
            counts[market] += 1
    return found


def combined_hash(hashes: Sequence[bytes]) -> str:
    """The hash of a run from those of its markets, in their order."""
    return blake2b(b"".join(hashes), digest_size=32).hexdigest()


def run_hash(markets: Sequence[bytes], courses: Mapping[int, AgentsCourse]) -> str:
    """The same, and of what populations of agents leave: sessions too small to be seen in a book
    may have decided otherwise."""
    return combined_hash([*markets, *(courses[number].digest for number in sorted(courses))])


def closed_by_strategy(
    descriptions: Sequence[PartDescription], closed: Sequence[list[int]]
) -> dict[int, list[int]]:
    """How many traders were liquidated, by strategy and sample."""
    samples: dict[int, list[int]] = {}
    for about, counts in zip(descriptions, closed, strict=True):
        so_far = samples.get(about.strategy, [0] * len(counts))
        samples[about.strategy] = [a + b for a, b in zip(so_far, counts, strict=True)]
    return samples


def courses_by_strategy(
    descriptions: Sequence[PartDescription], courses: Sequence[AgentsCourse | None]
) -> dict[int, AgentsCourse]:
    """What populations of signal agents leave, each of which is one part."""
    pairs = zip(descriptions, courses, strict=True)
    return {about.strategy: course for about, course in pairs if course is not None}


def outcome(market: SteppedMarket) -> MarketOutcome:
    """A market at the end, checked."""
    market.check()
    return MarketOutcome(
        MarketRecord(market.spec, market.tape.trades, market.tape.quotes, market.done),
        market.tape.sums,
        market.gains_atoms(),
        market.state_hash(),
        market.orders,
        market.fills,
        market.others(),
    )


def assemble(
    scenario: Scenario, steps: int, outcomes: Sequence[MarketOutcome], timing: Timing
) -> RunRecord:
    """The record of a run. Raises AssertionError where the capital is not what it was."""
    gains = np.sum([one.gains for one in outcomes], axis=0)
    others = summed([one.others for one in outcomes])
    left = int(gains.astype(object).sum()) + sum(other.gain_atoms for other in others)
    assert left == 0, f"equity, fees, dust and insurance sum to {left} atoms more than all capital"
    return RunRecord(
        scenario=scenario.world.name,
        seed=scenario.world.seed,
        step_us=scenario.step_us,
        steps=steps,
        steps_planned=scenario.steps,
        orders=sum(one.orders for one in outcomes),
        fills=sum(one.fills for one in outcomes),
        wall_s=timing.wall_s,
        state_hash=run_hash([one.state_hash for one in outcomes], timing.courses),
        actors=timing.actors,
        peak_memory_bytes=timing.peak_memory_bytes,
        markets=[one.record for one in outcomes],
        strategies=_strategies(scenario, outcomes, gains, timing),
        happenings=scenario.happenings,
        others=others,
        origin=timing.origin,
        agents=[
            AgentsRecord(one.name, one.capital_atoms, timing.courses[number])
            for number, one in enumerate(scenario.world.populations)
            if number in timing.courses
        ],
    )


def summed(found: Sequence[dict[str, OtherGain]]) -> tuple[OtherGain, ...]:
    """Of all markets together, by name."""
    names = found[0] if found else ()
    return tuple(
        OtherGain(
            name,
            sum(one[name].gain_atoms for one in found),
            sum(one[name].volume_atoms for one in found),
        )
        for name in names
    )


def _strategies(
    scenario: Scenario, outcomes: Sequence[MarketOutcome], gains: Integers, timing: Timing
) -> list[StrategyRecord]:
    found, base = [], 0
    for number, population in enumerate(scenario.world.populations):
        own = gains[base : base + population.heads]
        sums = [one.sums[:, number] for one in outcomes]
        times = outcomes[0].record.quotes["time_us"]
        closed = timing.closed.get(number, [])
        standings = _standings(population, sums, times, closed)
        inventory = np.stack([one[:, HELD] for one in sums], axis=1)
        capital = population.heads * population.capital_atoms
        found.append(
            StrategyRecord(
                population.name,
                population.strategy,
                population.heads,
                capital,
                standings,
                inventory,
                own,
                population.kind.makes_markets,
            )
        )
        base += population.heads
    return found


def _standings(
    population: PopulationDescription, sums: list[Integers], times: Integers, closed: list[int]
) -> npt.NDArray[np.void]:
    total = np.sum(sums, axis=0)
    rows = np.zeros(len(times), STANDING)
    rows["time_us"] = times
    rows["equity_atoms"] = population.heads * population.capital_atoms + total[:, VALUE]
    rows["fees_atoms"], rows["funding_atoms"] = total[:, PAID], total[:, FUNDED]
    rows["volume_atoms"] = saturated_sum([one[:, TRADED] for one in sums])
    rows["liquidated_traders"][: len(closed)] = closed[: len(times)]
    return rows
