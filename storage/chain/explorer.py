"""What people look up of the chain: blocks and transactions that are indexed, and nothing else.

Lists are pages of a range of numbers (see storage/tables/explorer.py), so a page costs the same
wherever it is, and so does their length. What belongs together is read at one moment.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from storage.chain.transfers import Transfer
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, Row, Values, fetch_one, unit_of_work

ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

LAST_BEFORE = """coalesce((SELECT last_ordinal FROM explorer_blocks WHERE time_s < %s
    ORDER BY time_s DESC, number DESC LIMIT 1), 0)"""
SELECT_RANGE = f"SELECT {LAST_BEFORE}, {LAST_BEFORE}"
RANK_UP_TO = """coalesce((SELECT rank FROM explorer_appearances
    WHERE address = %s AND ordinal <= %s ORDER BY ordinal DESC LIMIT 1), 0)"""
SELECT_RANGE_OF_ADDRESS = f"SELECT {RANK_UP_TO}, {RANK_UP_TO}"

COLUMNS = """t.ordinal, t.hash, t.block_number, b.time_s, b.eth_price_usd, t.sender, t.recipient,
    t.value_wei, t.gas_used, t.gas_price_wei, t.succeeded"""
TRANSACTIONS = f"""
SELECT {COLUMNS} FROM explorer_transactions t JOIN explorer_blocks b ON b.number = t.block_number"""
SELECT_BETWEEN = f"{TRANSACTIONS} WHERE t.ordinal BETWEEN %s AND %s ORDER BY t.ordinal"
SELECT_BETWEEN_OF_ADDRESS = f"""
SELECT {COLUMNS} FROM explorer_appearances a
JOIN explorer_transactions t ON t.ordinal = a.ordinal
JOIN explorer_blocks b ON b.number = t.block_number
WHERE a.address = %s AND a.rank BETWEEN %s AND %s ORDER BY a.rank"""
SELECT_ONE = f"{TRANSACTIONS} WHERE t.hash = %s"
SELECT_TRANSFERS = """
SELECT ordinal, token, sender, recipient, amount, token_id FROM explorer_transfers
WHERE ordinal = ANY(%s) ORDER BY ordinal, place"""
SELECT_BYTES = "SELECT raw, receipt FROM chain_transactions WHERE hash = %s"

SELECT_BLOCK = """
SELECT number, hash, parent_hash, time_s, transaction_count, last_ordinal
FROM explorer_blocks WHERE number = %s"""
SELECT_HASHES = """
SELECT hash FROM explorer_transactions WHERE ordinal > %s AND ordinal <= %s ORDER BY ordinal"""
SELECT_HEADER = "SELECT header FROM chain_blocks WHERE number = %s AND hash = %s"

SELECT_PROGRESS = """
SELECT b.number, b.time_s, h.number, h.time_s FROM (SELECT 1) one
LEFT JOIN explorer_cursor c ON true LEFT JOIN explorer_blocks b ON b.number = c.number
LEFT JOIN chain_head h ON true"""

TIME_S_MAX = 2**62


@dataclass(frozen=True)
class Transaction:
    """A transaction of an indexed block, with the block's time and its price of ETH."""

    hash: bytes
    block_number: int
    time_s: int
    eth_price_usd: float
    sender: bytes
    recipient: bytes | None
    value_wei: int
    gas_used: int
    gas_price_wei: int
    succeeded: bool
    transfers: Sequence[Transfer]


@dataclass(frozen=True)
class TransactionFilter:
    """Which transactions: of an address, in blocks of `since_s` or later and before `before_s`."""

    address: bytes | None = None
    since_s: int = 0
    before_s: int = TIME_S_MAX
    newest_first: bool = True


@dataclass(frozen=True)
class Page:
    """Some of `total` transactions, in order."""

    transactions: Sequence[Transaction]
    total: int


@dataclass(frozen=True)
class Bytes:
    """What a transaction's hash is of, and its receipt."""

    raw: bytes
    receipt: bytes


@dataclass(frozen=True)
class Block:
    """An indexed block; `header` is what its hash is of, where that is asked for."""

    number: int
    hash: bytes
    parent_hash: bytes
    time_s: int
    transaction_hashes: Sequence[bytes]
    header: bytes | None


class Progress(NamedTuple):
    """The last indexed block and the chain's newest: None where there is none."""

    number: int | None
    time_s: int | None
    tip_number: int | None
    tip_time_s: int | None


