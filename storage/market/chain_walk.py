"""Walking a market's journal from the oldest batch that is kept: each hashes on from the last."""

from typing import Any

import psycopg

from sim.market import MarketSpec
from storage.errors import CorruptState
from storage.market.journal import journal_after, next_chain
from storage.market.markets import EMPTY_CHAIN
from storage.market.recovery import chain_at

Row = tuple[Any, ...]
"""batch_no, command_seq, event_seq, strategies, inputs, events, chain."""


class BrokenChain(Exception):
    """A batch is not what was written. `batch_no` says which, the message how."""

    def __init__(self, batch_no: int, sentence: str) -> None:
        super().__init__(sentence)
        self.batch_no = batch_no


class ChainWalk:
    """Where somebody is on the way from the oldest batch to the newest.

    Where the hash before the oldest batch is kept nowhere, its own is taken as it stands.
    """

    def __init__(self, spec: MarketSpec) -> None:
        self._spec = spec
        self._chain: bytes | None = None
        self.first: int | None = None
        self.batch_no = 0

    @property
    def chain(self) -> bytes:
        """The running hash after `batch_no`."""
        return EMPTY_CHAIN if self._chain is None else self._chain

    def next_rows(self, connection: psycopg.Connection[Any], limit: int) -> list[Row]:
        """The next batches, each checked. Raises BrokenChain."""
        try:
            rows = journal_after(connection, self._spec.market_id, self.batch_no, limit)
        except CorruptState as error:
            raise BrokenChain(self.batch_no + 1, str(error)) from error
        if rows and self.first is None:
            self._begin(connection, rows[0])
        for row in rows:
            self._check(row)
        return rows

    def _begin(self, connection: psycopg.Connection[Any], oldest: Row) -> None:
        self.first = int(oldest[0])
        self.batch_no = self.first - 1
        if self.batch_no == 0:
            self._chain = EMPTY_CHAIN
            return
        try:
            self._chain = chain_at(connection, self._spec, self.batch_no)
        except CorruptState:
            self._chain = None

    def _check(self, row: Row) -> None:
        number, written = int(row[0]), bytes(row[6])
        if number != self.batch_no + 1:
            raise BrokenChain(self.batch_no + 1, f"batch {self.batch_no + 1} is missing")
        if self._chain is not None:
            chain = next_chain(self._chain, bytes(row[4]), bytes(row[5]))
            if chain != written:
                raise BrokenChain(number, f"batch {number} is not what was written")
        self._chain, self.batch_no = written, number
