"""Events to rows: orders, fills, trades, positions, balances, ledger, candles.

One transaction a run of batches of one market; its first statement moves the
recorder's cursor, so the same events are never projected twice.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
from psycopg import errors as pg

from sim.market import MarketSpec
from sim.money.amending import Amendment
from sim.money.ledger import FEES, STRATEGIES_FIRST, clearing_account
from sim.money.position import Position
from sim.money.settlement import Holding, Settlement, amended_orders, touched
from sim.rows.messages import EVENT, Rows
from storage.errors import CorruptState, StorageError, Superseded, told, wrapped
from storage.market.streams import unpacked_events
from storage.reading import projection_sql as sql

EventBatch = tuple[int, int, int, Rows]
"""batch_no, command_seq after it, event_seq after it, EVENT rows."""


class MarketProjection:
    """Projects one market. Keeps holdings in memory: nobody else writes them."""

    def __init__(self, connection: psycopg.Connection[Any], spec: MarketSpec, ordinal: int) -> None:
        self._connection = connection
        self._spec = spec
        self._clearing = clearing_account(ordinal)
        self._holdings: dict[int, Holding] = {}
        self.batch_no, self.event_seq = self._read_cursor()

    def _read_cursor(self) -> tuple[int, int]:
        with wrapped():
            row = self._connection.execute(sql.CURSOR, (self._spec.market_id,)).fetchone()
        if row is None:
            raise Superseded(f"{self._spec.market_id} is not listed")
        return int(row[0]), int(row[1])

    def project(self, batches: Sequence[EventBatch]) -> None:
        """Write contiguous batches that begin right after the cursor.

        Raises Superseded when another recorder has moved the cursor, and
        CorruptState where the events contradict the rows they meet.
        """
        assert batches[0][0] == self.batch_no + 1, "a batch is missing"
        try:
            settlement = self._settled(batches)
        except StorageError:
            raise
        except Exception as error:  # whatever it is, it would be met again: this market halts
            raise self._verdict(error) from error
        self._holdings.update(settlement.touched_holdings)
        self.batch_no, _, self.event_seq, _ = batches[-1]

    def _settled(self, batches: Sequence[EventBatch]) -> Settlement:
        settlement = self._load(np.concatenate([batch[3] for batch in batches]))
        for batch_no, _, _, rows in batches:
            settlement.apply(batch_no, rows)
        cursor = (*batches[-1][:3], self._spec.market_id, self.batch_no)
        with wrapped():
            sql.write(self._connection, cursor, self._spec, settlement)
        return settlement

    def _verdict(self, error: Exception) -> StorageError:
        """Whether another recorder was here before, so that we met its rows, or a rule broke."""
        market_id = self._spec.market_id
        if isinstance(error, pg.DivisionByZero) or self._read_cursor()[0] != self.batch_no:
            return Superseded(f"another recorder projects {market_id}")
        return CorruptState(f"{market_id}: what follows batch {self.batch_no}: {told(error)}")

    def _load(self, events: Rows) -> Settlement:
        """What the events touch. No lock: nobody else changes an order or a position."""
        order_ids, accounts = touched(events)
        if self._spec.is_spot:
            accounts = [account for account in accounts if account >= STRATEGIES_FIRST]
        missing = [account for account in accounts if account not in self._holdings]
        with wrapped():
            orders = {
                row[0]: sql.order_state(row)
                for row in self._connection.execute(sql.ORDERS, (order_ids,), binary=True)
            }
            if missing:
                self._load_holdings(missing)
            amendments = self._load_amendments(events)
        holdings = {account: self._holdings[account] for account in accounts}
        return Settlement(self._spec, FEES, self._clearing, orders, holdings, amendments)

    def _load_amendments(self, events: Rows) -> dict[int, Amendment]:
        """What the orders were to become whose amendment these events end."""
        order_ids = amended_orders(events)
        if not order_ids:
            return {}
        rows = self._connection.execute(sql.AMENDMENTS, (order_ids,), binary=True)
        return {row[0]: sql.amendment(row) for row in rows}

    def _load_holdings(self, accounts: list[int]) -> None:
        self._holdings.update((account, Holding()) for account in accounts)
        rows = self._connection.execute(
            sql.POSITIONS, (self._spec.market_id, accounts), binary=True
        )
        for account_id, lots, cost, realized, at_us in rows:
            self._holdings[account_id] = Holding(Position(lots, cost), realized, at_us)


def event_rows(data: bytes) -> Rows:
    """EVENT rows from the journal's bytes."""
    return np.frombuffer(data, dtype=EVENT)


def batch_from_entry(data: bytes, event_seq: int) -> EventBatch | None:
    """What an entry of an event stream holds, where its events go on after `event_seq`.

    None where they do not, by their own numbers: the entry's id proves nothing.
    """
    found = unpacked_events(data)
    if found is None or len(found[3]) % EVENT.itemsize:
        return None
    batch_no, command_seq, last, events = found
    rows = event_rows(events)
    if last - event_seq != rows.size:
        return None
    if rows.size and (rows["event_seq"][0], rows["event_seq"][-1]) != (event_seq + 1, last):
        return None
    return batch_no, command_seq, last, rows
