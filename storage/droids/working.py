"""What the actors of droids read and write: one transaction for each look at a block's end.

A session belongs to whoever took it last: its epoch is the fence of everything that is written.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from sim.chain.acts import Wish, WishStatus
from sim.droid.states import Active, Status
from storage.chain.wishes import wish
from storage.droids.readings import ACTIVE
from storage.droids.rows import Droid, as_droid
from storage.droids.sessions import bring_home
from storage.errors import Superseded, wrapped
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, fetch_one, unit_of_work

CLOSED = "CLOSED"
"""The status of a position that is no more."""

TAKE = """
INSERT INTO droid_states (session_id, epoch, block_number, revision, mind, figures)
VALUES (%s, 1, 0, 0, '', '{}')
ON CONFLICT (session_id) DO UPDATE SET epoch = droid_states.epoch + 1
RETURNING epoch, block_number, mind"""
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
HEAD = "SELECT number, time_s, next_base_fee_wei FROM chain_head"
DROID = """
SELECT d.id, d.owner_id, d.account_id, d.pool_id, d.config, d.active, d.resets, d.revision,
    d.created_at_us
FROM droid_sessions s JOIN droids d ON d.id = s.droid_id WHERE s.id = %s"""
HELD = "SELECT token, amount FROM chain_holdings WHERE holder = %s AND token = ANY(%s)"
WEI = "SELECT wei FROM chain_accounts WHERE address = %s"
POSITIONS = """
SELECT tick_lower, tick_upper, liquidity FROM chain_positions
WHERE holder = %s AND pool_id = %s ORDER BY tick_lower"""
OUTCOMES = f"""
SELECT w.label, w.status, w.outcome, b.pool_prices FROM chain_wishes w
LEFT JOIN chain_blocks b ON b.number = w.block_number
WHERE w.label = ANY(%s) AND w.status <> {WishStatus.WAITING}"""
UNFUNDED = f"""
SELECT 1 FROM chain_wishes
WHERE starts_with(label, %s) AND status = {WishStatus.WAITING} LIMIT 1"""
LOCK_DROID = "SELECT 1 FROM droids WHERE id = %s FOR NO KEY UPDATE"
"""Whoever asks something of a droid locks it first, then its session, then its account."""

KEEP = """
UPDATE droid_states SET block_number = %s, revision = %s, mind = %s, figures = %s
WHERE session_id = %s AND epoch = %s"""
STANDS = "UPDATE droid_sessions SET status = %s, note = %s WHERE id = %s"
END = f"""
UPDATE droid_sessions SET status = '{Status.STOPPED}', note = NULL, ended = true,
    stopped_at_us = %s
WHERE id = %s AND NOT ended RETURNING funded_quote_atoms"""
BEGIN = f"""
INSERT INTO droid_sessions (droid_id, status, ended, funded_quote_atoms, started_at_us)
VALUES (%s, '{Status.RUNNING}', false, %s, %s) RETURNING id"""
OPENED = f"""
INSERT INTO droid_bots (droid_id, session_id, position_id, bucket, tick_lower, tick_upper,
    liquidity, status, opened_block)
VALUES (%s, %s, %s, %s, %s, %s, %s, '{ACTIVE}', %s)"""
CLOSE = f"""
UPDATE droid_bots SET status = '{CLOSED}', closed_block = %s
WHERE droid_id = %s AND bucket = %s AND status = '{ACTIVE}'"""
HISTORY = """
INSERT INTO droid_history (droid_id, block_number, time_s, price, aum_quote_atoms, base_positions,
    quote_positions, wallet_wei)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""
PAUSE = f"UPDATE droids SET active = {Active.PAUSE} WHERE id = %s AND active = {Active.RUN}"


