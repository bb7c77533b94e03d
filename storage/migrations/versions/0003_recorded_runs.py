"""Simulations recorded trade by trade"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Recorded runs: their trades, a partition each, quotes and standings."""
    op.create_table(
        "recorded_runs",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("scenario", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("record", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("step_us", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("steps_planned", sa.Integer(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("markets", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("strategies", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("trades", sa.BigInteger(), nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("fills", sa.BigInteger(), nullable=False),
        sa.Column("state_hash", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("began_at_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "recorded_trades",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("market_no", sa.SmallInteger(), nullable=False),
        sa.Column("trade_no", sa.BigInteger(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("price_ticks", sa.BigInteger(), nullable=False),
        sa.Column("quantity_lots", sa.BigInteger(), nullable=False),
        sa.Column("taker_account", sa.Integer(), nullable=False),
        sa.Column("maker_account", sa.Integer(), nullable=False),
        sa.Column("taker_side", sa.SmallInteger(), nullable=False),
        postgresql_partition_by="LIST (run_id)",
    )
    op.create_table(
        "recorded_quotes",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("market_no", sa.SmallInteger(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("best_bid_ticks", sa.BigInteger(), nullable=False),
        sa.Column("best_ask_ticks", sa.BigInteger(), nullable=False),
        sa.Column("last_price_ticks", sa.BigInteger(), nullable=False),
        sa.Column("index_ticks", sa.BigInteger(), nullable=False),
        sa.Column("mark_ticks", sa.BigInteger(), nullable=False),
        sa.Column("bid_lots", sa.BigInteger(), nullable=False),
        sa.Column("ask_lots", sa.BigInteger(), nullable=False),
        sa.Column("trades", sa.BigInteger(), nullable=False),
        sa.Column("volume_lots", sa.BigInteger(), nullable=False),
        sa.Column("liquidations", sa.BigInteger(), nullable=False),
        sa.Column("deleveragings", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["recorded_runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "market_no", "time_us"),
    )
    op.create_table(
        "recorded_standings",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("strategy_no", sa.SmallInteger(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("equity_atoms", sa.BigInteger(), nullable=False),
        sa.Column("fees_atoms", sa.BigInteger(), nullable=False),
        sa.Column("funding_atoms", sa.BigInteger(), nullable=False),
        sa.Column("volume_atoms", sa.BigInteger(), nullable=False),
        sa.Column("liquidated_traders", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["recorded_runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "strategy_no", "time_us"),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("recorded_standings")
    op.drop_table("recorded_quotes")
    op.drop_table("recorded_trades")
    op.drop_table("recorded_runs")
