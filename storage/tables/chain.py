"""The chain as its node keeps it: blocks, transactions, who has what; and what is wished of it.

Hashes and addresses are bytes, amounts integers of wei or of a token's smallest unit.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    Identity,
    Index,
    LargeBinary,
    text,
)
from sqlmodel import Field, SQLModel

from sim.chain.acts import WishStatus
from storage.tables.sums import SUM

WAITING = f"status = {WishStatus.WAITING}"
GIVEN = {"autoincrement": False}
"""Of a number that comes from elsewhere."""


class ChainHeadRow(SQLModel, table=True):
    """Where the chain is. Who builds blocks moves it together with them, under its epoch.

    seed         what wallets and the crowd follow from, for as long as the chain lives
    mine_to      the block up to which an operator who is still there has asked to build without
                 waiting
    reorg_wish   how many of the newest blocks are to be replaced by others, once
    """

    __tablename__ = "chain_head"
    __table_args__ = (CheckConstraint("id", name="there_is_one_chain"),)
    id: bool = Field(primary_key=True, sa_column_kwargs={"server_default": "true"})
    epoch: int = Field(sa_type=BigInteger, default=0)
    seed: int = Field(sa_type=BigInteger)
    number: int = Field(sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)
    time_s: int = Field(sa_type=BigInteger)
    next_base_fee_wei: int = Field(sa_type=BigInteger)
    state_hash: bytes = Field(sa_type=LargeBinary)
    burnt_wei: int = Field(sa_type=SUM)
    last_token_id: int = Field(sa_type=BigInteger)
    halt_reason: str | None = None
    mine_to: int = Field(sa_type=BigInteger, default=0)
    reorg_wish: int = 0


class ChainBlockRow(SQLModel, table=True):
    """A block. `header` is its RLP, `pool_calls` what pools were asked in it, in order.

    eth_price_usd   of pool 42 after it; the nearest double
    pool_prices     JSON: the sqrtPriceX96 of each pool after it
    """

    __tablename__ = "chain_blocks"
    number: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs=GIVEN)
    hash: bytes = Field(sa_type=LargeBinary, unique=True)
    parent_hash: bytes = Field(sa_type=LargeBinary)
    time_s: int = Field(sa_type=BigInteger)
    base_fee_wei: int = Field(sa_type=BigInteger)
    gas_used: int = Field(sa_type=BigInteger)
    eth_price_usd: float = Field(sa_type=Float)
    header: bytes = Field(sa_type=LargeBinary)
    pool_calls: bytes = Field(sa_type=LargeBinary)
    pool_prices: str


class ChainTransactionRow(SQLModel, table=True):
    """A transaction of a block; `raw` and `receipt` are its bytes and its receipt's, typed."""

    __tablename__ = "chain_transactions"
    block_number: int = Field(sa_type=BigInteger, primary_key=True)
    place: int = Field(primary_key=True)
    hash: bytes = Field(sa_type=LargeBinary, unique=True)
    sender: bytes = Field(sa_type=LargeBinary)
    raw: bytes = Field(sa_type=LargeBinary)
    receipt: bytes = Field(sa_type=LargeBinary)


class ChainAccountRow(SQLModel, table=True):
    """An address, the ether on it, and how many transactions it has sent."""

    __tablename__ = "chain_accounts"
    address: bytes = Field(sa_type=LargeBinary, primary_key=True)
    nonce: int = Field(sa_type=BigInteger)
    wei: int = Field(sa_type=SUM)


class ChainHoldingRow(SQLModel, table=True):
    """What an address has of a token."""

    __tablename__ = "chain_holdings"
    token: bytes = Field(sa_type=LargeBinary, primary_key=True)
    holder: bytes = Field(sa_type=LargeBinary, primary_key=True)
    amount: int = Field(sa_type=SUM)


class ChainPositionRow(SQLModel, table=True):
    """A position of a pool that has been minted and not closed, and the NFT that stands for it."""

    __tablename__ = "chain_positions"
    __table_args__ = (Index("chain_positions_by_holder", "holder"),)
    token_id: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs=GIVEN)
    pool_id: int
    holder: bytes = Field(sa_type=LargeBinary)
    tick_lower: int
    tick_upper: int
    liquidity: int = Field(sa_type=SUM)


class ChainWishRow(SQLModel, table=True):
    """A transaction that somebody here wishes; the node signs it with the wallet's key.

    label        whose and which one it is: the same one is never wished twice
    wallet       what the key of its sender is derived from
    act          JSON of sim/chain/acts.py
    last_block   it is dropped where no block up to this one has taken it
    status       sim/chain/acts.py, WishStatus
    outcome      JSON: what came of it, once it is in a block
    """

    __tablename__ = "chain_wishes"
    __table_args__ = (
        Index(
            "chain_wishes_waiting", "id", postgresql_where=text(f"status = {WishStatus.WAITING}")
        ),
        Index(
            "chain_wishes_by_block",
            "block_number",
            postgresql_where=text("block_number IS NOT NULL"),
        ),
        Index(
            "chain_wishes_of_droids",
            "wallet",
            postgresql_where=text("starts_with(wallet, 'droid-'::text)"),
        ),
    )
    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    label: str = Field(unique=True)
    wallet: str
    act: str
    max_fee_wei: int = Field(sa_type=BigInteger)
    priority_fee_wei: int = Field(sa_type=BigInteger)
    last_block: int = Field(sa_type=BigInteger)
    status: int = Field(sa_column_kwargs={"server_default": "0"})
    block_number: int | None = Field(sa_type=BigInteger, default=None)
    place: int | None = None
    outcome: str | None = None


class PoolRow(SQLModel, table=True):
    """A pool after the newest block: what everybody sees of it.

    amount0, amount1   what is in it
    price              of one ETH in USD, the nearest double
    """

    __tablename__ = "pools"
    id: int = Field(primary_key=True, sa_column_kwargs=GIVEN)
    block_number: int = Field(sa_type=BigInteger)
    sqrt_price_x96: int = Field(sa_type=SUM)
    tick: int
    liquidity: int = Field(sa_type=SUM)
    amount0: int = Field(sa_type=SUM)
    amount1: int = Field(sa_type=SUM)
    price: float = Field(sa_type=Float)
    state_hash: bytes = Field(sa_type=LargeBinary)


class PoolSnapshotRow(SQLModel, table=True):
    """A pool's whole state after a block, so that its actor replays only the blocks since."""

    __tablename__ = "pool_snapshots"
    pool_id: int = Field(primary_key=True)
    block_number: int = Field(sa_type=BigInteger, primary_key=True)
    state_hash: bytes = Field(sa_type=LargeBinary)
    state: bytes = Field(sa_type=LargeBinary)
