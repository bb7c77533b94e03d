"""Simulations by REST"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Simulations, their reports and their checkpoints."""
    op.create_table(
        "simulations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("scenario", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("duration_s", sa.Integer(), nullable=True),
        sa.Column("rerun_of", sa.BigInteger(), nullable=True),
        sa.Column("traders", sa.Integer(), nullable=False),
        sa.Column("markets", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("step_us", sa.Integer(), nullable=False),
        sa.Column("memory_mb_max", sa.Integer(), nullable=True),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("run_no", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("fills", sa.BigInteger(), nullable=False),
        sa.Column("steps_per_second", sa.BigInteger(), nullable=False),
        sa.Column("orders_per_second", sa.BigInteger(), nullable=False),
        sa.Column("fills_per_second", sa.BigInteger(), nullable=False),
        sa.Column("state_hash", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("summary", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("error", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("started_at_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("simulations_by_account", "simulations", ["account_id", "id"], unique=False)
    op.create_index(
        "simulations_under_way",
        "simulations",
        ["id"],
        unique=False,
        postgresql_where=sa.text("ended_at_us IS NULL"),
    )
    op.create_table(
        "simulation_reports",
        sa.Column("simulation_id", sa.BigInteger(), nullable=False),
        sa.Column("page", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("policy", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["simulation_id"], ["simulations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("simulation_id"),
    )
    op.create_table(
        "simulation_checkpoints",
        sa.Column("simulation_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["simulation_id"], ["simulations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("simulation_id"),
    )
    op.execute("ALTER TABLE simulations SET (fillfactor = 50)")


def downgrade() -> None:
    """Take it back."""
    op.drop_table("simulation_checkpoints")
    op.drop_table("simulation_reports")
    op.drop_index("simulations_under_way", table_name="simulations")
    op.drop_index("simulations_by_account", table_name="simulations")
    op.drop_table("simulations")
