"""Balances, and the double-entry ledger they are the sums of."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Numeric,
    SmallInteger,
)
from sqlmodel import Field, SQLModel

from sim.market import COLLATERAL
from storage.tables.sums import SUM


class BalanceRow(SQLModel, table=True):
    """Money of one account in one asset. `locked_atoms` is reserved by open orders.

    The row lock of an account's COLLATERAL is the account's lock: whoever changes an account's
    money, in whatever asset, or its open orders takes it first, accounts in ascending order, and
    raises its `version`. Open orders and `stamped_at_us` are kept in that row alone.
    The ids of an account's orders, fills and ledger legs are drawn under it, so a
    higher one never shows before a lower one, and their times are put under
    `stamped_at_us`, the last of them, so they never go back along the ids.
    """

    __tablename__ = "balances"
    __table_args__ = (
        CheckConstraint("locked_atoms >= 0", name="locked_not_negative"),
        CheckConstraint("open_orders >= 0", name="open_orders_not_negative"),
        CheckConstraint(
            f"asset = '{COLLATERAL}' OR total_atoms >= locked_atoms", name="nothing_sold_unowned"
        ),
    )
    account_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="accounts.id")
    asset: str = Field(primary_key=True)
    total_atoms: int = Field(sa_type=SUM, default=0)
    locked_atoms: int = Field(sa_type=SUM, default=0)
    open_orders: int = 0
    version: int = Field(sa_type=BigInteger, default=0, sa_column_kwargs={"server_default": "0"})
    stamped_at_us: int = Field(
        sa_type=BigInteger, default=0, sa_column_kwargs={"server_default": "0"}
    )


class LedgerRow(SQLModel, table=True):
    """One leg of a ledger transaction (source, seq); its legs sum to zero per asset."""

    __tablename__ = "ledger_entries"
    __table_args__ = (Index("ledger_by_account", "account_id", "id"),)
    source: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True)
    leg: int = Field(primary_key=True)
    id: int = Field(sa_column=Column(BigInteger, Identity(), nullable=False))
    account_id: int = Field(sa_type=BigInteger)
    asset: str
    entry_type: str
    amount_atoms: int = Field(sa_type=SUM)
    balance_after_atoms: int | None = Field(sa_type=SUM, default=None)
    reference: str | None = None
    created_at_us: int = Field(sa_type=BigInteger)


class StrategyLedgerRow(SQLModel, table=True):
    """A ledger transaction of simulated traders: what the batches first_seq to last_seq of the
    market `source` came to. The three arrays hold its legs, which sum to zero.

    Codes are sim.money.ledger's ENTRY_CODES. upkeep/strategy_ledger.py reads and sums up such rows.
    """

    __tablename__ = "strategy_ledger"
    source: str = Field(primary_key=True)
    last_seq: int = Field(sa_type=BigInteger, primary_key=True)
    asset: str = Field(primary_key=True)
    first_seq: int = Field(sa_type=BigInteger)
    account_ids: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    entry_codes: list[int] = Field(sa_column=Column(ARRAY(SmallInteger), nullable=False))
    amounts_atoms: list[int] = Field(sa_column=Column(ARRAY(Numeric), nullable=False))
    created_at_us: int = Field(sa_type=BigInteger)


class TransferRow(SQLModel, table=True):
    """A deposit, a withdrawal or a reset; numbers the ledger transaction that it made."""

    __tablename__ = "transfers"
    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    account_id: int = Field(sa_type=BigInteger)
    kind: str
    asset: str
    amount_atoms: int = Field(sa_type=SUM)
    created_at_us: int = Field(sa_type=BigInteger)
