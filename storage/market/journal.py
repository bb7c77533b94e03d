"""The only point of truth: a market's head, moved with its journal in one fenced statement."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from sim.book.engine import MarketEngine
from sim.rows.packed_batches import JournalBatch, unpacked
from storage.errors import CorruptState, Superseded, wrapped
from storage.market.depth import LEVELS_MAX, levels_to_bytes
from storage.market.markets import EMPTY_CHAIN

SNAPSHOTS_KEPT = 3
"""The newest of each market; beside them, anchors."""

ANCHOR_EVERY_US = 3_600_000_000
"""A snapshot of an hour is an anchor: it stays until the journal is cut off behind a later one."""

ACQUIRE = """
UPDATE market_heads SET epoch = epoch + 1 WHERE market_id = %s
RETURNING epoch, batch_no, command_seq, event_seq, chain"""
HEAD = (
    "SELECT epoch, batch_no, command_seq, event_seq, chain FROM market_heads WHERE market_id = %s"
)
HEAD_BATCH = "SELECT batch_no FROM market_heads WHERE market_id = %s"
COMMIT = """
WITH moved AS (
    UPDATE market_heads SET batch_no = %(batch_no)s, command_seq = %(command_seq)s,
        event_seq = %(event_seq)s, chain = %(chain)b
    WHERE market_id = %(market_id)s AND epoch = %(epoch)s AND batch_no = %(batch_no)s::bigint - 1
    RETURNING market_id),
written AS (
    INSERT INTO journal (market_id, batch_no, epoch, command_seq, event_seq, time_us, strategies,
        inputs, events, chain)
    SELECT market_id, %(batch_no)s, %(epoch)s, %(command_seq)s, %(event_seq)s, %(time_us)s,
        %(strategies)s, %(inputs)b, %(events)b, %(chain)b FROM moved),
seen AS (
    UPDATE market_views v SET event_seq = %(event_seq)s, at_us = %(time_us)s,
        best_bid_ticks = %(best_bid)s, best_ask_ticks = %(best_ask)s,
        last_price_ticks = %(last_price)s, bids = %(bids)b, asks = %(asks)b
    FROM moved WHERE v.market_id = moved.market_id),
opened AS (
    UPDATE markets m SET status = %(status)s FROM moved
    WHERE m.market_id = moved.market_id AND m.status <> %(status)s AND m.halt_reason IS NULL)
SELECT count(*) FROM moved"""
LAST_STAMP = "SELECT at_us FROM market_views WHERE market_id = %s"
NEWEST_SNAPSHOT = """
SELECT batch_no, command_seq, state_hash, strategies, state FROM snapshots
WHERE market_id = %s AND batch_no <= %s ORDER BY batch_no DESC LIMIT 1"""
JOURNAL_AFTER = """
SELECT batch_no, command_seq, event_seq, strategies, inputs, events, chain FROM journal
WHERE market_id = %s AND batch_no > %s ORDER BY batch_no LIMIT %s"""
EVENTS_AFTER = """
SELECT batch_no, command_seq, event_seq, time_us, events FROM journal
WHERE market_id = %s AND batch_no > %s ORDER BY batch_no LIMIT %s"""
PACK_AFTER = """
SELECT first_batch, chain_before, chain, data FROM journal_packs
WHERE market_id = %s AND last_batch > %s ORDER BY last_batch LIMIT 1"""
CHAIN_AFTER = """
SELECT chain FROM journal WHERE market_id = %(market)s AND batch_no = %(batch_no)s
UNION ALL SELECT chain FROM journal_packs
    WHERE market_id = %(market)s AND last_batch = %(batch_no)s
UNION ALL SELECT chain_before FROM journal_packs
    WHERE market_id = %(market)s AND first_batch = %(batch_no)s::bigint + 1
UNION ALL SELECT chain FROM snapshots
    WHERE market_id = %(market)s AND batch_no = %(batch_no)s AND chain IS NOT NULL
LIMIT 1"""
WRITE_SNAPSHOT = """
INSERT INTO snapshots (market_id, batch_no, command_seq, state_hash, strategies, state, chain,
    created_at_us, is_anchor)
SELECT x.market_id, %s, %s, %b, %s, %b, %b, x.now, NOT EXISTS (
    SELECT 1 FROM snapshots s WHERE s.market_id = x.market_id AND s.is_anchor
    AND s.created_at_us > x.now - %s)
