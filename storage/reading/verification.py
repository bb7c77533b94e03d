"""A market's whole journal, checked: every hash, every event again, every snapshot and the head."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import psycopg

from sim.book.damage import DamagedState
from sim.book.engine import MarketEngine
from sim.book.retold import NOT_AS_IT_WAS, replayed
from sim.market import MarketSpec
from storage.errors import wrapped
from storage.market.chain_walk import BrokenChain, ChainWalk, Row
from storage.market.journal import HEAD, Head, head_from_row
from storage.market.recovery import restored

ROWS_A_TIME = 500

SNAPSHOTS = "SELECT batch_no, state_hash FROM snapshots WHERE market_id = %s"
STATE = "SELECT state FROM snapshots WHERE market_id = %s AND batch_no = %s"


@dataclass(frozen=True)
class Verified:
    """What was checked of one market. `fault` is None where all of it is as it was written.

    replayed_from   the batch after which the engine was known: 0 for the very start
    """

    market_id: str
    first: int | None
    last: int
    replayed_from: int | None
    snapshots: int
    bad_batch: int | None = None
    fault: str | None = None


class Verification:
    """One market's. Reads, and changes nothing: the market may go on meanwhile."""

    def __init__(self, connection: psycopg.Connection[Any], spec: MarketSpec) -> None:
        self._connection, self._spec = connection, spec
        self._walk = ChainWalk(spec)
        self._engine: MarketEngine | None = None
        self._replayed_from: int | None = None
        self._agreed = 0
        with wrapped():
            found = connection.execute(HEAD, (spec.market_id,)).fetchone()
            states = connection.execute(SNAPSHOTS, (spec.market_id,)).fetchall()
        assert found is not None, "a listed market has a head"
        self._head: Head = head_from_row(found)
        self._hashes = {int(row[0]): bytes(row[1]) for row in states}

    def run(self) -> Verified:
        """To the head, or to the first batch that is not as it was."""
        try:
            self._walk_to_head()
            self._check_head()
        except BrokenChain as error:
            return self._verdict(error.batch_no, str(error))
        return self._verdict(None, None)

    def _walk_to_head(self) -> None:
        while self._walk.batch_no < self._head.batch_no:
            rows = self._walk.next_rows(self._connection, ROWS_A_TIME)
            if not rows:
                return
            for row in rows:
                if row[0] <= self._head.batch_no:
                    self._replay(row)

    def _replay(self, row: Row) -> None:
        batch_no = int(row[0])
        if self._engine is None:
            self._begin_at(batch_no - 1)
        if self._engine is not None:
            self._engine = self._engine_after(self._engine, row)
            self._check_snapshot(batch_no, self._engine)
        if batch_no == self._head.batch_no and bytes(row[6]) != self._head.chain:
            raise BrokenChain(batch_no, f"batch {batch_no} is not the one that the head is at")

    def _engine_after(self, engine: MarketEngine, row: Row) -> MarketEngine:
        batch_no = int(row[0])
        try:
            after = replayed(engine, bytes(row[4]), bytes(row[5]))
        except DamagedState as error:
            raise BrokenChain(batch_no, f"batch {batch_no} {error}") from None
        if after.event_seq != row[2]:
            raise BrokenChain(batch_no, f"batch {batch_no} {NOT_AS_IT_WAS}")
        return after

    def _begin_at(self, batch_no: int) -> None:
        """With an empty book at the start, else with the first snapshot that can be read."""
        if batch_no == 0:
            self._engine, self._replayed_from = MarketEngine(self._spec), 0
        elif batch_no in self._hashes:
            state = self._state_of(batch_no)
            self._engine = restored(self._spec, state, self._hashes[batch_no])
            self._replayed_from = batch_no if self._engine is not None else None

    def _state_of(self, batch_no: int) -> bytes:
        with wrapped():
            place = (self._spec.market_id, batch_no)
            row = self._connection.execute(STATE, place, binary=True).fetchone()
        return bytes(row[0]) if row is not None else b""

    def _check_snapshot(self, batch_no: int, engine: MarketEngine) -> None:
        if batch_no not in self._hashes:
            return
        state, state_hash = self._state_of(batch_no), self._hashes[batch_no]
        if not state:  # a newer one has taken its place meanwhile
            return
        if blake2b(state, digest_size=32).digest() != state_hash:
            raise BrokenChain(batch_no, f"the snapshot of batch {batch_no} is damaged")
        if engine.state_hash() != state_hash:
            raise BrokenChain(
                batch_no, f"the state after batch {batch_no} is not what its snapshot says"
            )
        self._agreed += 1

    def _check_head(self) -> None:
        reached, head = self._walk.batch_no, self._head
        if reached < head.batch_no:
            raise BrokenChain(reached + 1, f"batch {reached + 1} is missing")
        if self._engine is not None and self._engine.event_seq != head.event_seq:
            raise BrokenChain(head.batch_no, f"the head counts {head.event_seq} events")

    def _verdict(self, bad_batch: int | None, fault: str | None) -> Verified:
        last = self._head.batch_no if bad_batch is None else bad_batch - 1
        about = (self._spec.market_id, self._walk.first, last, self._replayed_from, self._agreed)
        return Verified(*about, bad_batch, fault)


def verify_market(connection: psycopg.Connection[Any], spec: MarketSpec) -> Verified:
    """Check one market from the oldest batch that is kept to its head as it is now."""
    return Verification(connection, spec).run()
