"""The first schema"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first schema."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, start=1000), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "cancel_after",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("deadline_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_index(
        op.f("ix_cancel_after_deadline_us"), "cancel_after", ["deadline_us"], unique=False
    )
    op.create_table(
        "candles",
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("open_time_us", sa.BigInteger(), nullable=False),
        sa.Column("open_ticks", sa.BigInteger(), nullable=False),
        sa.Column("high_ticks", sa.BigInteger(), nullable=False),
        sa.Column("low_ticks", sa.BigInteger(), nullable=False),
        sa.Column("close_ticks", sa.BigInteger(), nullable=False),
        sa.Column("volume_lots", sa.BigInteger(), nullable=False),
        sa.Column("notional_atoms", sa.BigInteger(), nullable=False),
        sa.Column("trade_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "open_time_us"),
    )
    op.create_table(
        "commands",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("command_seq", sa.BigInteger(), nullable=True),
        sa.Column("time_us", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("commands_sequenced", "commands", ["market_id", "command_seq"], unique=True)
    op.create_index(
        "commands_unsequenced",
        "commands",
        ["id"],
        unique=False,
        postgresql_where=sa.text("command_seq IS NULL"),
    )
    op.create_table(
        "fills",
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("is_maker", sa.Boolean(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("price_ticks", sa.BigInteger(), nullable=False),
        sa.Column("quantity_lots", sa.BigInteger(), nullable=False),
        sa.Column("fee_atoms", sa.BigInteger(), nullable=False),
        sa.Column("realized_pnl_atoms", sa.BigInteger(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "event_seq", "is_maker"),
    )
    op.create_index(
        "fills_by_account",
        "fills",
        ["account_id", "created_at_us", "market_id", "event_seq"],
        unique=False,
    )
    op.create_index("fills_by_order", "fills", ["order_id"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("route", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("response", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key"),
    )
    op.create_table(
        "journal",
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("batch_no", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("command_seq", sa.BigInteger(), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("strategies", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("inputs", sa.LargeBinary(), nullable=False),
        sa.Column("events", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "batch_no"),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("asset", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("entry_type", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("amount_atoms", sa.BigInteger(), nullable=False),
        sa.Column("balance_after_atoms", sa.BigInteger(), nullable=True),
        sa.Column("reference", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "seq", "leg"),
    )
    op.create_index("ledger_by_account", "ledger_entries", ["account_id", "id"], unique=False)
    op.create_table(
        "market_heads",
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("batch_no", sa.BigInteger(), nullable=False),
        sa.Column("command_seq", sa.BigInteger(), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("market_id"),
    )
    op.create_table(
        "market_prices",
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("index_ticks", sa.BigInteger(), nullable=False),
        sa.Column("mark_ticks", sa.BigInteger(), nullable=False),
        sa.Column("ema_state", sa.BigInteger(), nullable=False),
        sa.Column("price_state", sa.LargeBinary(), nullable=True),
        sa.Column("updated_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("market_id"),
    )
    op.create_table(
        "market_sequences",
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("command_seq", sa.BigInteger(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("market_id"),
    )
    op.create_table(
        "market_views",
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("best_bid_ticks", sa.BigInteger(), nullable=False),
        sa.Column("best_ask_ticks", sa.BigInteger(), nullable=False),
        sa.Column("last_price_ticks", sa.BigInteger(), nullable=False),
        sa.Column("bids", sa.LargeBinary(), nullable=False),
        sa.Column("asks", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("market_id"),
    )
    op.create_table(
        "markets",
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("base_asset", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("quote_asset", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("tick_size", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("lot_size", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("min_quantity_lots", sa.BigInteger(), nullable=False),
        sa.Column("max_quantity_lots", sa.BigInteger(), nullable=False),
        sa.Column("max_price_ticks", sa.BigInteger(), nullable=False),
        sa.Column("max_leverage", sa.Integer(), nullable=False),
        sa.Column("initial_margin_ppm", sa.Integer(), nullable=False),
        sa.Column("maintenance_margin_ppm", sa.Integer(), nullable=False),
        sa.Column("maker_fee_ppm", sa.Integer(), nullable=False),
        sa.Column("taker_fee_ppm", sa.Integer(), nullable=False),
        sa.Column("funding_interval_hours", sa.Integer(), nullable=False),
        sa.Column("funding_cap_ppm", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("market_id"),
        sa.UniqueConstraint("ordinal"),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("client_order_id", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("idempotency_key", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("order_type", sa.Integer(), nullable=False),
        sa.Column("time_in_force", sa.Integer(), nullable=False),
        sa.Column("price_ticks", sa.BigInteger(), nullable=False),
        sa.Column("quantity_lots", sa.BigInteger(), nullable=False),
        sa.Column("filled_lots", sa.BigInteger(), nullable=False),
        sa.Column("leverage", sa.Integer(), nullable=False),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("post_only", sa.Boolean(), nullable=False),
        sa.Column("reserved_atoms", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Integer(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("orders_by_account", "orders", ["account_id", "id"], unique=False)
    op.create_index(
        "orders_client_id",
        "orders",
        ["account_id", "client_order_id"],
        unique=True,
        postgresql_where=sa.text("client_order_id IS NOT NULL"),
    )
    op.create_index(
        "orders_idempotency_key",
        "orders",
        ["account_id", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_index(
        "orders_open",
        "orders",
        ["account_id", "market_id"],
        unique=False,
        postgresql_where=sa.text("status <= 3"),
    )
    op.create_table(
        "positions",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("quantity_lots", sa.BigInteger(), nullable=False),
        sa.Column("cost_atoms", sa.BigInteger(), nullable=False),
        sa.Column("realized_pnl_atoms", sa.BigInteger(), nullable=False),
        sa.Column("leverage", sa.Integer(), nullable=False),
        sa.Column("updated_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "market_id"),
    )
    op.create_index("positions_by_market", "positions", ["market_id", "account_id"], unique=False)
    op.create_table(
        "projections",
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("batch_no", sa.BigInteger(), nullable=False),
        sa.Column("command_seq", sa.BigInteger(), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("market_id"),
    )
    op.create_table(
        "snapshots",
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("batch_no", sa.BigInteger(), nullable=False),
        sa.Column("command_seq", sa.BigInteger(), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("strategies", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "batch_no"),
    )
    op.create_table(
        "trades",
        sa.Column("market_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("price_ticks", sa.BigInteger(), nullable=False),
        sa.Column("quantity_lots", sa.BigInteger(), nullable=False),
        sa.Column("taker_side", sa.Integer(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "event_seq"),
    )
    op.create_table(
        "transfers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("asset", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("amount_atoms", sa.BigInteger(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "balances",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("asset", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("total_atoms", sa.BigInteger(), nullable=False),
        sa.Column("locked_atoms", sa.BigInteger(), nullable=False),
        sa.Column("open_orders", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("locked_atoms >= 0", name="locked_not_negative"),
        sa.CheckConstraint("open_orders >= 0", name="open_orders_not_negative"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
        ),
        sa.PrimaryKeyConstraint("account_id", "asset"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("email", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("password_hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("role", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"],
            ["accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
    )
    op.execute("CREATE SEQUENCE order_ids")
    for table, fillfactor in (("market_views", 10), ("market_heads", 10), ("market_prices", 10)):
        op.execute(f"ALTER TABLE {table} SET (fillfactor = {fillfactor})")
    for table in ("balances", "positions", "orders", "candles"):
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 70)")
    for column in ("bids", "asks"):
        op.execute(f"ALTER TABLE market_views ALTER COLUMN {column} SET STORAGE PLAIN")


def downgrade() -> None:
    """Take it back."""
    op.execute("DROP SEQUENCE order_ids")
    op.drop_table("users")
    op.drop_table("balances")
    op.drop_table("transfers")
    op.drop_table("trades")
    op.drop_table("snapshots")
    op.drop_table("projections")
    op.drop_index("positions_by_market", table_name="positions")
    op.drop_table("positions")
    op.drop_index("orders_open", table_name="orders", postgresql_where=sa.text("status <= 3"))
    op.drop_index(
        "orders_idempotency_key",
        table_name="orders",
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.drop_index(
        "orders_client_id",
        table_name="orders",
        postgresql_where=sa.text("client_order_id IS NOT NULL"),
    )
    op.drop_index("orders_by_account", table_name="orders")
    op.drop_table("orders")
    op.drop_table("markets")
    op.drop_table("market_views")
    op.drop_table("market_sequences")
    op.drop_table("market_prices")
    op.drop_table("market_heads")
    op.drop_index("ledger_by_account", table_name="ledger_entries")
    op.drop_table("ledger_entries")
    op.drop_table("journal")
    op.drop_table("idempotency")
    op.drop_index("fills_by_order", table_name="fills")
    op.drop_index("fills_by_account", table_name="fills")
    op.drop_table("fills")
    op.drop_index(
        "commands_unsequenced",
        table_name="commands",
        postgresql_where=sa.text("command_seq IS NULL"),
    )
    op.drop_index("commands_sequenced", table_name="commands")
    op.drop_table("commands")
    op.drop_table("candles")
    op.drop_index(op.f("ix_cancel_after_deadline_us"), table_name="cancel_after")
    op.drop_table("cancel_after")
    op.drop_table("accounts")
