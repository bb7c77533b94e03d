"""The chain's head, moved together with a block and all that it changes, under a fence."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from sim.chain.acts import WishStatus
from sim.chain.building import Block, Included, Tip
from sim.chain.known_pools import POOLS
from sim.chain.pool_calls import calls_bytes
from sim.chain.state import ChainState, Position
from sim.chain.world import Draughted
from storage.errors import CorruptState, Superseded, wrapped

Connection = psycopg.Connection[Any]

ETHER_POOL = 42
"""Whose price is the chain's price of ether."""

HEAD = """
number, hash, time_s, next_base_fee_wei, state_hash, epoch, mine_to, reorg_wish, halt_reason"""
ACQUIRE = f"UPDATE chain_head SET epoch = epoch + 1 RETURNING {HEAD}"
READ = f"SELECT {HEAD} FROM chain_head"
MOVE = """
UPDATE chain_head SET number = %s, hash = %s, time_s = %s, next_base_fee_wei = %s, state_hash = %s,
    burnt_wei = %s, last_token_id = %s
WHERE epoch = %s AND number = %s"""
TURN = "UPDATE chain_head SET hash = %s, reorg_wish = 0 WHERE epoch = %s AND number = %s"
HALT = "UPDATE chain_head SET halt_reason = %s WHERE epoch = %s AND halt_reason IS NULL"
COMMAND_HALT = "UPDATE chain_head SET halt_reason = %s WHERE halt_reason IS NULL"
RESUME = "UPDATE chain_head SET halt_reason = NULL"
WISH_REORG = "UPDATE chain_head SET reorg_wish = %s"
BLOCK = """
INSERT INTO chain_blocks (number, hash, parent_hash, time_s, base_fee_wei, gas_used, eth_price_usd,
    header, pool_calls, pool_prices)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
TRANSACTION = """
INSERT INTO chain_transactions (block_number, place, hash, sender, raw, receipt)
VALUES (%s, %s, %s, %s, %s, %s)"""
ACCOUNT = """
INSERT INTO chain_accounts (address, nonce, wei) VALUES (%s, %s, %s)
ON CONFLICT (address) DO UPDATE SET nonce = excluded.nonce, wei = excluded.wei"""
HOLDING = """
INSERT INTO chain_holdings (token, holder, amount) VALUES (%s, %s, %s)
ON CONFLICT (token, holder) DO UPDATE SET amount = excluded.amount"""
POSITION = """
INSERT INTO chain_positions (token_id, pool_id, holder, tick_lower, tick_upper, liquidity)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (token_id) DO UPDATE SET liquidity = excluded.liquidity"""
CLOSED = "DELETE FROM chain_positions WHERE token_id = %s"
POOL = """
INSERT INTO pools (id, block_number, sqrt_price_x96, tick, liquidity, amount0, amount1, price,
    state_hash)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET block_number = excluded.block_number,
    sqrt_price_x96 = excluded.sqrt_price_x96, tick = excluded.tick,
    liquidity = excluded.liquidity, amount0 = excluded.amount0, amount1 = excluded.amount1,
    price = excluded.price, state_hash = excluded.state_hash"""
RESOLVED = f"""
UPDATE chain_wishes SET status = %s, block_number = %s, place = %s, outcome = %s
WHERE label = %s AND status = {WishStatus.WAITING}"""
DROP = f"""
UPDATE chain_wishes SET status = {WishStatus.DROPPED}
WHERE status = {WishStatus.WAITING} AND last_block <= %s"""
PRICES = "SELECT number, eth_price_usd, pool_prices FROM chain_blocks WHERE number >= %s"
FORGET = (
    "DELETE FROM chain_transactions WHERE block_number >= %s",
    "DELETE FROM chain_blocks WHERE number >= %s",
)


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain is, under which epoch, and what an operator wishes of it.

    mine_to   a block's number; a wish for as long as storage/chain/mining.py says so
    """

    tip: Tip
    epoch: int
    mine_to: int
    reorg_wish: int
    halt_reason: str | None


def acquire(connection: Connection) -> Head | None:
    """Take the chain over; None where it has not been founded."""
    return _head(connection, ACQUIRE)


def read_head(connection: Connection) -> Head | None:
    return _head(connection, READ)


def _head(connection: Connection, statement: str) -> Head | None:
    with wrapped():
        row = connection.execute(statement).fetchone()
    if row is None:
        return None
    number, block_hash, time_s, fee, state_hash, *rest = row
    return Head(Tip(number, bytes(block_hash), time_s, fee, bytes(state_hash)), *rest)


def load_state(connection: Connection) -> ChainState:
    """Who has what after the newest block."""
    state = ChainState()
    with wrapped(), connection.transaction():
        for address, nonce, wei in connection.execute("SELECT * FROM chain_accounts"):
            state.nonces[bytes(address)], state.wei[bytes(address)] = nonce, wei
        for token, holder, amount in connection.execute("SELECT * FROM chain_holdings"):
            state.holdings[bytes(token), bytes(holder)] = amount
        for token_id, pool_id, holder, lower, upper, liquidity in connection.execute(
            "SELECT * FROM chain_positions"
        ):
            place = (pool_id, bytes(holder), lower, upper)
            state.positions[place] = Position(token_id, place, liquidity)
        row = connection.execute("SELECT burnt_wei, last_token_id FROM chain_head").fetchone()
    if row is None:
        raise CorruptState("the chain has no head")
    state.burnt_wei, state.last_token_id = row
    return state


