"""What the explorer answers: names in snake_case, JSON numbers with all their digits."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from api.door.answers import example
from api.door.wire import ExactDecimal
from api.havencap.explorer_amounts import (
    ETH_DECIMALS,
    GWEI_DECIMALS,
    TOKENS,
    NamedToken,
    amount_of_token,
    amount_text,
    usd_of_eth,
    usd_of_token,
)
from api.havencap.spelling import iso_seconds
from sim.chain.addresses import checksummed
from sim.chain.hexadecimal import as_hex
from sim.units import format_scaled
from storage.chain.explorer import Block, Bytes, Progress, Transaction
from storage.chain.transfers import Transfer

PRICE_SOURCE = "uniswap_v3"
ERC_20, ERC_721 = "ERC-20", "ERC-721"
LAG_S_MAX = 288
"""What comes later than twice the usual twelve blocks is worth a look."""

SOMEBODY = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
USDC_ADDRESS = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
HASH = "0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060"
LISTED_TRANSFER = {"token_symbol": "USDC", "amount_display": "250.00 USDC", "amount_usd": 250}
TRANSFER = {
    "contract_address": USDC_ADDRESS,
    "token_symbol": "USDC",
    "token_name": "USD Coin",
    "token_standard": "ERC-20",
    "from_address": SOMEBODY,
    "to_address": "0x1111111111111111111111111111111111111111",
    "amount_display": "250.00 USDC",
    "amount_usd": 250,
    "token_id": None,
}
LISTED = {
    "hash": HASH,
    "block_number": 22_400_001,
    "block_timestamp": "2026-04-30T12:00:12Z",
    "from_address": SOMEBODY,
    "to_address": USDC_ADDRESS,
    "value_native": "0.00 ETH",
    "value_usd": 0,
    "gas_used": 65_000,
    "gas_price_gwei": 12.5,
    "gas_fee_usd": 2.44,
    "status": "success",
    "token_transfers": [LISTED_TRANSFER],
}
LISTS = "https://exchange.example.com/api/v1/transactions"


class ListedTransfer(BaseModel):
    """A token that changed hands."""

    token_symbol: str | None
    amount_display: str
    amount_usd: ExactDecimal | None

    model_config = example(**LISTED_TRANSFER)


class TokenTransfer(ListedTransfer):
    """A token that changed hands, between whom, and which one it is."""

    contract_address: str
    token_name: str | None
    token_standard: str
    from_address: str
    to_address: str
    token_id: str | None

    model_config = example(**TRANSFER)


class ExplorerTransaction(BaseModel):
    """What every transaction is told with."""

    hash: str
    block_number: int
    block_timestamp: str
    from_address: str
    to_address: str | None
    value_native: str
    value_usd: ExactDecimal
    gas_used: int
    gas_price_gwei: ExactDecimal
    gas_fee_usd: ExactDecimal
    status: str


class ListedTransaction(ExplorerTransaction):
    """A transaction in a list."""

    token_transfers: list[ListedTransfer]

    model_config = example(**LISTED)


class TransactionAnswer(ExplorerTransaction):
    """A transaction; with `raw=true` also the bytes that its hash is of, and its receipt."""

    gas_fee_eth: ExactDecimal
    token_transfers: list[TokenTransfer]
    price_source: str
    price_timestamp: str
    raw_transaction: str | None = None
    receipt: str | None = None

    model_config = example(
        **LISTED
        | {
            "gas_fee_eth": 0.0008125,
            "token_transfers": [TRANSFER],
            "price_source": PRICE_SOURCE,
            "price_timestamp": "2026-04-30T12:00:12Z",
        }
    )


class TransactionsAnswer(BaseModel):
    """A page of transactions."""

    data: list[ListedTransaction]
    page: int
    page_size: int
    total_results: int
    total_pages: int
    next_page_url: str | None
    prev_page_url: str | None

    model_config = example(
        data=[LISTED],
        page=1,
        page_size=20,
        total_results=142,
        total_pages=8,
        next_page_url=f"{LISTS}?page_size=20&page=2",
        prev_page_url=None,
    )


class BlockAnswer(BaseModel):
    """A block; with `raw=true` also its header, whose hash is the block's."""

    block_number: int
    block_timestamp: str
    transaction_count: int
    transaction_hashes: list[str]
    block_hash: str
    parent_hash: str
    header: str | None = None

    model_config = example(
        block_number=22_400_001,
        block_timestamp="2026-04-30T12:00:12Z",
        transaction_count=1,
        transaction_hashes=[HASH],
        block_hash="0x88e96d4537bea4d9c05d12549907b32561d3bf31f45aae734cdc119f13406cb6",
        parent_hash="0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
    )


class KnownTokenAnswer(BaseModel):
    """A token of this chain."""

    contract_address: str
    symbol: str
    name: str
    decimals: int

    model_config = example(
        contract_address=USDC_ADDRESS, symbol="USDC", name="USD Coin", decimals=6
    )


