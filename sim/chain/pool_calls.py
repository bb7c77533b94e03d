"""What a block asked of pools, as bytes that its pools are rebuilt from."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from sim.chain.pool_host import PoolCall
from sim.pool.words import Pair


class KeptCall(NamedTuple):
    """A call of a pool, by one who had so much of both tokens."""

    pool_id: int
    purse: Pair
    call: PoolCall


def calls_bytes(calls: Iterable[tuple[int, Pair, PoolCall]]) -> bytes:
    """JSON: a list for each call, the caller's address in hexadecimal."""
    rows = [
        [pool_id, purse, call.kind, call.owner.hex(), *call[2:]] for pool_id, purse, call in calls
    ]
    return json.dumps(rows, separators=(",", ":")).encode()


def calls_of(kept: bytes) -> list[KeptCall]:
    """Raises ValueError, TypeError where the bytes are something else."""
    found = []
    for pool_id, purse, kind, owner, prices, *rest in json.loads(kept):
        call = PoolCall(kind, bytes.fromhex(owner), (prices[0], prices[1]), *rest)
        found.append(KeptCall(pool_id, (purse[0], purse[1]), call))
    return found
