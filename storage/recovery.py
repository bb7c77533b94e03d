"""A market's way back: newest good snapshot, then the journal's tail, checked to the last hash."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import psycopg
import structlog

from sim.engine import MarketEngine
from sim.market import MarketSpec
from sim.messages import COMMAND
from storage.errors import CorruptState
from storage.journal import (
    Head,
    acquire,
    chain_after,
    journal_after,
    next_chain,
    snapshots_up_to,
    strategies_from_text,
)
from storage.markets import EMPTY_CHAIN

REPLAY_BATCHES_MAX = 500
"""Journal rows fetched at a time while replaying."""

log = structlog.get_logger()


@dataclass
class Recovered:
    """A market taken over and rebuilt. `strategies` are the last batch numbers applied."""

    head: Head
    engine: MarketEngine
    strategies: dict[int, int]


def recover(connection: psycopg.Connection[Any], spec: MarketSpec) -> Recovered:
    """Take the market over and rebuild it. Raises CorruptState where hashes disagree."""
    head = acquire(connection, spec.market_id)
    for batch_no, _, state_hash, strategies, state in snapshots_up_to(
        connection, spec.market_id, head.batch_no
    ):
        engine = restored(spec, bytes(state), bytes(state_hash))
        if engine is None:
            log.error("snapshot_is_damaged", market=spec.market_id, batch_no=batch_no)
            continue
        found = Recovered(head, engine, strategies_from_text(strategies))
        return replay(connection, found, batch_no, chain_at(connection, spec, batch_no))
    return replay(connection, Recovered(head, MarketEngine(spec), {}), 0, EMPTY_CHAIN)


def restored(spec: MarketSpec, state: bytes, state_hash: bytes) -> MarketEngine | None:
    """The engine of a snapshot; None for one that is damaged, whose bytes no kernel may read."""
    if blake2b(state, digest_size=32).digest() != state_hash:
        return None
    engine = MarketEngine.restore(spec, state)
    return engine if engine.state_hash() == state_hash else None


def chain_at(connection: psycopg.Connection[Any], spec: MarketSpec, batch_no: int) -> bytes:
    """The journal's running hash after a batch."""
    chain = chain_after(connection, spec.market_id, batch_no)
    if chain is None:
        raise CorruptState(f"{spec.market_id}: batch {batch_no} is not in the journal")
    return chain


def replay(
    connection: psycopg.Connection[Any], found: Recovered, batch_no: int, chain: bytes
) -> Recovered:
    """Apply the journal above `batch_no`; every event must come out as it was written."""
    market_id = found.engine.spec.market_id
    while rows := journal_after(connection, market_id, batch_no, REPLAY_BATCHES_MAX):
        for number, _, _, strategies, inputs, events, written_chain in rows:
            chain = next_chain(chain, bytes(inputs), bytes(events))
            if chain != bytes(written_chain) or number != batch_no + 1:
                raise CorruptState(f"{market_id}: batch {number} is not what was written")
            again = found.engine.apply(np.frombuffer(inputs, dtype=COMMAND)).tobytes()
            if again != bytes(events):
                raise CorruptState(f"{market_id}: batch {number} does not replay as it was")
            found.strategies.update(strategies_from_text(strategies))
            batch_no = number
    if (batch_no, chain) != (found.head.batch_no, found.head.chain):
        raise CorruptState(f"{market_id}: the journal does not end where the head is")
    return found
