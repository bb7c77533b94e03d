"""Who logs in, who owns money, and what a client has asked before."""

from sqlalchemy import BigInteger, Column, Identity, LargeBinary
from sqlmodel import Field, SQLModel


class AccountRow(SQLModel, table=True):
    """Owner of money, orders and positions. See storage/accounts.py for the id ranges."""

    __tablename__ = "accounts"
    id: int = Field(sa_column=Column(BigInteger, Identity(start=1000), primary_key=True))
    kind: str
    name: str | None = None
    created_at_us: int = Field(sa_type=BigInteger)


class UserRow(SQLModel, table=True):
    """A person or bot that logs in; its id is its account's."""

    __tablename__ = "users"
    id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="accounts.id")
    email: str = Field(unique=True)
    password_hash: str
    role: str
    status: str
    created_at_us: int = Field(sa_type=BigInteger)


class IdempotencyRow(SQLModel, table=True):
    """What a POST with an Idempotency-Key answered the first time."""

    __tablename__ = "idempotency"
    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    key: str = Field(primary_key=True)
    route: str
    body_hash: bytes = Field(sa_type=LargeBinary)
    status: int
    response: str
    created_at_us: int = Field(sa_type=BigInteger)


class CancelAfterRow(SQLModel, table=True):
    """A dead-man switch: unless renewed, all orders of the account are cancelled then."""

    __tablename__ = "cancel_after"
    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    deadline_us: int = Field(sa_type=BigInteger, index=True)
