"""The chain's blocks become rows that people look up, some blocks behind its tip.

One step is one transaction: blocks are added with the cursor that is moved to the last of them,
or the last one is taken back, because the chain has another in its place by now. So whoever
reads sees blocks that follow one another, and each of them whole.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import psycopg

from storage.chain.explored_blocks import ExploredBlock, ExploredTransaction, explored
from storage.errors import CorruptState, Superseded, wrapped

CONFIRMATIONS = 12
"""How far behind the tip: what is shown is not replaced by another block a moment later."""

BLOCKS_AT_ONCE_MAX = 20

ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
SELECT_CURSOR = """
SELECT c.number, c.hash, b.last_ordinal FROM explorer_cursor c
JOIN explorer_blocks b ON b.number = c.number"""
SELECT_HASH = "SELECT hash FROM chain_blocks WHERE number = %s"
SELECT_BLOCKS = """
SELECT b.number, b.header, b.eth_price_usd FROM chain_blocks b, chain_head h
WHERE b.number > %s AND b.number <= h.number - %s ORDER BY b.number LIMIT %s"""
SELECT_BYTES = """
SELECT raw, receipt FROM chain_transactions WHERE block_number = %s ORDER BY place"""

MOVE_CURSOR = """
INSERT INTO explorer_cursor (number, hash) VALUES (%(number)s, %(hash)s)
ON CONFLICT (id) DO UPDATE SET number = excluded.number, hash = excluded.hash
WHERE explorer_cursor.hash = %(before)s RETURNING 1"""
DELETE_CURSOR = "DELETE FROM explorer_cursor WHERE hash = %s RETURNING 1"
INSERT_BLOCK = """
INSERT INTO explorer_blocks (number, hash, parent_hash, time_s, eth_price_usd, transaction_count,
    last_ordinal) VALUES (%s, %s, %s, %s, %s, %s, %s)"""
INSERT_TRANSACTION = """
INSERT INTO explorer_transactions (ordinal, block_number, hash, sender, recipient, value_wei,
    gas_used, gas_price_wei, succeeded) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"""
INSERT_TRANSFER = """
INSERT INTO explorer_transfers (ordinal, place, token, sender, recipient, amount, token_id)
VALUES (%s, %s, %s, %s, %s, %s, %s)"""
INSERT_APPEARANCES = """
INSERT INTO explorer_appearances (address, rank, ordinal)
SELECT n.address, coalesce(known.rank, 0)
    + row_number() OVER (PARTITION BY n.address ORDER BY n.ordinal), n.ordinal
FROM unnest(%s::bytea[], %s::bigint[]) AS n (address, ordinal)
LEFT JOIN LATERAL (SELECT a.rank FROM explorer_appearances a WHERE a.address = n.address
    ORDER BY a.rank DESC LIMIT 1) known ON true"""

SELECT_BEFORE = "SELECT hash, last_ordinal FROM explorer_blocks WHERE number = %s"
TAKE_BACK = (
    """
DELETE FROM explorer_appearances a USING (
    SELECT sender AS address FROM explorer_transactions WHERE ordinal > %(last)s
    UNION SELECT recipient FROM explorer_transactions WHERE ordinal > %(last)s
    UNION SELECT sender FROM explorer_transfers WHERE ordinal > %(last)s
    UNION SELECT recipient FROM explorer_transfers WHERE ordinal > %(last)s) parties