class ExplorerHealthAnswer(BaseModel):
    """How far the chain is indexed."""

    status: str
    last_indexed_block: int | None
    last_indexed_timestamp: str | None
    chain_tip_block: int | None
    ingestion_lag_seconds: ExactDecimal | None
    version: str
    uptime: str

    model_config = example(
        status="ok",
        version="1.0.0",
        uptime="2h15m30s",
        last_indexed_block=22_450_100,
        last_indexed_timestamp="2026-04-30T14:22:00Z",
        chain_tip_block=22_450_112,
        ingestion_lag_seconds=144.0,
    )


def listed_transaction(one: Transaction) -> ListedTransaction:
    """A transaction in a list."""
    moved = [listed_transfer(transfer, one.eth_price_usd) for transfer in one.transfers]
    return ListedTransaction(**shared_by(one), token_transfers=moved)


def transaction_answer(one: Transaction, its_bytes: Bytes | None) -> TransactionAnswer:
    """A transaction with everything that is known of it."""
    more = (
        {}
        if its_bytes is None
        else {
            "raw_transaction": as_hex(its_bytes.raw),
            "receipt": as_hex(its_bytes.receipt),
        }
    )
    return TransactionAnswer(
        **shared_by(one),
        **more,
        gas_fee_eth=number(one.gas_used * one.gas_price_wei, ETH_DECIMALS),
        token_transfers=[token_transfer(moved, one.eth_price_usd) for moved in one.transfers],
        price_source=PRICE_SOURCE,
        price_timestamp=iso_seconds(one.time_s),
    )


def shared_by(one: Transaction) -> dict[str, Any]:
    """What lists and answers have of it: the fields of an ExplorerTransaction."""
    return {
        "hash": as_hex(one.hash),
        "block_number": one.block_number,
        "block_timestamp": iso_seconds(one.time_s),
        "from_address": checksummed(one.sender),
        "to_address": checksummed(one.recipient) if one.recipient is not None else None,
        "value_native": f"{amount_text(one.value_wei, ETH_DECIMALS)} ETH",
        "value_usd": usd_of_eth(one.value_wei, one.eth_price_usd),
        "gas_used": one.gas_used,
        "gas_price_gwei": number(one.gas_price_wei, GWEI_DECIMALS),
        "gas_fee_usd": usd_of_eth(one.gas_used * one.gas_price_wei, one.eth_price_usd),
        "status": "success" if one.succeeded else "failed",
    }


def listed_transfer(moved: Transfer, eth_price_usd: float) -> ListedTransfer:
    """A transfer in a list."""
    return ListedTransfer(**shared_by_transfers(moved, eth_price_usd))


def shared_by_transfers(moved: Transfer, eth_price_usd: float) -> dict[str, Any]:
    """What lists and answers have of it: the fields of a ListedTransfer."""
    named = TOKENS.get(moved.token)
    return {
        "token_symbol": named.token.symbol if named is not None else None,
        "amount_display": amount_of_token(moved.token, moved.amount),
        "amount_usd": usd_of_token(moved.token, moved.amount, eth_price_usd),
    }


def token_transfer(moved: Transfer, eth_price_usd: float) -> TokenTransfer:
    """A transfer with everything that is known of it."""
    named = TOKENS.get(moved.token)
    return TokenTransfer(
        **shared_by_transfers(moved, eth_price_usd),
        contract_address=checksummed(moved.token),
        token_name=named.name if named is not None else None,
        token_standard=ERC_20 if moved.token_id is None else ERC_721,
        from_address=checksummed(moved.sender),
        to_address=checksummed(moved.recipient),
        token_id=str(moved.token_id) if moved.token_id is not None else None,
    )


def block_answer(block: Block) -> BlockAnswer:
    """A block."""
    more = {} if block.header is None else {"header": as_hex(block.header)}
    return BlockAnswer(
        block_number=block.number,
        block_timestamp=iso_seconds(block.time_s),
        transaction_count=len(block.transaction_hashes),
        transaction_hashes=hexes(block.transaction_hashes),
        block_hash=as_hex(block.hash),
        parent_hash=as_hex(block.parent_hash),
        **more,
    )


def token_answer(named: NamedToken) -> KnownTokenAnswer:
    """A token."""
    token = named.token
    return KnownTokenAnswer(
        contract_address=checksummed(token.address),
        symbol=token.symbol,
        name=named.name,
        decimals=token.decimals,
    )


def health_answer(progress: Progress, process: Mapping[str, str]) -> ExplorerHealthAnswer:
    """How late what is indexed is, by the blocks' own times.

    process   its version and uptime
    """
    lag_s = None
    if progress.time_s is not None and progress.tip_time_s is not None:
        lag_s = progress.tip_time_s - progress.time_s
    return ExplorerHealthAnswer(
        status="ok" if lag_s is not None and lag_s <= LAG_S_MAX else "degraded",
        last_indexed_block=progress.number,
        last_indexed_timestamp=iso_seconds(progress.time_s)
        if progress.time_s is not None
        else None,
        chain_tip_block=progress.tip_number,
        ingestion_lag_seconds=Decimal(f"{lag_s}.0") if lag_s is not None else None,
        version=process["version"],
        uptime=process["uptime"],
    )


def hexes(hashes: Sequence[bytes]) -> list[str]:
    """As text."""
    return [as_hex(one) for one in hashes]


def number(units: int, decimals: int) -> Decimal:
    """With all its digits and no more."""
    return Decimal(format_scaled(units, decimals))
