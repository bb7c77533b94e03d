"""Droids, their sessions, positions and history"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = ("droids", "droid_history", "droid_sessions", "droid_bots", "droid_states")


def upgrade() -> None:
    """Nothing of it was there."""
    op.create_table(
        "droids",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("config", sa.String(), nullable=False),
        sa.Column("active", sa.SmallInteger(), nullable=False),
        sa.Column("resets", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("droids_by_owner", "droids", ["owner_id", "id"], unique=False)
    op.create_table(
        "droid_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("droid_id", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("time_s", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.Float(), nullable=False),
        sa.Column("aum_quote_atoms", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("base_positions", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("quote_positions", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("wallet_wei", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.ForeignKeyConstraint(
            ["droid_id"],
            ["droids.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("droid_history_by_droid", "droid_history", ["droid_id", "id"], unique=False)
    op.create_table(
        "droid_sessions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("droid_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("funded_quote_atoms", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("started_at_us", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["droid_id"],
            ["droids.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("droid_sessions_by_droid", "droid_sessions", ["droid_id", "id"], unique=False)
    op.create_index(
        "droid_sessions_open",
        "droid_sessions",
        ["droid_id"],
        unique=True,
        postgresql_where=sa.text("NOT ended"),
    )
    op.create_table(
        "droid_bots",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("droid_id", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("position_id", sa.LargeBinary(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("tick_lower", sa.Integer(), nullable=False),
        sa.Column("tick_upper", sa.Integer(), nullable=False),
        sa.Column("liquidity", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("opened_block", sa.BigInteger(), nullable=False),
        sa.Column("closed_block", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["droid_id"],
            ["droids.id"],
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["droid_sessions.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("droid_bots_by_droid", "droid_bots", ["droid_id", "id"], unique=False)
    op.create_table(
        "droid_states",
        sa.Column("session_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("mind", sa.String(), nullable=False),
        sa.Column("figures", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["droid_sessions.id"],
        ),
        sa.PrimaryKeyConstraint("session_id"),
    )


def downgrade() -> None:
    """All of it is lost."""
    for table in reversed(TABLES):
        op.drop_table(table)
