"""Lives the lives of pools, and writes beside each step what the pool answered and what changed.

Each step is answered when it is asked for, and a pool is forgotten with the last step of its life:
a few hundred bytes of a file may be answered with millions.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sim.pool.fields import Fields, SequenceError
from sim.pool.observations import Observation
from sim.pool.positions import Position
from sim.pool.reverts import Reverted
from sim.pool.sequences import ASKED_FIELDS, Answer, Life, life_of, operation_of
from sim.pool.store import PoolState
from sim.pool.ticks import Tick
from sim.pool.words import Pair

DOCUMENT_FIELDS = ("about", "sequences")
USUAL_WALK_STEPS, LONG_WALK_STEPS_MAX = 100, 10_000_000
"""A swap goes from word to word of the bitmap, a few of them or, through the whole range of prices
with a little liquidity everywhere, up to 6,932: that is more gas than a block has. Steps beyond the
usual ones are counted for a whole file."""

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class AnsweredLife:
    """A sequence: its fields without the steps, and these with their answers, each told once."""

    fields: Answer
    steps: Iterator[Answer]


@dataclass(frozen=True)
class AnsweredLives:
    """A document: its fields without the sequences, and these, each to be told to its end before
    the next is asked for. Telling raises SequenceError, which names the place."""

    fields: Answer
    sequences: Iterator[AnsweredLife]


def replayed(document: object) -> AnsweredLives:
    """The document with every step answered. Raises SequenceError."""
    asked = Fields(document, "")
    asked.only(DOCUMENT_FIELDS)
    return AnsweredLives(asked.without("sequences"), _lives(asked))


def _lives(asked: Fields) -> Iterator[AnsweredLife]:
    walks = _Walks()
    for number, sequence in enumerate(asked.many("sequences")):
        fields = Fields(sequence, f"sequences[{number}]")
        yield AnsweredLife(fields.without("steps"), _steps(fields, walks))


def _steps(sequence: Fields, walks: "_Walks") -> Iterator[Answer]:
    life = life_of(sequence)
    for number, step in enumerate(sequence.many("steps")):
        fields = Fields(step, f"{sequence.place('steps')}[{number}]")
        before = life.pool.steps_walked
        answered = _replayed_step(life, fields)
        walks.add(life.pool.steps_walked - before, fields)
        yield answered


class _Walks:
    """The steps of a file's long swaps."""

    def __init__(self) -> None:
        self._steps = 0

    def add(self, steps: int, of: Fields) -> None:
        self._steps += max(steps - USUAL_WALK_STEPS, 0)
        if self._steps > LONG_WALK_STEPS_MAX:
            raise SequenceError(
                f"{of.place('in')}: found swaps that go through more than {LONG_WALK_STEPS_MAX}"
                f" words of ticks in all beyond the first {USUAL_WALK_STEPS} of each, allowed is"
                " less in one file"
            )


def _replayed_step(life: Life, step: Fields) -> dict[str, Any]:
    operation = operation_of(step, life)
    asked = Fields(step.found("in", "an object"), step.place("in"))
    asked.only(operation.fields)
    told = {name: step.value[name] for name in ASKED_FIELDS}
    try:
        told["out"] = operation.answer(life, asked)
    except Reverted as reverted:
        return told | {"revert": reverted.reason}
    return told | (_after(life) if operation.writes else {})


def _after(life: Life) -> Answer:
    """The whole state, and of the rest what is another than before."""
    changes = life.pool.changed()
    positions = {
        f"{life.names[key.owner]}:{key.tick_lower}:{key.tick_upper}": position
        for key, position in changes.positions.items()
    }
    changed = {
        "ticks": _told(changes.ticks, _tick),
        "positions": _told(positions, _position),
        "observations": _told(changes.observations, _observation),
    }
    return {"state": _state(life.pool.state), **{name: it for name, it in changed.items() if it}}


def _told(changed: Mapping[Any, Kept], tell: Callable[[Kept], Answer]) -> Answer:
    return {str(key): tell(changed[key]) for key in sorted(changed)}


def _pair(name: str, numbers: Pair) -> Answer:
    """One field for each token, whose number stands in the place of the #."""
    return {name.replace("#", str(token)): str(number) for token, number in enumerate(numbers)}


def _state(state: PoolState) -> Answer:
    return {
        "sqrtPriceX96": str(state.sqrt_price_x96),
        "tick": state.tick,
        "observationIndex": state.observation_index,
        "observationCardinality": state.observation_cardinality,
        "observationCardinalityNext": state.observation_cardinality_next,
        "feeProtocol": state.fee_protocol,
        "liquidity": str(state.liquidity),
        **_pair("feeGrowthGlobal#X128", state.fee_growth_global_x128),
        **_pair("protocolFees#", state.protocol_fees),
        **_pair("balance#", state.balances),
    }


def _tick(tick: Tick) -> Answer:
    return {
        "liquidityGross": str(tick.liquidity_gross),
        "liquidityNet": str(tick.liquidity_net),
        **_pair("feeGrowthOutside#X128", tick.outside.fee_growth_x128),
        "tickCumulativeOutside": str(tick.outside.tick_cumulative),
        "secondsPerLiquidityOutsideX128": str(tick.outside.seconds_per_liquidity_x128),
        "secondsOutside": tick.outside.seconds,
        "initialized": tick.initialized,
    }


def _position(position: Position) -> Answer:
    return {
        "liquidity": str(position.liquidity),
        **_pair("feeGrowthInside#LastX128", position.fee_growth_inside_last_x128),
        **_pair("tokensOwed#", position.tokens_owed),
    }


def _observation(observation: Observation) -> Answer:
    return {
        "blockTimestamp": observation.time_s,
        "tickCumulative": str(observation.tick_cumulative),
        "secondsPerLiquidityCumulativeX128": str(observation.seconds_per_liquidity_x128),
        "initialized": observation.initialized,
    }
