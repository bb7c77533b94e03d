"""A market's way back: newest good snapshot, then the journal's tail, checked to the last hash."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import psycopg
import structlog

from sim.book.damage import DamagedState
from sim.book.engine import MarketEngine
from sim.book.retold import replayed
from sim.market import MarketSpec
from storage.errors import CorruptState
from storage.market.journal import (
    Head,
    acquire,
    chain_after,
    journal_after,
    last_stamp_us,
    next_chain,
    snapshots_up_to,
    strategies_from_text,
)
from storage.market.markets import EMPTY_CHAIN

REPLAY_BATCHES_MAX = 500
"""Journal rows fetched at a time while replaying."""

log = structlog.get_logger()


@dataclass
class Recovered:
    """A market taken over and rebuilt.

    strategies  the last batch numbers applied
    last_us     the latest time that anything of the market was stamped with
    """

    head: Head
    engine: MarketEngine
    strategies: dict[int, int]
    last_us: int


@dataclass(frozen=True)
class Start:
    """A state after `batch_no` to replay from, and the journal's running hash there."""

    found: Recovered
    batch_no: int
    chain: bytes


def recover(connection: psycopg.Connection[Any], spec: MarketSpec) -> Recovered:
    """Take the market over and rebuild it, from the newest start that leads to the head.

    Raises CorruptState where none does: what the newest sound one met.
    """
    head = acquire(connection, spec.market_id)
    first_met: CorruptState | None = None
    for start in starts(connection, spec, head):
        try:
            return replay(connection, start)
        except CorruptState as error:
            first_met = first_met or error
            log.error("start_leads_nowhere", batch_no=start.batch_no, error=str(error))
    assert first_met is not None, "the empty market is always tried"
    raise first_met


def starts(connection: psycopg.Connection[Any], spec: MarketSpec, head: Head) -> Iterator[Start]:
    """Sound snapshots, newest first, then the empty market."""
    last_us = last_stamp_us(connection, spec.market_id)
    for batch_no, _, state_hash, strategies, state in snapshots_up_to(
        connection, spec.market_id, head.batch_no
    ):
        try:
            engine = restored(spec, bytes(state), bytes(state_hash))
            cursors = strategies_from_text(strategies)
        except Exception as error:  # of another format, or damaged: whatever reading it raises
            told = f"{type(error).__name__}: {error}"
            log.error("snapshot_passed_over", market=spec.market_id, batch_no=batch_no, error=told)
            continue
        try:
            chain = chain_at(connection, spec, batch_no)
        except CorruptState as error:
            log.error("snapshot_without_its_batch", market=spec.market_id, error=str(error))
            continue
        yield Start(Recovered(head, engine, cursors, last_us), batch_no, chain)
    yield Start(Recovered(head, MarketEngine(spec), {}, last_us), 0, EMPTY_CHAIN)


def chain_at(connection: psycopg.Connection[Any], spec: MarketSpec, batch_no: int) -> bytes:
    """The journal's running hash after a batch. Raises CorruptState where it is not there."""
    chain = chain_after(connection, spec.market_id, batch_no)
    if chain is None:
        raise CorruptState(f"{spec.market_id}: batch {batch_no} is not in the journal")
    return chain


def restored(spec: MarketSpec, state: bytes, state_hash: bytes) -> MarketEngine:
    """The engine of a snapshot. Raises ValueError for one that is damaged."""
    if blake2b(state, digest_size=32).digest() != state_hash:
        raise ValueError("its bytes are not those that were hashed")
    engine = MarketEngine.restore(spec, state)
    if engine.state_hash() != state_hash:
        raise ValueError("the engine that it makes is another")
    return engine


def replay(connection: psycopg.Connection[Any], start: Start) -> Recovered:
    """Apply the journal above a start; every event must come out as it was written."""
    found, batch_no, chain = start.found, start.batch_no, start.chain
    market_id = found.engine.spec.market_id
    while rows := journal_after(connection, market_id, batch_no, REPLAY_BATCHES_MAX):
        for number, _, _, strategies, inputs, events, written_chain in rows:
            chain = next_chain(chain, bytes(inputs), bytes(events))
            if chain != bytes(written_chain) or number != batch_no + 1:
                raise CorruptState(f"{market_id}: batch {number} is not what was written")
            try:
                found.engine = replayed(found.engine, bytes(inputs), bytes(events))
            except DamagedState as error:
                raise CorruptState(f"{market_id}: batch {number} {error}") from None
            found.strategies.update(strategies_from_text(strategies))
            batch_no = number
    if (batch_no, chain) != (found.head.batch_no, found.head.chain):
        raise CorruptState(f"{market_id}: the journal does not end where the head is")
    return found
