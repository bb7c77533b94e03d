"""Droids: what their owners want, their sessions, their positions, and how they stood."""

from sqlalchemy import BigInteger, Column, Float, Identity, Index, LargeBinary, SmallInteger, text
from sqlmodel import Field, SQLModel

from storage.tables.chain import GIVEN
from storage.tables.sums import SUM


class DroidRow(SQLModel, table=True):
    """A droid, and what its owner wants of it.

    owner_id     the user who made it; account_id pays for it, and gets back what is left
    config       JSON of sim/droid/config.py: exact decimals as text
    active       what was asked last: 0 pause, 1 run, 3 close all; a reset reads 1
    resets       how often it was asked to begin anew
    revision     of config and active: one more with every change
    """

    __tablename__ = "droids"
    __table_args__ = (Index("droids_by_owner", "owner_id", "id"),)
    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    owner_id: int = Field(sa_type=BigInteger, foreign_key="users.id")
    account_id: int = Field(sa_type=BigInteger, foreign_key="accounts.id")
    pool_id: int
    config: str
    active: int = Field(sa_type=SmallInteger, default=0)
    resets: int = 0
    revision: int = 0
    created_at_us: int = Field(sa_type=BigInteger)


class DroidSessionRow(SQLModel, table=True):
    """From placing to closing. `status` and `note` are those of sim/droid/states.py.

    ended                whether its droid's wallet is back in the account; until then somebody
                         works on it
    funded_quote_atoms   what its account has paid into it, in the quote token's smallest unit: the
                         highest funding that it had
    """

    __tablename__ = "droid_sessions"
    __table_args__ = (
        Index("droid_sessions_by_droid", "droid_id", "id"),
        Index("droid_sessions_open", "droid_id", unique=True, postgresql_where=text("NOT ended")),
    )
    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    droid_id: int = Field(sa_type=BigInteger, foreign_key="droids.id")
    status: str
    note: str | None = None
    ended: bool = False
    funded_quote_atoms: int = Field(sa_type=SUM)
    started_at_us: int = Field(sa_type=BigInteger)
    stopped_at_us: int | None = Field(sa_type=BigInteger, default=None)


class DroidBotRow(SQLModel, table=True):
    """A rung: one position of a droid, from its mint to its closing."""

    __tablename__ = "droid_bots"
    __table_args__ = (Index("droid_bots_by_droid", "droid_id", "id"),)
    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    droid_id: int = Field(sa_type=BigInteger, foreign_key="droids.id")
    session_id: int = Field(sa_type=BigInteger, foreign_key="droid_sessions.id")
    position_id: bytes = Field(sa_type=LargeBinary)
    bucket: int
    tick_lower: int
    tick_upper: int
    liquidity: int = Field(sa_type=SUM)
    status: str
    opened_block: int = Field(sa_type=BigInteger)
    closed_block: int | None = Field(sa_type=BigInteger, default=None)


class DroidHistoryRow(SQLModel, table=True):
    """How a droid stood at a block's end. Base is ether, quote the other token.

    aum_quote_atoms   in the quote token's smallest unit
    """

    __tablename__ = "droid_history"
    __table_args__ = (Index("droid_history_by_droid", "droid_id", "id"),)
    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    droid_id: int = Field(sa_type=BigInteger, foreign_key="droids.id")
    block_number: int = Field(sa_type=BigInteger)
    time_s: int = Field(sa_type=BigInteger)
    price: float = Field(sa_type=Float)
    aum_quote_atoms: int = Field(sa_type=SUM)
    base_positions: int = Field(sa_type=SUM)
    quote_positions: int = Field(sa_type=SUM)
    wallet_wei: int = Field(sa_type=SUM)


class DroidStateRow(SQLModel, table=True):
    """Where the actor of a droid's session is: written with everything that it does in a block.

    mind      JSON of sim/droid: what it goes on from
    figures   JSON: how it stands, for whoever asks
    """

    __tablename__ = "droid_states"
    session_id: int = Field(
        sa_type=BigInteger,
        primary_key=True,
        foreign_key="droid_sessions.id",
        sa_column_kwargs=GIVEN,
    )
    epoch: int = Field(sa_type=BigInteger, default=0)
    block_number: int = Field(sa_type=BigInteger)
    revision: int
    mind: str
    figures: str
