"""Lives the lives of pools, and writes beside each step what the pool answered and what changed."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sim.pool.fields import Fields
from sim.pool.observations import Observation
from sim.pool.positions import Position
from sim.pool.reverts import Reverted
from sim.pool.sequences import ASKED_FIELDS, Answer, Life, life_of, operation_of
from sim.pool.store import PoolState
from sim.pool.ticks import Tick
from sim.pool.words import Pair

DOCUMENT_FIELDS = ("about", "sequences")
Kept = TypeVar("Kept")


def replayed(document: object) -> dict[str, Any]:
    """The document with every step answered. Raises SequenceError, which names the place."""
    asked = Fields(document, "")
    asked.only(DOCUMENT_FIELDS)
    sequences = [
        _replayed_sequence(Fields(sequence, f"sequences[{number}]"))
        for number, sequence in enumerate(asked.many("sequences"))
    ]
    return asked.value | {"sequences": sequences}


def _replayed_sequence(sequence: Fields) -> dict[str, Any]:
    life = life_of(sequence)
    steps = [
        _replayed_step(life, Fields(step, f"{sequence.place('steps')}[{number}]"))
        for number, step in enumerate(sequence.many("steps"))
    ]
    return sequence.value | {"steps": steps}


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
    names = {address: name for name, address in life.owners.items()}
    positions = {
        f"{names[key.owner]}:{key.tick_lower}:{key.tick_upper}": position
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
