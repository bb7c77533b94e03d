"""What is in wallets, what positions are, and what droids' transactions have cost."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sim.chain.acts import WishStatus
from sim.chain.wallets import droid_wallet
from storage.droids.readings import BOTS, BotView, as_bot
from storage.droids.rows import Onlooker
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_all, fetch_one, typed

POSITIONS_MAX = 500
NEWEST_STATE = """
SELECT t.figures FROM droid_sessions s JOIN droid_states t ON t.session_id = s.id
WHERE s.droid_id = %s ORDER BY s.id DESC LIMIT 1"""
ETHER = "SELECT wei, nonce FROM chain_accounts WHERE address = %s"
HOLDINGS = "SELECT token, amount FROM chain_holdings WHERE holder = %s AND token = ANY(%s)"
POSITIONS = f"""
SELECT token_id, pool_id, tick_lower, tick_upper, liquidity FROM chain_positions
WHERE holder = %s ORDER BY token_id DESC LIMIT {POSITIONS_MAX}"""
POSITION = f"""
{BOTS}WHERE position_id = %(position)s AND droid_id IN (
    SELECT id FROM droids WHERE %(all)s OR owner_id = %(user)s)
ORDER BY id DESC LIMIT 1"""
GAS = f"""
WITH paid AS (
    SELECT w.status, (w.outcome::json ->> 'gas_fee_wei')::numeric AS wei,
        b.eth_price_usd::numeric AS price
    FROM chain_wishes w JOIN chain_blocks b ON b.number = w.block_number
    WHERE w.wallet = %(wallet)s AND starts_with(w.wallet, 'droid-') AND w.outcome IS NOT NULL
        AND b.time_s >= %(from)s AND b.time_s <= %(to)s)
SELECT count(*), count(*) FILTER (WHERE status = {WishStatus.FAILED:d}), coalesce(sum(wei), 0),
    coalesce(sum(wei * price), 0) FROM paid"""
COUNTS = """
SELECT (SELECT count(*) FROM droid_sessions WHERE droid_id = %(droid)s),
    (SELECT count(*) FROM droid_bots WHERE droid_id = %(droid)s),
    (SELECT count(*) FROM droid_bots WHERE droid_id = %(droid)s AND status = 'ACTIVE'),
    (SELECT funded_quote_atoms FROM droid_sessions WHERE droid_id = %(droid)s
     ORDER BY id DESC LIMIT 1)"""


@dataclass(frozen=True)
class HeldPosition:
    """An NFT of a wallet and the position that it stands for."""

    token_id: int
    pool_id: int
    tick_lower: int
    tick_upper: int
    liquidity: int


@dataclass(frozen=True)
class Wallet:
    """What an address has: wei, so much of each token by its address, positions."""

    wei: int
    nonce: int
    holdings: Mapping[bytes, int]
    positions: list[HeldPosition]


@dataclass(frozen=True)
class Gas:
    """What transactions that are in blocks have cost; `usd` at the price of each one's block."""

    transactions: int
    failed: int
    wei: int
    usd: Decimal


@dataclass(frozen=True)
class Counts:
    """Of a droid: `funded_quote_atoms` is its newest session's."""

    sessions: int
    bots: int
    open_bots: int
    funded_quote_atoms: int | None


async def newest_figures(pool: AsyncPool, droid_id: int) -> Mapping[str, Any]:
    """The last that an actor of the droid has written; empty where none has."""
    row = await fetch_one(pool, NEWEST_STATE, (droid_id,))
    figures: dict[str, Any] = {} if row is None else json.loads(row[0])
    return figures


async def wallet(pool: AsyncPool, address: bytes, tokens: list[bytes]) -> Wallet:
    """What an address has of ether, of these tokens and of positions."""
    ether = await fetch_one(pool, ETHER, (address,))
    held = await fetch_all(pool, HOLDINGS, (address, tokens))
    positions = await fetch_all(pool, POSITIONS, (address,))
    wei, nonce = (0, 0) if ether is None else (int(ether[0]), ether[1])
    return Wallet(
        wei,
        nonce,
        {bytes(token): int(amount) for token, amount in held},
        [HeldPosition(*typed(row, {4: int})) for row in positions],
    )


async def position(pool: AsyncPool, onlooker: Onlooker, position_id: bytes) -> BotView | None:
    """The newest that had this id of the droids that they see."""
    values = {"position": position_id, "all": onlooker.sees_all, "user": onlooker.user_id}
    row = await fetch_one(pool, POSITION, values)
    return None if row is None else as_bot(row)


async def gas(pool: AsyncPool, droid_id: int, from_s: int, to_s: int) -> Gas:
    """What a droid's transactions have cost in blocks from a time on and before another."""
    values = {"droid": droid_id, "wallet": droid_wallet(droid_id), "from": from_s, "to": to_s}
    row = await fetch_one(pool, GAS, values)
    assert row is not None
    return Gas(row[0], row[1], int(row[2]), Decimal(row[3]))


async def counts(pool: AsyncPool, droid_id: int) -> Counts:
    """How often it ran, and what it had opened."""
    row = await fetch_one(pool, COUNTS, {"droid": droid_id})
    assert row is not None
    return Counts(*typed(row, {3: lambda atoms: None if atoms is None else int(atoms)}))
