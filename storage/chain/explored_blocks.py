"""What a block's bytes say. Nothing is taken on trust: whatever is shown is read out of what was
hashed and signed, and what does not hash to the block is no part of it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sim.chain.events import ERC20_TRANSFER, NFT_TRANSFER
from sim.chain.fees import effective_gas_price
from sim.chain.headers import Header, decoded_header, root_of
from sim.chain.logs import Log
from sim.chain.receipts import SUCCEEDED, Receipt, decoded_receipt
from sim.chain.transactions import decoded
from storage.chain.transfers import Transfer


class ExploredTransaction(NamedTuple):
    """`recipient` is None where it creates a contract."""

    hash: bytes
    sender: bytes
    recipient: bytes | None
    value_wei: int
    gas_used: int
    gas_price_wei: int
    succeeded: bool
    transfers: tuple[Transfer, ...]

    @property
    def parties(self) -> set[bytes]:
        """Whose lists it stands in: everybody who sent or got something, itself or a token."""
        ends = {self.sender, self.recipient}
        ends.update(end for one in self.transfers for end in (one.sender, one.recipient))
        return {end for end in ends if end is not None}


class ExploredBlock(NamedTuple):
    """A block and its transactions, in order."""

    number: int
    hash: bytes
    parent_hash: bytes
    time_s: int
    transactions: tuple[ExploredTransaction, ...]


def explored(
    raw_header: bytes, raw_transactions: Sequence[bytes], raw_receipts: Sequence[bytes]
) -> ExploredBlock:
    """Raises ValueError where the bytes are none of a block, or not of the same one."""
    header = decoded_header(raw_header)
    if root_of(raw_transactions) != header.transaction_root:
        raise ValueError(f"block {header.block_number} does not have these transactions")
    if root_of(raw_receipts) != header.receipt_root:
        raise ValueError(f"block {header.block_number} does not have these receipts")
    transactions = tuple(_transactions(header, raw_transactions, raw_receipts))
    return ExploredBlock(
        header.block_number, header.hash, header.parent_hash, header.timestamp, transactions
    )


def _transactions(
    header: Header, raws: Sequence[bytes], raw_receipts: Sequence[bytes]
) -> Iterator[ExploredTransaction]:
    gas_before = 0
    for raw, raw_receipt in zip(raws, raw_receipts, strict=True):
        receipt = decoded_receipt(raw_receipt)
        yield _transaction(header, raw, receipt, receipt.cumulative_gas_used - gas_before)
        gas_before = receipt.cumulative_gas_used


def _transaction(
    header: Header, raw: bytes, receipt: Receipt, gas_used: int
) -> ExploredTransaction:
    sent = decoded(raw)
    asked = sent.transaction
    price = effective_gas_price(
        header.base_fee_per_gas, asked.max_fee_per_gas, asked.max_priority_fee_per_gas
    )
    if price is None:
        raise ValueError(f"block {header.block_number} may not have a transaction that pays less")
    moved = (transfer_in(log) for log in receipt.logs)
    return ExploredTransaction(
        sent.hash,
        sent.sender,
        asked.to,
        asked.value_wei,
        gas_used,
        price,
        receipt.status == SUCCEEDED,
        tuple(one for one in moved if one is not None),
    )


def transfer_in(log: Log) -> Transfer | None:
    """The transfer that a log tells of, if any: the two kinds differ in their topics alone."""
    told, is_nft = ERC20_TRANSFER.told(log), False
    if told is None:
        told, is_nft = NFT_TRANSFER.told(log), True
    if told is None:
        return None
    sender, recipient, number = told.values()
    assert isinstance(sender, bytes)
    assert isinstance(recipient, bytes)
    assert isinstance(number, int)
    amount, token_id = (1, number) if is_nft else (number, None)
    return Transfer(log.address, sender, recipient, amount, token_id)
