"""The chain as people look it up: rows that the indexer reads out of blocks' bytes.

Transactions are numbered as they come, from 1 without a gap, and so are those of every address:
how many lie between two of them, and which are the twenty of a page, follows from the numbers,
however many there are. What is rolled back are always the highest.
"""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Float, Index, LargeBinary, Numeric
from sqlmodel import Field, SQLModel

WORD: Any = Numeric(78, 0)
"""Any integer of 256 bits."""

GIVEN = {"autoincrement": False}
"""Of a number that comes from elsewhere."""


class ExplorerCursorRow(SQLModel, table=True):
    """The last block that is indexed. Who indexes moves it from the one it has seen to the next."""

    __tablename__ = "explorer_cursor"
    __table_args__ = (CheckConstraint("id", name="there_is_one_cursor"),)
    id: bool = Field(primary_key=True, sa_column_kwargs={"server_default": "true"})
    number: int = Field(sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)


class ExplorerBlockRow(SQLModel, table=True):
    """An indexed block; `last_ordinal` numbers its last transaction, or the last before it."""

    __tablename__ = "explorer_blocks"
    __table_args__ = (Index("explorer_blocks_by_time", "time_s", "number"),)
    number: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs=GIVEN)
    hash: bytes = Field(sa_type=LargeBinary, unique=True)
    parent_hash: bytes = Field(sa_type=LargeBinary)
    time_s: int = Field(sa_type=BigInteger)
    eth_price_usd: float = Field(sa_type=Float)
    transaction_count: int
    last_ordinal: int = Field(sa_type=BigInteger)


class ExplorerTransactionRow(SQLModel, table=True):
    """An indexed transaction; `recipient` is absent where it creates a contract.

    gas_price_wei   what each unit of gas has cost, base fee and tip
    """

    __tablename__ = "explorer_transactions"
    ordinal: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs=GIVEN)
    hash: bytes = Field(sa_type=LargeBinary, unique=True)
    block_number: int = Field(sa_type=BigInteger)
    sender: bytes = Field(sa_type=LargeBinary)
    recipient: bytes | None = Field(sa_type=LargeBinary, default=None)
    value_wei: int = Field(sa_type=WORD)
    gas_used: int = Field(sa_type=BigInteger)
    gas_price_wei: int = Field(sa_type=WORD)
    succeeded: bool


class ExplorerTransferRow(SQLModel, table=True):
    """A token that changed hands in a transaction: an amount of an ERC-20, or one NFT by its id."""

    __tablename__ = "explorer_transfers"
    ordinal: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs=GIVEN)
    place: int = Field(primary_key=True, sa_column_kwargs=GIVEN)
    token: bytes = Field(sa_type=LargeBinary)
    sender: bytes = Field(sa_type=LargeBinary)
    recipient: bytes = Field(sa_type=LargeBinary)
    amount: int = Field(sa_type=WORD)
    token_id: int | None = Field(sa_column=Column(WORD, nullable=True))


class ExplorerAppearanceRow(SQLModel, table=True):
    """An address that sends or gets in a transaction, itself or a token; `rank` counts its own."""

    __tablename__ = "explorer_appearances"
    __table_args__ = (Index("explorer_appearances_by_ordinal", "address", "ordinal", unique=True),)
    address: bytes = Field(sa_type=LargeBinary, primary_key=True)
    rank: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs=GIVEN)
    ordinal: int = Field(sa_type=BigInteger)
