"""Strategies of signal agents are run on history, by the queue of simulations"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What a simulation lives may be candles as well as a log of swaps."""
    op.create_table(
        "agent_backtests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("wish", sa.String(), nullable=False),
        sa.Column("combinations", sa.String(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "agent_backtests_by_account", "agent_backtests", ["account_id", "id"], unique=False
    )
    op.alter_column("simulations", "swaps", new_column_name="history")
    op.add_column("simulations", sa.Column("backtest_id", sa.Uuid(), nullable=True))
    op.add_column("simulations", sa.Column("backtest_place", sa.Integer(), nullable=True))
    op.create_foreign_key(
        "simulations_backtest_id_fkey",
        "simulations",
        "agent_backtests",
        ["backtest_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index(
        "simulations_by_backtest", "simulations", ["backtest_id", "backtest_place"], unique=False
    )


def downgrade() -> None:
    """Backtests that run are simulations like any other, and stay."""
    op.drop_index("simulations_by_backtest", table_name="simulations")
    op.drop_constraint("simulations_backtest_id_fkey", "simulations", type_="foreignkey")
    op.drop_column("simulations", "backtest_place")
    op.drop_column("simulations", "backtest_id")
    op.alter_column("simulations", "history", new_column_name="swaps")
    op.drop_table("agent_backtests")
