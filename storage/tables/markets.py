"""Markets, their sequence and journal, and what can be seen of them."""

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
    true,
)
from sqlmodel import Field, SQLModel


class MarketRow(SQLModel, table=True):
    """A market's specification, as sim.market.MarketSpec has it, and how it stands.

    halt_reason     why it is HALTED; null while it is not
    takes_cancels   whether its actor still does what cancels ask
    wish            what an operator asks of it (market/halts.py), the wish_no-th; null when done
    wish_answer     what became of the last one
    """

    __tablename__ = "markets"
    market_id: str = Field(primary_key=True)
    ordinal: int = Field(unique=True)
    base_asset: str
    quote_asset: str
    tick_size: str
    lot_size: str
    min_quantity_lots: int = Field(sa_type=BigInteger)
    max_quantity_lots: int = Field(sa_type=BigInteger)
    max_price_ticks: int = Field(sa_type=BigInteger)
    max_leverage: int
    initial_margin_ppm: int
    maintenance_margin_ppm: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    funding_interval_hours: int
    funding_cap_ppm: int
    price_band_ppm: int
    status: int
    kind: str = Field(default="PERPETUAL", sa_column_kwargs={"server_default": "PERPETUAL"})
    halt_reason: str | None = None
    takes_cancels: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    wish: str | None = None
    wish_no: int = Field(sa_type=BigInteger, default=0, sa_column_kwargs={"server_default": "0"})
    wish_answer: str | None = None


class CommandRow(SQLModel, table=True):
    """The outbox: a client's command, without a number until the relay gives it one."""

    __tablename__ = "commands"
    __table_args__ = (
        Index("commands_unsequenced", "id", postgresql_where=text("command_seq IS NULL")),
        Index("commands_sequenced", "market_id", "command_seq", unique=True),
    )
    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    market_id: str
    command_seq: int | None = Field(sa_type=BigInteger, default=None)
    time_us: int | None = Field(sa_type=BigInteger, default=None)
    account_id: int = Field(sa_type=BigInteger)
    order_id: int = Field(sa_type=BigInteger)
    payload: bytes = Field(sa_type=LargeBinary)
    created_at_us: int = Field(sa_type=BigInteger)


class SequenceRow(SQLModel, table=True):
    """The relay's counter of a market: the last number and time it has stamped."""

    __tablename__ = "market_sequences"
    market_id: str = Field(primary_key=True)
    command_seq: int = Field(sa_type=BigInteger, default=0)
    time_us: int = Field(sa_type=BigInteger, default=0)


class HeadRow(SQLModel, table=True):
    """The fence and the state of a market: only the actor with the newest epoch moves it."""

    __tablename__ = "market_heads"
    market_id: str = Field(primary_key=True)
    epoch: int = Field(sa_type=BigInteger, default=0)
    batch_no: int = Field(sa_type=BigInteger, default=0)
    command_seq: int = Field(sa_type=BigInteger, default=0)
    event_seq: int = Field(sa_type=BigInteger, default=0)
    chain: bytes = Field(sa_type=LargeBinary)


class JournalRow(SQLModel, table=True):
    """One applied batch: inputs and events as row bytes, chained by hash."""

    __tablename__ = "journal"
    market_id: str = Field(primary_key=True)
    batch_no: int = Field(sa_type=BigInteger, primary_key=True)
    epoch: int = Field(sa_type=BigInteger)
    command_seq: int = Field(sa_type=BigInteger)
    event_seq: int = Field(sa_type=BigInteger)
    time_us: int = Field(sa_type=BigInteger)
    strategies: str
    inputs: bytes = Field(sa_type=LargeBinary)
    events: bytes = Field(sa_type=LargeBinary)
    chain: bytes = Field(sa_type=LargeBinary)


class JournalPackRow(SQLModel, table=True):
    """Journal rows first_batch to last_batch that recovery rarely needs, in a tenth of their size.

    `chain_before` and `chain` are the journal's running hash before the first and after the last.
    """

    __tablename__ = "journal_packs"
    market_id: str = Field(primary_key=True)
    last_batch: int = Field(sa_type=BigInteger, primary_key=True)
    first_batch: int = Field(sa_type=BigInteger)
    chain_before: bytes = Field(sa_type=LargeBinary)
    chain: bytes = Field(sa_type=LargeBinary)
    data: bytes = Field(sa_type=LargeBinary)
    time_us: int = Field(sa_type=BigInteger)


class SnapshotRow(SQLModel, table=True):
    """A market's whole state after a batch, so that recovery replays only the tail.

    is_anchor   kept longer than others: the journal may be cut off behind it
    """

    __tablename__ = "snapshots"
    market_id: str = Field(primary_key=True)
    batch_no: int = Field(sa_type=BigInteger, primary_key=True)
    command_seq: int = Field(sa_type=BigInteger)
    state_hash: bytes = Field(sa_type=LargeBinary)
    strategies: str
    state: bytes = Field(sa_type=LargeBinary)
    created_at_us: int = Field(sa_type=BigInteger)
    chain: bytes | None = Field(sa_type=LargeBinary, default=None)
    is_anchor: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})


class ViewRow(SQLModel, table=True):
    """The book's top levels after the last batch: int64 (n, 3) rows of ticks, lots, orders."""

    __tablename__ = "market_views"
    market_id: str = Field(primary_key=True)
    event_seq: int = Field(sa_type=BigInteger, default=0)
    at_us: int = Field(sa_type=BigInteger, default=0)
    best_bid_ticks: int = Field(sa_type=BigInteger, default=0)
    best_ask_ticks: int = Field(sa_type=BigInteger, default=0)
    last_price_ticks: int = Field(sa_type=BigInteger, default=0)
    bids: bytes = Field(sa_type=LargeBinary)
    asks: bytes = Field(sa_type=LargeBinary)


class PriceRow(SQLModel, table=True):
    """Index and mark price of a market, and what their processes need to go on."""

    __tablename__ = "market_prices"
    market_id: str = Field(primary_key=True)
    index_ticks: int = Field(sa_type=BigInteger)
    mark_ticks: int = Field(sa_type=BigInteger)
    ema_state: int = Field(sa_type=BigInteger)
    price_state: bytes | None = Field(sa_type=LargeBinary, default=None)
    updated_at_us: int = Field(sa_type=BigInteger)


class HeadlineRow(SQLModel, table=True):
    """A headline about a base asset, written when it is public; sim.prices.headlines.Headline."""

    __tablename__ = "headlines"
    __table_args__ = (UniqueConstraint("at_us", "asset", "text", name="headlines_are_told_once"),)
    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    at_us: int = Field(sa_type=BigInteger)
    asset: str
    text: str
    score_ppm: int
    source: str
    weight_ppm: int
