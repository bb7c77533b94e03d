"""Orders, and the projections of what became of them."""

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    SmallInteger,
    text,
)
from sqlmodel import Field, SQLModel

from storage.order_states import ENDED, ENDED_STATUS, OPEN
from storage.tables.sums import SUM

NOTHING = {"server_default": "0"}

ORDER_IDS = Sequence("order_ids", metadata=SQLModel.metadata)
FILL_IDS = Sequence("fill_ids", metadata=SQLModel.metadata)
"""Numbers of fills, in the order in which an account sees them."""


class OrderRow(SQLModel, table=True):
    """A client's order. Strategies' orders live in the journal only.

    `price_ticks` is the worst price it may trade at; of old MARKET orders 0.

    trigger_ticks     what it waits for, the distance of a TRAILING one; 0 where it never waited
    triggered_at_us   when it came in; 0 where it waits, or never did
    expires_us        when it ends; 0 for never
    link_id           what its client calls its link; link_order_id is the first order of that
    may_open          whether its margin is reserved, since it was placed or moved last: if not, the
                      market lets it open nothing
    amend_reason      why its last amendment was refused by the market; 0 where it was not
    ended_status      its status once it has ended; see storage/order_states.py
    """

    __tablename__ = "orders"
    __table_args__ = (
        Index("orders_by_account", "account_id", "id"),
        Index(
            "orders_client_id",
            "account_id",
            "client_order_id",
            unique=True,
            postgresql_where=text("client_order_id IS NOT NULL"),
        ),
        Index("orders_open", "account_id", "market_id", postgresql_where=text(OPEN)),
        Index("orders_ended", "account_id", "ended_status", "id", postgresql_where=text(ENDED)),
        Index(
            "orders_ended_by_market",
            "account_id",
            "market_id",
            "ended_status",
            "id",
            postgresql_where=text(ENDED),
        ),
        Index("orders_linked", "link_order_id", postgresql_where=text("link_order_id IS NOT NULL")),
    )
    id: int = Field(sa_type=BigInteger, primary_key=True)
    account_id: int = Field(sa_type=BigInteger)
    market_id: str
    client_order_id: str | None = None
    body_hash: bytes = Field(sa_type=LargeBinary)
    side: int
    order_type: int
    time_in_force: int
    price_ticks: int = Field(sa_type=BigInteger)
    quantity_lots: int = Field(sa_type=BigInteger)
    filled_lots: int = Field(sa_type=BigInteger, default=0)
    filled_tick_lots: int = Field(sa_type=SUM, sa_column_kwargs={"server_default": "0"})
    leverage: int
    reduce_only: bool
    post_only: bool
    reserved_atoms: int = Field(sa_type=BigInteger)
    status: int
    reason: int = 0
    created_at_us: int = Field(sa_type=BigInteger)
    updated_at_us: int = Field(sa_type=BigInteger)
    trigger_ticks: int = Field(sa_type=BigInteger, sa_column_kwargs=NOTHING)
    on_mark: bool = Field(sa_column_kwargs={"server_default": "false"})
    triggered_at_us: int = Field(sa_type=BigInteger, sa_column_kwargs=NOTHING)
    expires_us: int = Field(sa_type=BigInteger, sa_column_kwargs=NOTHING)
    link_id: str | None = None
    link_order_id: int | None = Field(sa_type=BigInteger, default=None)
    may_open: bool = Field(sa_column_kwargs={"server_default": "true"})
    amend_reason: int = Field(sa_column_kwargs=NOTHING)
    ended_status: int | None = Field(
        sa_column=Column(Integer, Computed(ENDED_STATUS, persisted=True)), default=None
    )


class AmendmentRow(SQLModel, table=True):
    """What an order is to become, from when that was accepted until the market has done it or not.

    `reserved_atoms` is what it locks beside the order's own reservation; an order that has become
    it needs `needed_atoms` for `needed_lots`, which are 0 where it only becomes smaller. `may_open`
    is the order's from then on, NULL where that stays.
    """

    __tablename__ = "amendments"
    __table_args__ = (Index("amendments_by_account", "account_id"),)
    order_id: int = Field(sa_type=BigInteger, primary_key=True)
    account_id: int = Field(sa_type=BigInteger)
    added_lots: int = Field(sa_type=BigInteger)
    price_ticks: int = Field(sa_type=BigInteger)
    trigger_ticks: int = Field(sa_type=BigInteger)
    reserved_atoms: int = Field(sa_type=BigInteger)
    needed_atoms: int = Field(sa_type=BigInteger)
    needed_lots: int = Field(sa_type=BigInteger)
    may_open: bool | None = None