WHERE a.address = parties.address AND a.ordinal > %(last)s""",
    "DELETE FROM explorer_transfers WHERE ordinal > %(last)s",
    "DELETE FROM explorer_transactions WHERE ordinal > %(last)s",
    "DELETE FROM explorer_blocks WHERE number >= %(number)s",
)

Connection = psycopg.Connection[Any]


class Cursor(NamedTuple):
    """The last indexed block, and the number of its last transaction."""

    number: int
    hash: bytes
    last_ordinal: int


NOTHING = Cursor(-1, b"", 0)


def index_step(connection: Connection, confirmations: int = CONFIRMATIONS) -> int:
    """Add the next blocks, or take the last one back; how many blocks were changed.

    Raises DatabaseUnavailable; Superseded where another process indexes too; CorruptState where
    the chain's bytes contradict each other: then nothing has changed.
    """
    with wrapped(), connection.transaction():
        connection.execute(ONE_MOMENT)
        row = connection.execute(SELECT_CURSOR).fetchone()
        cursor = Cursor(row[0], bytes(row[1]), row[2]) if row is not None else NOTHING
        if cursor is not NOTHING and not is_on_chain(connection, cursor):
            take_back(connection, cursor)
            return 1
        added = 0
        for block, eth_price_usd in next_blocks(connection, cursor, confirmations):
            cursor = add(connection, cursor, block, eth_price_usd)
            added += 1
        return added


def is_on_chain(connection: Connection, cursor: Cursor) -> bool:
    """False where the chain has another block there, or none so high."""
    row = connection.execute(SELECT_HASH, (cursor.number,)).fetchone()
    return row is not None and bytes(row[0]) == cursor.hash


def next_blocks(
    connection: Connection, cursor: Cursor, confirmations: int
) -> Iterator[tuple[ExploredBlock, float]]:
    """The blocks after the cursor that have as many others above them, with their price of ETH.

    Read one by one: between two statements the server does not wait for long.
    """
    values = (cursor.number, confirmations, BLOCKS_AT_ONCE_MAX)
    rows = connection.execute(SELECT_BLOCKS, values).fetchall()
    for number, header, price in rows:
        sent = connection.execute(SELECT_BYTES, (number,)).fetchall()
        yield read(number, bytes(header), sent), price


def read(number: int, header: bytes, sent: Sequence[Sequence[Any]]) -> ExploredBlock:
    """A block as its bytes say. Raises CorruptState where they are no block's of this number."""
    raws, receipts = [bytes(raw) for raw, _ in sent], [bytes(receipt) for _, receipt in sent]
    try:
        block = explored(header, raws, receipts)
    except ValueError as error:
        raise CorruptState(f"block {number} of the chain cannot be read: {error}") from error
    if block.number != number:
        raise CorruptState(f"block {number} of the chain says that it is block {block.number}")
    return block


def add(
    connection: Connection, cursor: Cursor, block: ExploredBlock, eth_price_usd: float
) -> Cursor:
    """One block with all that is in it; the cursor after it."""
    if cursor is not NOTHING and block.parent_hash != cursor.hash:
        raise CorruptState(f"block {block.number} of the chain does not follow the one before it")
    moved = {"number": block.number, "hash": block.hash, "before": cursor.hash}
    own_turn(connection.execute(MOVE_CURSOR, moved).fetchone())
    numbered = list(enumerate(block.transactions, cursor.last_ordinal + 1))
    last = cursor.last_ordinal + len(numbered)
    connection.execute(
        INSERT_BLOCK,
        (*block[:4], eth_price_usd, len(numbered), last),
    )
    with connection.cursor() as writing:
        writing.executemany(
            INSERT_TRANSACTION, [(ordinal, block.number, *one[:7]) for ordinal, one in numbered]
        )
        writing.executemany(
            INSERT_TRANSFER,
            [
                (ordinal, place, *transfer)
                for ordinal, one in numbered
                for place, transfer in enumerate(one.transfers)
            ],
        )
    add_appearances(connection, numbered)
    return Cursor(block.number, block.hash, last)


def add_appearances(
    connection: Connection, numbered: Iterable[tuple[int, ExploredTransaction]]
) -> None:
    """Each transaction in the list of everybody who has to do with it."""
    found = [(party, ordinal) for ordinal, one in numbered for party in one.parties]
    addresses, ordinals = [party for party, _ in found], [ordinal for _, ordinal in found]
    connection.execute(INSERT_APPEARANCES, (addresses, ordinals))


def take_back(connection: Connection, cursor: Cursor) -> None:
    """Leave nothing of the last block: the chain has another one there."""
    row = connection.execute(SELECT_BEFORE, (cursor.number - 1,)).fetchone()
    before_hash, last = (bytes(row[0]), row[1]) if row is not None else (b"", 0)
    if row is None:
        own_turn(connection.execute(DELETE_CURSOR, (cursor.hash,)).fetchone())
    else:
        moved = {"number": cursor.number - 1, "hash": before_hash, "before": cursor.hash}
        own_turn(connection.execute(MOVE_CURSOR, moved).fetchone())
    for statement in TAKE_BACK:
        connection.execute(statement, {"last": last, "number": cursor.number})


def own_turn(moved: object) -> None:
    """Raises Superseded where the cursor was not where it was seen."""
    if moved is None:
        raise Superseded("another process indexes the chain")