@dataclass(frozen=True, slots=True)
class Taken:
    """A session that is ours. `mind` is "" of one that nobody has looked at."""

    session_id: int
    epoch: int
    block_number: int
    mind: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A transaction that is over: its WishStatus, what came of it, prices of pools after it."""

    status: int
    told: Mapping[str, Any]
    prices: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sight:
    """All of one moment: the newest block, the droid, what is in its wallet and in its pool.

    is_funded   whether all that its account has paid has arrived
    wallet      in the chain's order of tokens
    positions   their ticks and liquidity
    """

    number: int
    time_s: int
    next_base_fee_wei: int
    droid: Droid
    is_funded: bool
    wallet: tuple[int, int]
    wei: int
    positions: tuple[tuple[int, int, int], ...]
    outcomes: Mapping[str, Outcome]


@dataclass(frozen=True, slots=True)
class Opened:
    """A position that has come."""

    position_id: bytes
    bucket: int
    ticks: tuple[int, int]
    liquidity: int


@dataclass(frozen=True, slots=True)
class History:
    """A row of it; units as DroidHistoryRow."""

    price: float
    aum_quote_atoms: int
    base_positions: int
    quote_positions: int
    wallet_wei: int


@dataclass(frozen=True, slots=True)
class Work:
    """What a look came to, to be kept as one.

    wishes    with labels that are unique in the session
    pauses    whether the droid pauses of its own accord
    home      what its account gets, atoms by asset: then the session ends; else None
    """

    mind: str
    figures: str
    status: str
    note: str | None
    wishes: Sequence[Wish]
    opened: Sequence[Opened]
    closed: Sequence[int]
    history: History | None
    begins_anew: bool
    pauses: bool
    home: Mapping[str, int] | None


async def take(pool: AsyncPool, session_id: int) -> Taken:
    """Whoever had the session before writes nothing any more."""
    row = await fetch_one(pool, TAKE, (session_id,))
    assert row is not None
    return Taken(session_id, *row)


async def look(pool: AsyncPool, session_id: int, holder: bytes, labels: Sequence[str]) -> Sight:
    """How all stands at one moment. `labels` are what is under way."""
    async with unit_of_work(pool) as connection:
        await connection.execute(SNAPSHOT)
        number, time_s, next_base_fee_wei = await one(connection, HEAD)
        droid = as_droid(await one(connection, DROID, (session_id,)))
        tokens = [token.address for token in droid.pool.tokens]
        held = dict(await all_(connection, HELD, (holder, tokens)))
        wei = await (await connection.execute(WEI, (holder,))).fetchone()
        outcomes = await all_(connection, OUTCOMES, (list(labels),))
        waits = await all_(connection, UNFUNDED, (f"session/{session_id}/fund/",))
        return Sight(
            number,
            time_s,
            next_base_fee_wei,
            droid,
            not waits,
            (int(held.get(tokens[0], 0)), int(held.get(tokens[1], 0))),
            int(wei[0]) if wei else 0,
            tuple(await all_(connection, POSITIONS, (holder, droid.pool_id))),
            {row[0]: outcome(*row[1:]) for row in outcomes},
        )


def outcome(status: int, told: str | None, prices: str | None) -> Outcome:
    return Outcome(status, json.loads(told or "{}"), json.loads(prices or "{}"))


async def keep(pool: AsyncPool, taken: Taken, sight: Sight, work: Work) -> int:
    """All of it; the id of the session from now on. Raises Superseded."""
    droid, session_id = sight.droid, taken.session_id
    async with unit_of_work(pool) as connection:
        await connection.execute(LOCK_DROID, (droid.droid_id,))
        values = (sight.number, droid.revision, work.mind, work.figures)
        await fenced(connection, KEEP, (*values, session_id, taken.epoch))
        for bucket in work.closed:
            await connection.execute(CLOSE, (sight.number, droid.droid_id, bucket))
        for bot in work.opened:
            place = (bot.position_id, bot.bucket, *bot.ticks, bot.liquidity, sight.number)
            await connection.execute(OPENED, (droid.droid_id, session_id, *place))
        if work.begins_anew:
            session_id = await _begun_anew(connection, taken, sight, work)
        await connection.execute(STANDS, (work.status, work.note, session_id))
        for wished in work.wishes:
            await wish(connection, labelled(wished, session_id))
        if work.history is not None:
            await _write_history(connection, sight, work.history)
        if work.pauses:
            await connection.execute(PAUSE, (droid.droid_id,))
        if work.home is not None:
            await connection.execute(END, (now_us(), session_id))
            await bring_home(connection, droid, work.home)
    return session_id


def labelled(wished: Wish, session_id: int) -> Wish:
    """With the session in front of its label."""
    label = session_label(session_id, wished.label)
    return Wish(label, wished.wallet, wished.act, *fees(wished), wished.last_block)


def fees(wished: Wish) -> tuple[int, int]:
    return wished.max_fee_wei, wished.priority_fee_wei


def session_label(session_id: int, label: str) -> str:
    """What a transaction of a session is called on the chain."""
    return f"session/{session_id}/{label}"


async def _begun_anew(connection: Connection, taken: Taken, sight: Sight, work: Work) -> int:
    """The session ends, and another begins with what it had; its id."""
    (funded,) = await one(connection, END, (now_us(), taken.session_id))
    values = (sight.droid.droid_id, funded, now_us())
    (session_id,) = await one(connection, BEGIN, values)
    await connection.execute(TAKE, (session_id,))
    state = (sight.number, sight.droid.revision, work.mind, work.figures, session_id, 1)
    await fenced(connection, KEEP, state)
    return int(session_id)


async def _write_history(connection: Connection, sight: Sight, row: History) -> None:
    values = (
        *(sight.droid.droid_id, sight.number, sight.time_s, row.price, row.aum_quote_atoms),
        *(row.base_positions, row.quote_positions, row.wallet_wei),
    )
    await connection.execute(HISTORY, values)


async def fenced(connection: Connection, statement: str, values: Sequence[object]) -> None:
    """Raises Superseded where the session is not ours any more."""
    if (await connection.execute(statement, values)).rowcount != 1:
        raise Superseded("another process has taken this droid over")


async def one(connection: Connection, statement: str, values: Sequence[object] = ()) -> Any:
    row = await (await connection.execute(statement, values)).fetchone()
    assert row is not None, "what is worked on is there"
    return row


async def all_(connection: Connection, statement: str, values: Sequence[object]) -> list[Any]:
    return await (await connection.execute(statement, values)).fetchall()


SESSIONS = """
SELECT s.id, s.droid_id, d.pool_id, s.status
FROM droid_sessions s JOIN droids d ON d.id = s.droid_id
WHERE NOT s.ended ORDER BY s.id"""
LEFT = "SELECT DISTINCT droid_id FROM droid_sessions WHERE ended AND stopped_at_us > %s"
LATELY_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that somebody has to work on."""

    session_id: int
    droid_id: int
    pool_id: int
    status: str


def open_sessions(connection: psycopg.Connection[Any]) -> list[OpenSession]:
    """All that have not ended."""
    with wrapped():
        return [OpenSession(*row) for row in connection.execute(SESSIONS).fetchall()]


def left_lately(connection: psycopg.Connection[Any]) -> list[int]:
    """Droids whose last session has ended a short time ago."""
    with wrapped():
        rows = connection.execute(LEFT, (now_us() - LATELY_US,)).fetchall()
    return [droid_id for (droid_id,) in rows]
