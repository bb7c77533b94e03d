"""Whether the chain is what was built: every block's bytes, and what pools and all come to."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import psycopg

from sim.chain.fees import next_base_fee
from sim.chain.headers import Header, decoded_header
from sim.chain.known_pools import POOLS
from storage.chain.books import differences
from storage.chain.explored_blocks import explored
from storage.chain.node import read_head
from storage.chain.pools import recovered
from storage.errors import CorruptState, wrapped

Connection = psycopg.Connection[Any]

BLOCKS_AT_ONCE = 200
BLOCKS = """
SELECT b.number, b.hash, b.header, array_agg(t.raw ORDER BY t.place),
    array_agg(t.receipt ORDER BY t.place)
FROM chain_blocks b LEFT JOIN chain_transactions t ON t.block_number = b.number
WHERE b.number > %s GROUP BY b.number ORDER BY b.number LIMIT %s"""
SEED = "SELECT seed FROM chain_head"


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """Blocks from first to last are sound; `fault` is what is wrong behind them, or anywhere."""

    first: int | None
    last: int
    fault: str | None


def verify_chain(connection: Connection) -> VerifiedChain | None:
    """From its first block; None where there is no chain. Raises DatabaseUnavailable."""
    head = read_head(connection)
    if head is None:
        return None
    first, last, fault = None, 0, None
    try:
        for before, header in pairwise(_headers(connection)):
            if before is None:
                first = header.block_number if header is not None else None
            if header is not None:
                _follows(before, header)
                last = header.block_number
        if last and last < head.tip.number:
            raise ValueError(f"block {last + 1} is missing")
        for pool_id in POOLS:
            recovered(connection, pool_id)
        found = differences(connection, _seed(connection))
        fault = "; ".join(found) or None
    except (ValueError, CorruptState) as error:
        fault = str(error)
    return VerifiedChain(first, last, fault)


def _headers(connection: Connection) -> Iterator[Header | None]:
    """Of all blocks, each held against its bytes; before the first one None."""
    yield None
    number = 0
    while True:
        with wrapped():
            rows = connection.execute(BLOCKS, (number, BLOCKS_AT_ONCE)).fetchall()
        for number, block_hash, raw, transactions, receipts in rows:
            header = decoded_header(bytes(raw))
            if header.hash != bytes(block_hash) or header.block_number != number:
                raise ValueError(f"block {number} is not the one that its hash names")
            explored(bytes(raw), _bytes(transactions), _bytes(receipts))
            yield header
        if len(rows) < BLOCKS_AT_ONCE:
            return


def _follows(before: Header | None, header: Header) -> None:
    """Raises ValueError."""
    if before is None:
        return
    number = header.block_number
    if (header.parent_hash, number) != (before.hash, before.block_number + 1):
        raise ValueError(f"block {number} does not follow {before.block_number}")
    fee = next_base_fee(before.base_fee_per_gas, before.gas_used, before.gas_limit)
    if header.base_fee_per_gas != fee or header.timestamp <= before.timestamp:
        raise ValueError(f"block {number} has another base fee or time than may follow")


def _bytes(found: list[Any]) -> list[bytes]:
    return [bytes(one) for one in found if one is not None]


def _seed(connection: Connection) -> int:
    with wrapped():
        row = connection.execute(SEED).fetchone()
    assert row is not None, "the chain has a head"
    return int(row[0])
