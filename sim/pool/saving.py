"""A pool as bytes, and back: JSON of all that it remembers, in one order."""

import json
from typing import Any

from sim.pool.observations import Observation
from sim.pool.pool import Pool
from sim.pool.positions import Position, PositionKey
from sim.pool.store import PoolState
from sim.pool.ticks import Grown, Tick

FORMAT = 1


def pool_bytes(pool: Pool) -> bytes:
    """The same for pools that will answer the same."""
    store, state = pool.store, pool.state
    document = {
        "format": FORMAT,
        "fee_pips": store.fee_pips,
        "tick_spacing": store.tick_spacing,
        "state": [getattr(state, name) for name in PoolState.__slots__],
        "ticks": [[number, *_tick(tick)] for number, tick in sorted(store.ticks.items())],
        "bitmap": sorted(store.bitmap.items()),
        "positions": [
            [key.owner.hex(), key.tick_lower, key.tick_upper, *_fields(position)]
            for key, position in sorted(store.positions.items())
        ],
        "observations": [
            [index, *_fields(slot)] for index, slot in sorted(store.observations.items())
        ],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def pool_of(saved: bytes) -> Pool:
    """Raises ValueError where the bytes are not what pool_bytes gave."""
    try:
        document = json.loads(saved)
        if document["format"] != FORMAT:
            raise ValueError(f"a pool of format {document['format']}, which is not {FORMAT}")
        return _pool(document)
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"the bytes of a pool are damaged: {error!r}") from error


def _pool(document: dict[str, Any]) -> Pool:
    pool = Pool(document["fee_pips"], document["tick_spacing"])
    store = pool.store
    store.state = PoolState(*(_paired(one) for one in document["state"]))
    for number, gross, net, outside, initialized in document["ticks"]:
        grown = Grown(*(_paired(one) for one in outside))
        store.ticks.put(number, Tick(gross, net, grown, initialized))
    for word, bits in document["bitmap"]:
        store.bitmap.put(word, bits)
    for owner, lower, upper, liquidity, growth, owed in document["positions"]:
        key = PositionKey(bytes.fromhex(owner), lower, upper)
        store.positions.put(key, Position(liquidity, _paired(growth), _paired(owed)))
    for index, *fields in document["observations"]:
        store.observations.put(index, Observation(*fields))
    return pool


def _tick(tick: Tick) -> list[Any]:
    gross, net, outside, initialized = _fields(tick)
    return [gross, net, _fields(outside), initialized]


def _fields(value: Any) -> list[Any]:
    return [getattr(value, name) for name in type(value).__dataclass_fields__]


def _paired(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
