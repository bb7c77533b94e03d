"""What a pool remembers, and how a revert undoes what a call has done so far."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from sim.pool.observations import Moment, Observation, Ring, observed, written
from sim.pool.positions import Position, PositionKey
from sim.pool.reverts import Reverted
from sim.pool.ticks import Grown, Tick, max_liquidity_per_tick
from sim.pool.words import Pair, wrapped

Key = TypeVar("Key")
Value = TypeVar("Value")


class Undoable(dict[Key, Value], Generic[Key, Value]):
    """A mapping as the chain has them: what was never written is zero, and takes no room.

    It knows what has been written since `begin`.
    """

    def __init__(self, zero: Value) -> None:
        super().__init__()
        self._zero = zero
        self._before: dict[Key, Value] = {}

    def __missing__(self, key: Key) -> Value:
        return self._zero

    def put(self, key: Key, value: Value) -> None:
        self._before.setdefault(key, self[key])
        self._set(key, value)

    def _set(self, key: Key, value: Value) -> None:
        if value == self._zero:
            self.pop(key, None)
        else:
            self[key] = value

    def begin(self) -> None:
        self._before = {}

    def undo(self) -> None:
        for key, value in self._before.items():
            self._set(key, value)
        self.begin()

    def changed(self) -> dict[Key, Value]:
        """What is another now than at `begin`."""
        return {key: self[key] for key, value in self._before.items() if self[key] != value}


@dataclass(frozen=True, slots=True)
class PoolState:
    """All that a pool has once.

    fee_protocol   a fee's share for the protocol, one part of so many: token0's + 16 · token1's
    balances       of the tokens, as they themselves would tell
    """

    sqrt_price_x96: int = 0
    tick: int = 0
    observation_index: int = 0
    observation_cardinality: int = 0
    observation_cardinality_next: int = 0
    fee_protocol: int = 0
    liquidity: int = 0
    fee_growth_global_x128: Pair = (0, 0)
    protocol_fees: Pair = (0, 0)
    balances: Pair = (0, 0)

    @property
    def fee_protocols(self) -> Pair:
        return self.fee_protocol % 16, self.fee_protocol >> 4


@dataclass(frozen=True, slots=True)
class Changes:
    """What the last call has changed beside the state: what it is now, by tick, key and index."""

    ticks: dict[int, Tick]
    positions: dict[PositionKey, Position]
    observations: dict[int, Observation]


class Store:
    """A pool's memory: state, ticks, the bits of initialised ones, positions, observations.

    steps_walked   of all swaps so far, also of those that came to nothing
    """

    def __init__(self, fee_pips: int, tick_spacing: int) -> None:
        self.fee_pips = fee_pips
        self.tick_spacing = tick_spacing
        self.liquidity_per_tick_max = max_liquidity_per_tick(tick_spacing)
        self.steps_walked = 0
        self.state = PoolState()
        self.ticks: Undoable[int, Tick] = Undoable(Tick())
        self.bitmap: Undoable[int, int] = Undoable(0)
        self.positions: Undoable[PositionKey, Position] = Undoable(Position())
        self.observations: Undoable[int, Observation] = Undoable(Observation())
        self._mappings: list[Undoable[Any, Any]] = [
            *(self.ticks, self.bitmap, self.positions, self.observations)
        ]

    @contextmanager
    def call(self) -> Iterator[None]:
        """Inside, a revert leaves everything as it was."""
        state = self.state
        for mapping in self._mappings:
            mapping.begin()
        try:
            yield
        except Reverted:
            self.state = state
            for mapping in self._mappings:
                mapping.undo()
            raise

    def changed(self) -> Changes:
        return Changes(self.ticks.changed(), self.positions.changed(), self.observations.changed())

    def set(self, **fields: Any) -> None:
        self.state = replace(self.state, **fields)

    @property
    def ring(self) -> Ring:
        state = self.state
        return Ring(self.observations, state.observation_index, state.observation_cardinality)

    def moment(self, time_s: int) -> Moment:
        """Now, with the tick and the liquidity that have held until now."""
        return Moment(wrapped(time_s, 32), self.state.tick, self.state.liquidity)

    def observe_now(self, time_s: int) -> None:
        """Writes an observation, before tick or liquidity change."""
        state = self.state
        new = written(self.ring, self.moment(time_s), state.observation_cardinality_next)
        self.observations.put(new.index, new.observation)
        self.set(observation_index=new.index, observation_cardinality=new.cardinality)

    def grown(self, time_s: int) -> Grown:
        """All that has grown until now."""
        moment = self.moment(time_s)
        now = observed(self.ring, moment, 0)
        return Grown(
            self.state.fee_growth_global_x128,
            now.tick_cumulative,
            now.seconds_per_liquidity_x128,
            moment.time_s,
        )
