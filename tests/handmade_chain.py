"""A chain that a test makes block by block, with the bytes that a node keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from sim.chain.addresses import NOBODY
from sim.chain.headers import Header, root_of
from sim.chain.keys import address_of_key, private_key
from sim.chain.logs import Log, union_of_blooms
from sim.chain.receipts import FAILED, SUCCEEDED, Receipt
from sim.chain.transactions import SignedTransaction, Transaction, signed

FIRST_BLOCK = 22_400_000
FIRST_TIME_S = 1_777_550_400
"""2026-04-30T12:00:00Z."""

BLOCK_S = 12
GWEI = 10**9
BASE_FEE = 12 * GWEI
TIP = GWEI // 2
INSERT_BLOCK = """
INSERT INTO chain_blocks (number, hash, parent_hash, time_s, base_fee_wei, gas_used, eth_price_usd,
    header, pool_calls, pool_prices) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, '', '{}')"""
INSERT_TRANSACTION = """
INSERT INTO chain_transactions (block_number, place, hash, sender, raw, receipt)
VALUES (%s, %s, %s, %s, %s, %s)"""
FORGET = (
    "DELETE FROM chain_transactions WHERE block_number >= %s",
    "DELETE FROM chain_blocks WHERE number >= %s",
)
HEAD = """
INSERT INTO chain_head (seed, number, hash, time_s, epoch, next_base_fee_wei, state_hash, burnt_wei,
    last_token_id, mine_to, reorg_wish) VALUES (0, %s, %s, %s, 0, 1, '', 0, 0, 0, 0)
ON CONFLICT (id) DO UPDATE SET number = excluded.number, hash = excluded.hash,
    time_s = excluded.time_s"""


@dataclass(frozen=True)
class Sent:
    """What a wallet sends: to whom, how much ether, and what contracts tell of it."""

    wallet: str
    to: bytes | None
    wei: int = 0
    logs: tuple[Log, ...] = ()
    gas: int = 21_000
    fails: bool = False


@dataclass(frozen=True)
class Mined:
    """A block and its transactions, as they were made."""

    header: Header
    sent: Sequence[Sent]
    transactions: Sequence[SignedTransaction]
    receipts: Sequence[Receipt]


class HandmadeChain:
    """Blocks in a database, as its owner."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.blocks: list[Mined] = []
        self._nonces: dict[str, int] = {}

    def block(self, *sent: Sent, price: float = 3_003.08, salt: bytes = b"") -> Mined:
        """One more block; `salt` makes it another than it would be."""
        signed_ones = [self._signed(one) for one in sent]
        receipts, gas = [], 0
        for one in sent:
            gas += one.gas
            status = FAILED if one.fails else SUCCEEDED
            receipts.append(Receipt(status, gas, () if one.fails else one.logs))
        parent = self.blocks[-1].header.hash if self.blocks else bytes(32)
        header = Header(
            parent_hash=parent,
            coinbase=NOBODY,
            state_root=bytes(32),
            transaction_root=root_of([one.raw for one in signed_ones]),
            receipt_root=root_of([one.raw for one in receipts]),
            bloom=union_of_blooms(one.bloom for one in receipts),
            block_number=FIRST_BLOCK + len(self.blocks),
            gas_limit=60_000_000,
            gas_used=gas,
            timestamp=FIRST_TIME_S + BLOCK_S * len(self.blocks),
            extra_data=salt,
            base_fee_per_gas=BASE_FEE,
        )
        mined = Mined(header, sent, signed_ones, receipts)
        self.blocks.append(mined)
        self._keep(mined, price)
        return mined

    def forget(self, count: int) -> list[Mined]:
        """Take the newest blocks away, as a reorganisation does; others have to follow."""
        gone = [self.blocks.pop() for _ in range(count)][::-1]
        for statement in FORGET:
            self.connection.execute(statement, (gone[0].header.block_number,))
        return gone

    def _signed(self, one: Sent) -> SignedTransaction:
        nonce = self._nonces.get(one.wallet, 0)
        self._nonces[one.wallet] = nonce + 1
        fees = (TIP, 2 * BASE_FEE, one.gas)
        return signed(Transaction(nonce, *fees, one.to, one.wei), key_of(one.wallet))

    def _keep(self, mined: Mined, price: float) -> None:
        header, number = mined.header, mined.header.block_number
        known = (header.parent_hash, header.timestamp, header.base_fee_per_gas, header.gas_used)
        row = (number, header.hash, *known, price, header.raw)
        self.connection.execute(INSERT_BLOCK, row)
        both = zip(mined.transactions, mined.receipts, strict=True)
        for place, (sent, receipt) in enumerate(both):
            told = (sent.hash, sent.sender, sent.raw, receipt.raw)
            self.connection.execute(INSERT_TRANSACTION, (number, place, *told))
        self.connection.execute(HEAD, (number, header.hash, header.timestamp))


def key_of(wallet: str) -> bytes:
    return private_key(b"handmade", wallet)


def address_of(wallet: str) -> bytes:
    return address_of_key(key_of(wallet))