FROM (VALUES (%s::text, %s::bigint)) AS x(market_id, now) ON CONFLICT DO NOTHING"""
DROP_SNAPSHOTS = """
DELETE FROM snapshots WHERE market_id = %(market)s AND NOT is_anchor AND batch_no < (
    SELECT min(batch_no) FROM (SELECT batch_no FROM snapshots WHERE market_id = %(market)s
    ORDER BY batch_no DESC LIMIT %(kept)s) AS newest)"""
PRICES = "SELECT index_ticks, mark_ticks FROM market_prices WHERE market_id = %s"


@dataclass(frozen=True)
class Head:
    """Where a market is: its fence, and how far it has come."""

    epoch: int
    batch_no: int
    command_seq: int
    event_seq: int
    chain: bytes


@dataclass(frozen=True)
class Batch:
    """One batch as it is journalled. `strategies` are (number, batch number) applied in it."""

    market_id: str
    head: Head
    time_us: int
    strategies: dict[int, int]
    inputs: bytes
    events: bytes


@dataclass(frozen=True)
class View:
    """What the public sees of a book after a batch. Levels: shape (n, 3), ticks, lots, orders."""

    status: int
    best_bid_ticks: int
    best_ask_ticks: int
    last_price_ticks: int
    bids: Any
    asks: Any


def view_of(engine: MarketEngine) -> View:
    """The View of an engine as it is now."""
    bids, asks = engine.depth(LEVELS_MAX)
    return View(
        int(engine.status),
        engine.best_bid_ticks,
        engine.best_ask_ticks,
        engine.last_price_ticks,
        bids,
        asks,
    )


def next_chain(chain: bytes, inputs: bytes, events: bytes) -> bytes:
    """The journal's running hash after one more batch."""
    digest = hashlib.blake2b(chain, digest_size=32)
    digest.update(len(inputs).to_bytes(8, "little"))
    digest.update(inputs)
    digest.update(events)
    return digest.digest()


def head_from_row(row: tuple[Any, ...]) -> Head:
    """A Head from the columns of HEAD, in their order."""
    epoch, batch_no, command_seq, event_seq, chain = row
    return Head(epoch, batch_no, command_seq, event_seq, bytes(chain))


def acquire(connection: psycopg.Connection[Any], market_id: str) -> Head:
    """Take the market over: whoever held it before can change nothing any more."""
    with wrapped():
        row = connection.execute(ACQUIRE, (market_id,)).fetchone()
    if row is None:
        raise CorruptState(f"{market_id} has no head")
    return head_from_row(row)


def head_batch(connection: psycopg.Connection[Any], market_id: str) -> int:
    """The number of a market's last batch."""
    with wrapped():
        row = connection.execute(HEAD_BATCH, (market_id,)).fetchone()
    return int(row[0]) if row else 0


def commit_batch(connection: psycopg.Connection[Any], batch: Batch, view: View) -> None:
    """Journal a batch and move the head, or raise Superseded.

    After a lost connection, call again: a batch that went through is recognised
    by its epoch, number and chain.
    """
    values = {
        **{name: getattr(batch.head, name) for name in Head.__dataclass_fields__},
        "market_id": batch.market_id,
        "time_us": batch.time_us,
        "strategies": json.dumps(batch.strategies),
        "inputs": batch.inputs,
        "events": batch.events,
        "status": view.status,
        "best_bid": view.best_bid_ticks,
        "best_ask": view.best_ask_ticks,
        "last_price": view.last_price_ticks,
        "bids": levels_to_bytes(view.bids),
        "asks": levels_to_bytes(view.asks),
    }
    with wrapped():
        moved = connection.execute(COMMIT, values).fetchone()
        if moved is not None and moved[0] == 1:
            return
        row = connection.execute(HEAD, (batch.market_id,)).fetchone()
    if row is None or head_from_row(row) != batch.head:
        raise Superseded(f"{batch.market_id}: epoch {batch.head.epoch} is over")


def last_stamp_us(connection: psycopg.Connection[Any], market_id: str) -> int:
    """The time of the last batch, which no event of the market is later than."""
    with wrapped():
        row = connection.execute(LAST_STAMP, (market_id,)).fetchone()
    return int(row[0]) if row else 0


def snapshots_up_to(
    connection: psycopg.Connection[Any], market_id: str, batch_no: int
) -> Iterator[tuple[Any, ...]]:
    """Newest first: (batch_no, command_seq, state_hash, strategies, state)."""
    while True:
        with wrapped():
            found = connection.execute(NEWEST_SNAPSHOT, (market_id, batch_no), binary=True)
            row = found.fetchone()
        if row is None:
            return
        yield row
        batch_no = row[0] - 1