def commit_block(connection: Connection, epoch: int, draughted: Draughted) -> None:
    """All that a block is and changes, or nothing. Raises Superseded, DatabaseUnavailable."""
    block, draft = draughted.block, draughted.draft
    with wrapped(), connection.transaction():
        values = (*_tip(block.tip), draft.burnt_wei, draft.last_token_id)
        moved = connection.execute(MOVE, (*values, epoch, block.tip.number - 1))
        if moved.rowcount != 1:
            raise Superseded("another process builds the chain's blocks")
        with connection.pipeline():
            _write_block(connection, block, *_prices(draughted))
            _write_changes(connection, draughted)
            _write_outcomes(connection, block)


def replace_blocks(connection: Connection, epoch: int, blocks: Sequence[Block]) -> None:
    """The newest blocks become others, by which nobody has more or less. Raises Superseded."""
    first, last = blocks[0].tip.number, blocks[-1].tip
    with wrapped(), connection.transaction():
        if connection.execute(TURN, (last.hash, epoch, last.number)).rowcount != 1:
            raise Superseded("another process builds the chain's blocks")
        prices = {row[0]: row[1:] for row in connection.execute(PRICES, (first,)).fetchall()}
        for statement in FORGET:
            connection.execute(statement, (first,))
        for block in blocks:
            _write_block(connection, block, *prices[block.tip.number])


def halt(connection: Connection, epoch: int, reason: str) -> None:
    """No more blocks until an operator has looked."""
    with wrapped():
        connection.execute(HALT, (reason, epoch))


def command_chain_halt(connection: Connection, reason: str) -> None:
    """Whoever builds blocks stops, as soon as it looks."""
    with wrapped():
        connection.execute(COMMAND_HALT, (reason,))


def resume(connection: Connection) -> None:
    """A halt is over."""
    with wrapped():
        connection.execute(RESUME)


def wish_reorg(connection: Connection, depth: int) -> None:
    """Wish that so many of the newest blocks are replaced by others."""
    with wrapped():
        connection.execute(WISH_REORG, (depth,))


def _tip(tip: Tip) -> tuple[Any, ...]:
    return tip.number, tip.hash, tip.time_s, tip.next_base_fee_wei, tip.state_hash


def _prices(draughted: Draughted) -> tuple[float, str]:
    """Of ether in USD, and of every pool."""
    stands = draughted.stands
    ether = POOLS[ETHER_POOL].terms.nearest_double(stands[ETHER_POOL].sqrt_price_x96)
    return ether, json.dumps({pool_id: str(one.sqrt_price_x96) for pool_id, one in stands.items()})


def _write_block(
    connection: Connection, block: Block, eth_price_usd: float, pool_prices: str
) -> None:
    header = block.header
    values = (
        *(header.block_number, header.hash, header.parent_hash, header.timestamp),
        *(header.base_fee_per_gas, header.gas_used, eth_price_usd, header.raw),
        calls_bytes(block.calls),
        pool_prices,
    )
    connection.execute(BLOCK, values)
    with connection.cursor() as cursor:
        cursor.executemany(
            TRANSACTION,
            [
                (header.block_number, place, *_bytes(one))
                for place, one in enumerate(block.transactions)
            ],
        )


def _bytes(one: Included) -> tuple[bytes, ...]:
    return one.signed.hash, one.signed.sender, one.signed.raw, one.receipt.raw


def _write_changes(connection: Connection, draughted: Draughted) -> None:
    draft, number = draughted.draft, draughted.block.tip.number
    touched = {*draft.wei.changes, *draft.nonces.changes}
    accounts = [(one, draft.nonces[one], draft.wei[one]) for one in sorted(touched)]
    holdings = [(*key, amount) for key, amount in sorted(draft.holdings.changes.items())]
    opened = [one for one in draft.positions.changes.values() if one is not None]
    positions = [(one.token_id, *one.place, one.liquidity) for one in opened]
    with connection.cursor() as cursor:
        cursor.executemany(ACCOUNT, accounts)
        cursor.executemany(HOLDING, holdings)
        cursor.executemany(CLOSED, [(one,) for one in draft.closed()])
        cursor.executemany(POSITION, positions)
        cursor.executemany(POOL, [_pool(number, *one) for one in draughted.stands.items()])


def _pool(number: int, pool_id: int, stand: Any) -> tuple[Any, ...]:
    price = POOLS[pool_id].terms.nearest_double(stand.sqrt_price_x96)
    place = stand.sqrt_price_x96, stand.tick, stand.liquidity
    return pool_id, number, *place, *stand.amounts, price, stand.state_hash


def _write_outcomes(connection: Connection, block: Block) -> None:
    number = block.tip.number
    with connection.cursor() as cursor:
        cursor.executemany(
            RESOLVED,
            [
                (one.status, number, place, json.dumps(one.outcome()), one.wish.label)
                for place, one in enumerate(block.transactions)
            ],
        )
    connection.execute(DROP, (number,))