@asynccontextmanager
async def one_moment(pool: AsyncPool) -> AsyncIterator[Connection]:
    """All that is read within is of the same moment."""
    async with unit_of_work(pool) as connection:
        await connection.execute(ONE_MOMENT)
        yield connection


async def page(pool: AsyncPool, wanted: TransactionFilter, number: int, size: int) -> Page:
    """The how manieth `size` transactions of those that are wanted, from 1 on."""
    async with one_moment(pool) as connection:
        first, last = await one(connection, SELECT_RANGE, (wanted.since_s, wanted.before_s))
        if wanted.address is not None:
            ends = (wanted.address, first, wanted.address, last)
            first, last = await one(connection, SELECT_RANGE_OF_ADDRESS, ends)
        total = max(0, last - first)
        skipped = (number - 1) * size
        if wanted.newest_first:
            low, high = max(first, last - skipped - size) + 1, last - skipped
        else:
            low, high = first + skipped + 1, min(last, first + skipped + size)
        found = await between(connection, wanted.address, low, high) if low <= high else []
    return Page(found[::-1] if wanted.newest_first else found, total)


async def between(
    connection: Connection, address: bytes | None, low: int, high: int
) -> list[Transaction]:
    """Those with these numbers: of the address, or of all."""
    if address is None:
        answer = await connection.execute(SELECT_BETWEEN, (low, high))
    else:
        answer = await connection.execute(SELECT_BETWEEN_OF_ADDRESS, (address, low, high))
    return await with_transfers(connection, await answer.fetchall())


async def with_transfers(connection: Connection, rows: Sequence[Row]) -> list[Transaction]:
    """Rows of COLUMNS as transactions."""
    moved: dict[int, list[Transfer]] = {row[0]: [] for row in rows}
    answer = await connection.execute(SELECT_TRANSFERS, (list(moved),))
    for ordinal, token, sender, recipient, amount, token_id in await answer.fetchall():
        transfer = Transfer(bytes(token), bytes(sender), bytes(recipient), amount, token_id)
        moved[ordinal].append(transfer)
    return [as_transaction(row, moved[row[0]]) for row in rows]


def as_transaction(row: Row, transfers: Sequence[Transfer]) -> Transaction:
    """A row of COLUMNS."""
    _, hashed, block_number, time_s, price, sender, recipient, *numbers, succeeded = row
    value_wei, gas_used, gas_price_wei = numbers
    return Transaction(
        bytes(hashed),
        block_number,
        time_s,
        price,
        bytes(sender),
        bytes(recipient) if recipient is not None else None,
        value_wei,
        gas_used,
        gas_price_wei,
        succeeded,
        transfers,
    )


async def transaction(
    pool: AsyncPool, hashed: bytes, with_bytes: bool
) -> tuple[Transaction, Bytes | None] | None:
    """One, with its bytes where they are wanted; None where it is not indexed."""
    async with one_moment(pool) as connection:
        rows = await (await connection.execute(SELECT_ONE, (hashed,))).fetchall()
        if not rows:
            return None
        (found,) = await with_transfers(connection, rows)
        if not with_bytes:
            return found, None
        kept = await (await connection.execute(SELECT_BYTES, (hashed,))).fetchone()
        return (found, Bytes(bytes(kept[0]), bytes(kept[1]))) if kept is not None else None


async def block(pool: AsyncPool, number: int, with_header: bool) -> Block | None:
    """One, with its header where that is wanted; None where it is not indexed."""
    async with one_moment(pool) as connection:
        row = await (await connection.execute(SELECT_BLOCK, (number,))).fetchone()
        if row is None:
            return None
        number, hashed, parent_hash, time_s, count, last = row
        answer = await connection.execute(SELECT_HASHES, (last - count, last))
        hashes = [bytes(found) for (found,) in await answer.fetchall()]
        header = None
        if with_header:
            kept = await (await connection.execute(SELECT_HEADER, (number, hashed))).fetchone()
            if kept is None:
                return None
            header = bytes(kept[0])
    return Block(number, bytes(hashed), bytes(parent_hash), time_s, hashes, header)


async def progress(pool: AsyncPool) -> Progress:
    """How far the chain is indexed."""
    row = await fetch_one(pool, SELECT_PROGRESS)
    assert row is not None
    return Progress(*row)


async def one(connection: Connection, statement: str, values: Values) -> Row:
    """The row of a statement that always has one."""
    row: Row | None = await (await connection.execute(statement, values)).fetchone()
    assert row is not None
    return row