class FillRow(SQLModel, table=True):
    """A client's side of a trade. `realized_pnl_atoms` is before the fee.

    Databases of before have strategies' fills too. Lists are of clients' fills, so only those are
    indexed: a strategy's order has a negative id.
    """

    __tablename__ = "fills"
    __table_args__ = (
        Index("fills_by_account", "account_id", "id", postgresql_where=text("order_id > 0")),
        Index(
            "fills_by_market",
            "account_id",
            "market_id",
            "id",
            postgresql_where=text("order_id > 0"),
        ),
        Index("fills_by_order", "order_id", "id", postgresql_where=text("order_id > 0")),
    )
    market_id: str = Field(primary_key=True)
    event_seq: int = Field(sa_type=BigInteger, primary_key=True)
    is_maker: bool = Field(primary_key=True)
    order_id: int = Field(sa_type=BigInteger)
    account_id: int = Field(sa_type=BigInteger)
    side: int
    price_ticks: int = Field(sa_type=BigInteger)
    quantity_lots: int = Field(sa_type=BigInteger)
    fee_atoms: int = Field(sa_type=SUM)
    realized_pnl_atoms: int = Field(sa_type=SUM)
    created_at_us: int = Field(sa_type=BigInteger)
    id: int = Field(
        sa_type=BigInteger, sa_column_kwargs={"server_default": text("nextval('fill_ids')")}
    )


class TradeRow(SQLModel, table=True):
    """The public tape. Its columns stand by their width, for there are millions a day."""

    __tablename__ = "trades"
    event_seq: int = Field(sa_type=BigInteger, primary_key=True)
    quantity_lots: int = Field(sa_type=BigInteger)
    created_at_us: int = Field(sa_type=BigInteger)
    price_ticks: int
    taker_side: int = Field(sa_type=SmallInteger)
    market_id: str = Field(primary_key=True)


class CandleRow(SQLModel, table=True):
    """One interval of one market, `width_us` long. Each interval is kept by itself.

    A simulated one was there before anybody traded, or has minutes in it that were.
    """

    __tablename__ = "candles"
    market_id: str = Field(primary_key=True)
    width_us: int = Field(sa_type=BigInteger, primary_key=True)
    open_time_us: int = Field(sa_type=BigInteger, primary_key=True)
    open_ticks: int = Field(sa_type=BigInteger)
    high_ticks: int = Field(sa_type=BigInteger)
    low_ticks: int = Field(sa_type=BigInteger)
    close_ticks: int = Field(sa_type=BigInteger)
    volume_lots: int = Field(sa_type=SUM)
    notional_atoms: int = Field(sa_type=SUM)
    trade_count: int = Field(sa_type=BigInteger)
    simulated: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})


class PositionRow(SQLModel, table=True):
    """Signed position. `cost_atoms` has its sign; `realized_pnl_atoms` is net of fees.

    `realized_before_atoms` is what was realised before the account began anew: its owner is told
    the difference. The recorder, which alone writes the rest, never touches it.
    """

    __tablename__ = "positions"
    __table_args__ = (Index("positions_by_market", "market_id", "account_id"),)
    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    market_id: str = Field(primary_key=True)
    quantity_lots: int = Field(sa_type=BigInteger)
    cost_atoms: int = Field(sa_type=SUM)
    realized_pnl_atoms: int = Field(sa_type=SUM)
    updated_at_us: int = Field(sa_type=BigInteger)
    realized_before_atoms: int = Field(sa_type=SUM, sa_column_kwargs={"server_default": "0"})


class LeverageRow(SQLModel, table=True):
    """The leverage of an account's position and orders in a market.

    Its first order sets it, and whoever asks for another; written under the account's lock, see
    BalanceRow.
    """

    __tablename__ = "leverages"
    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    market_id: str = Field(primary_key=True)
    leverage: int


class ProjectionRow(SQLModel, table=True):
    """A recorder's cursor: the last batch of a market whose events are in these tables."""

    __tablename__ = "projections"
    market_id: str = Field(primary_key=True)
    batch_no: int = Field(sa_type=BigInteger, default=0)
    command_seq: int = Field(sa_type=BigInteger, default=0)
    event_seq: int = Field(sa_type=BigInteger, default=0)