def journal_after(
    connection: psycopg.Connection[Any], market_id: str, batch_no: int, limit: int
) -> list[tuple[Any, ...]]:
    """(batch_no, command_seq, event_seq, strategies, inputs, events, chain), in order.

    A caller that does not get batch_no + 1 first has asked below what is kept. Raises CorruptState.
    """
    with wrapped():
        found = connection.execute(JOURNAL_AFTER, (market_id, batch_no, limit), binary=True)
        rows = found.fetchall()
    if not rows or rows[0][0] == batch_no + 1:
        return rows
    return [
        (b.batch_no, b.command_seq, b.event_seq, json.dumps(b.strategies), b.inputs, b.events, c)
        for b, c in packed_after(connection, market_id, batch_no, limit)
    ] or rows


def events_after(
    connection: psycopg.Connection[Any], market_id: str, batch_no: int, limit: int
) -> list[tuple[Any, ...]]:
    """(batch_no, command_seq, event_seq, time_us, events), in order. Raises CorruptState."""
    with wrapped():
        found = connection.execute(EVENTS_AFTER, (market_id, batch_no, limit), binary=True)
        rows = found.fetchall()
    if not rows or rows[0][0] == batch_no + 1:
        return rows
    return [
        (batch.batch_no, batch.command_seq, batch.event_seq, batch.time_us, batch.events)
        for batch, _ in packed_after(connection, market_id, batch_no, limit)
    ] or rows


def packed_after(
    connection: psycopg.Connection[Any], market_id: str, batch_no: int, limit: int
) -> list[tuple[JournalBatch, bytes]]:
    """Batches of the next pack that reaches above `batch_no`, each with the chain after it.

    The head's own row is never packed: whoever finds rows above a gap looks here afterwards, and
    a pack appears in the transaction that takes its rows away. Raises CorruptState.
    """
    with wrapped():
        row = connection.execute(PACK_AFTER, (market_id, batch_no), binary=True).fetchone()
    if row is None:
        return []
    chained = opened(market_id, *row)
    return [(batch, chain) for batch, chain in chained if batch.batch_no > batch_no][:limit]


def opened(
    market_id: str, first_batch: int, chain_before: bytes, chain: bytes, data: bytes
) -> list[tuple[JournalBatch, bytes]]:
    """A pack's batches, each with the chain after it. Raises CorruptState."""
    try:
        batches = unpacked(bytes(data))
    except ValueError as error:
        raise CorruptState(f"{market_id}: the pack of batch {first_batch}: {error}") from error
    running, chained = bytes(chain_before), []
    for batch in batches:
        running = next_chain(running, batch.inputs, batch.events)
        chained.append((batch, running))
    if running != bytes(chain) or batches[0].batch_no != first_batch:
        raise CorruptState(f"{market_id}: the pack of batch {first_batch} is not what was written")
    return chained


def chain_after(connection: psycopg.Connection[Any], market_id: str, batch_no: int) -> bytes | None:
    """The journal's running hash after a batch; None for one that is not kept."""
    if batch_no == 0:
        return EMPTY_CHAIN
    with wrapped():
        place = {"market": market_id, "batch_no": batch_no}
        row = connection.execute(CHAIN_AFTER, place, binary=True).fetchone()
    if row is not None:
        return bytes(row[0])
    for batch, chain in packed_after(connection, market_id, batch_no - 1, 1):
        if batch.batch_no == batch_no:
            return chain
    return None


def write_snapshot(
    connection: psycopg.Connection[Any],
    market_id: str,
    head: Head,
    strategies: dict[int, int],
    state: bytes,
    state_hash: bytes,
    now_us: int,
) -> None:
    """Keep a market's state, and drop all but the newest few and the anchors."""
    values = (head.batch_no, head.command_seq, state_hash, json.dumps(strategies), state)
    place = (head.chain, ANCHOR_EVERY_US, market_id, now_us)
    with wrapped(), connection.transaction():
        connection.execute(WRITE_SNAPSHOT, (*values, *place))
        connection.execute(DROP_SNAPSHOTS, {"market": market_id, "kept": SNAPSHOTS_KEPT})


def prices(connection: psycopg.Connection[Any], market_id: str) -> tuple[int, int]:
    """Index and mark in ticks; zeros while there are none."""
    with wrapped():
        row = connection.execute(PRICES, (market_id,)).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def strategies_from_text(text: str) -> dict[int, int]:
    """Last batch number by strategy, as stored."""
    return {int(number): int(batch) for number, batch in json.loads(text).items()}
