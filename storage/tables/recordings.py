"""What `sandpit simulate --to postgres` keeps of a run: every trade, quote and standing.

Trades have no key and no index: a run's stand in a partition of their own, `recorded_trades_`
and the run's id, in the order in which its markets traded, and go with it.
"""

from sqlalchemy import BigInteger, Column, Identity, Integer, SmallInteger, Table
from sqlmodel import Field, SQLModel


class RecordedRunRow(SQLModel, table=True):
    """One run. Its rows are to be believed where status is COMPLETED, or INTERRUPTED: then they
    are complete up to `steps`. markets and strategies are JSON, by market_no and strategy_no."""

    __tablename__ = "recorded_runs"
    id: int = Field(sa_column=Column(Integer, Identity(), primary_key=True))
    name: str = Field(unique=True)
    scenario: str
    seed: int = Field(sa_type=BigInteger)
    record: str
    step_us: int
    steps: int
    steps_planned: int
    status: str
    markets: str
    strategies: str
    trades: int = Field(sa_type=BigInteger, default=0)
    orders: int = Field(sa_type=BigInteger, default=0)
    fills: int = Field(sa_type=BigInteger, default=0)
    state_hash: str | None = None
    began_at_us: int = Field(sa_type=BigInteger)
    ended_at_us: int | None = Field(sa_type=BigInteger, default=None)


RECORDED_TRADES = Table(
    "recorded_trades",
    SQLModel.metadata,
    Column("run_id", Integer, nullable=False),
    Column("market_no", SmallInteger, nullable=False),
    Column("trade_no", BigInteger, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("price_ticks", BigInteger, nullable=False),
    Column("quantity_lots", BigInteger, nullable=False),
    Column("taker_account", Integer, nullable=False),
    Column("maker_account", Integer, nullable=False),
    Column("taker_side", SmallInteger, nullable=False),
    postgresql_partition_by="LIST (run_id)",
)
"""The columns of sim.record.run.TRADE; trade_no counts the recorded trades of a market from 0."""


class RecordedQuoteRow(SQLModel, table=True):
    """A market at a sample: the columns of sim.record.run.QUOTE."""

    __tablename__ = "recorded_quotes"
    run_id: int = Field(primary_key=True, foreign_key="recorded_runs.id", ondelete="CASCADE")
    market_no: int = Field(sa_type=SmallInteger, primary_key=True)
    time_us: int = Field(sa_type=BigInteger, primary_key=True)
    best_bid_ticks: int = Field(sa_type=BigInteger)
    best_ask_ticks: int = Field(sa_type=BigInteger)
    last_price_ticks: int = Field(sa_type=BigInteger)
    index_ticks: int = Field(sa_type=BigInteger)
    mark_ticks: int = Field(sa_type=BigInteger)
    bid_lots: int = Field(sa_type=BigInteger)
    ask_lots: int = Field(sa_type=BigInteger)
    trades: int = Field(sa_type=BigInteger)
    volume_lots: int = Field(sa_type=BigInteger)
    liquidations: int = Field(sa_type=BigInteger)
    deleveragings: int = Field(sa_type=BigInteger)


class RecordedStandingRow(SQLModel, table=True):
    """A strategy at a sample: the columns of sim.record.run.STANDING."""

    __tablename__ = "recorded_standings"
    run_id: int = Field(primary_key=True, foreign_key="recorded_runs.id", ondelete="CASCADE")
    strategy_no: int = Field(sa_type=SmallInteger, primary_key=True)
    time_us: int = Field(sa_type=BigInteger, primary_key=True)
    equity_atoms: int = Field(sa_type=BigInteger)
    fees_atoms: int = Field(sa_type=BigInteger)
    funding_atoms: int = Field(sa_type=BigInteger)
    volume_atoms: int = Field(sa_type=BigInteger)
    liquidated_traders: int = Field(sa_type=BigInteger)
