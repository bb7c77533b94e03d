"""Who logs in, who owns money, and what a client has asked before."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    text,
)
from sqlmodel import Field, SQLModel

from sim.money.ledger import CLIENTS_FIRST


class AccountRow(SQLModel, table=True):
    """Owner of money, orders and positions. See storage/people/accounts.py for kinds and ids.

    `owner_id` is the user, None for the house and for strategies. A MAIN account's is its own id:
    a trigger writes it, for whoever makes one chooses no id. The user comes in the same
    transaction after the account, so the key is checked at its end.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint(
            "kind <> 'MAIN' OR owner_id = id OR owner_id IS NULL", name="main_is_ones_own"
        ),
        Index("accounts_by_owner", "owner_id", "id", postgresql_where=text("owner_id IS NOT NULL")),
    )
    id: int = Field(sa_column=Column(BigInteger, Identity(start=CLIENTS_FIRST), primary_key=True))
    kind: str
    name: str | None = None
    created_at_us: int = Field(sa_type=BigInteger)
    owner_id: int | None = Field(
        sa_column=Column(
            BigInteger,
            ForeignKey(
                "users.id",
                name="accounts_owner_id_fkey",
                use_alter=True,
                deferrable=True,
                initially="DEFERRED",
            ),
        )
    )
    archived_at_us: int | None = Field(sa_type=BigInteger, default=None)


class UserRow(SQLModel, table=True):
    """A person or bot that logs in; its id is its MAIN account's. A guest has `guest_since_us`
    until it is known that it has used an account: see storage/people/idle_identities.py. Who has
    joined the trading app had the opening balance at `opened_at_us`, which is 0 until then."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_by_status", "status", "id"),
        Index(
            "users_guests", "guest_since_us", postgresql_where=text("guest_since_us IS NOT NULL")
        ),
    )
    id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="accounts.id")
    email: str = Field(unique=True)
    password_hash: str
    role: str = Field(sa_column_kwargs={"server_default": "TRADER"})
    status: str
    created_at_us: int = Field(sa_type=BigInteger)
    guest_since_us: int | None = Field(sa_type=BigInteger, default=None)
    opened_at_us: int | None = Field(sa_type=BigInteger, default=None)


class FirstAdminRow(SQLModel, table=True):
    """Who was the first to join: one row, for ever, whatever becomes of its user."""

    __tablename__ = "first_admin"
    __table_args__ = (CheckConstraint("id", name="there_is_one_first"),)
    id: bool = Field(primary_key=True, sa_column_kwargs={"server_default": "true"})
    user_id: int = Field(sa_type=BigInteger)
    at_us: int = Field(sa_type=BigInteger)


class ApiKeyRow(SQLModel, table=True):
    """A key that opens a user's accounts as far as its scopes reach. Only its hash is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("api_keys_by_user", "user_id", "id"),)
    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    user_id: int = Field(sa_type=BigInteger, foreign_key="users.id", ondelete="CASCADE")
    name: str
    prefix: str = Field(unique=True)
    key_hash: bytes = Field(sa_type=LargeBinary)
    scopes: str
    created_at_us: int = Field(sa_type=BigInteger)
    expires_at_us: int | None = Field(sa_type=BigInteger, default=None)
    last_used_at_us: int | None = Field(sa_type=BigInteger, default=None)


class AppTokenRow(SQLModel, table=True):
    """What a user's programs read the explorer with: one a user. Only its hash is kept. Two may
    begin alike."""

    __tablename__ = "app_tokens"
    __table_args__ = (Index("app_tokens_by_prefix", "prefix"),)
    user_id: int = Field(
        sa_type=BigInteger, primary_key=True, foreign_key="users.id", ondelete="CASCADE"
    )
    prefix: str
    token_hash: bytes = Field(sa_type=LargeBinary)
    created_at_us: int = Field(sa_type=BigInteger)


class LoginSessionRow(SQLModel, table=True):
    """A login that can be refreshed: the hash of its one valid refresh token, and its number."""

    __tablename__ = "login_sessions"
    __table_args__ = (
        Index("login_sessions_by_user", "user_id", "started_at_us"),
        Index("login_sessions_by_expiry", "expires_at_us"),
    )
    id: str = Field(primary_key=True)
    user_id: int = Field(sa_type=BigInteger, foreign_key="users.id", ondelete="CASCADE")
    generation: int
    token_hash: bytes = Field(sa_type=LargeBinary)
    started_at_us: int = Field(sa_type=BigInteger)
    refreshed_at_us: int = Field(sa_type=BigInteger)
    expires_at_us: int = Field(sa_type=BigInteger)


class EndedSessionRow(SQLModel, table=True):
    """A login that was ended before its time: its access tokens open nothing any more."""

    __tablename__ = "ended_sessions"
    id: str = Field(primary_key=True)
    ended_at_us: int = Field(sa_type=BigInteger, index=True)


class LoginAddressRow(SQLModel, table=True):
    """Where a user has logged in from, not readable as an address."""

    __tablename__ = "login_addresses"
    user_id: int = Field(
        sa_type=BigInteger, primary_key=True, foreign_key="users.id", ondelete="CASCADE"
    )
    address: bytes = Field(sa_type=LargeBinary, primary_key=True)
    last_at_us: int = Field(sa_type=BigInteger)


class IdempotencyRow(SQLModel, table=True):
    """What a POST with an Idempotency-Key resulted in the first time.

    Written in the transaction of its effect: a key that is here has had it.
    `order_ids` are the orders it made, in the order of the places left for them in `response`.
    """

    __tablename__ = "idempotency"
    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    key: str = Field(primary_key=True)
    route: str
    body_hash: bytes = Field(sa_type=LargeBinary)
    response: str
    order_ids: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    created_at_us: int = Field(sa_type=BigInteger)


class CancelAfterRow(SQLModel, table=True):
    """A dead-man switch: unless renewed, all orders of the account are cancelled then."""

    __tablename__ = "cancel_after"
    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    deadline_us: int = Field(sa_type=BigInteger, index=True)
