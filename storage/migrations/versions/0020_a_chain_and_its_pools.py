"""A chain of blocks, pools on it, and what is wished of it"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TABLES = (
    "chain_accounts",
    "chain_blocks",
    "chain_head",
    "chain_holdings",
    "chain_positions",
    "chain_transactions",
    "chain_wishes",
    "pool_snapshots",
    "pools",
)


def upgrade() -> None:
    """Nothing of it was there."""
    op.create_table(
        "chain_accounts",
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("wei", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.PrimaryKeyConstraint("address"),
    )
    op.create_table(
        "chain_blocks",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(), nullable=False),
        sa.Column("time_s", sa.BigInteger(), nullable=False),
        sa.Column("base_fee_wei", sa.BigInteger(), nullable=False),
        sa.Column("gas_used", sa.BigInteger(), nullable=False),
        sa.Column("eth_price_usd", sa.Float(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("pool_calls", sa.LargeBinary(), nullable=False),
        sa.Column("pool_prices", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("hash"),
    )
    op.create_table(
        "chain_head",
        sa.Column("id", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("time_s", sa.BigInteger(), nullable=False),
        sa.Column("next_base_fee_wei", sa.BigInteger(), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("burnt_wei", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("last_token_id", sa.BigInteger(), nullable=False),
        sa.Column("halt_reason", sa.String(), nullable=True),
        sa.Column("mine_to", sa.BigInteger(), nullable=False),
        sa.Column("reorg_wish", sa.Integer(), nullable=False),
        sa.CheckConstraint("id", name="there_is_one_chain"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "chain_holdings",
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.LargeBinary(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.PrimaryKeyConstraint("token", "holder"),
    )
    op.create_table(
        "chain_positions",
        sa.Column("token_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.LargeBinary(), nullable=False),
        sa.Column("tick_lower", sa.Integer(), nullable=False),
        sa.Column("tick_upper", sa.Integer(), nullable=False),
        sa.Column("liquidity", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.PrimaryKeyConstraint("token_id"),
    )
    op.create_index("chain_positions_by_holder", "chain_positions", ["holder"], unique=False)
    op.create_table(
        "chain_transactions",
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sender", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "place"),
        sa.UniqueConstraint("hash"),
    )
    op.create_table(
        "chain_wishes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("wallet", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("max_fee_wei", sa.BigInteger(), nullable=False),
        sa.Column("priority_fee_wei", sa.BigInteger(), nullable=False),
        sa.Column("last_block", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), server_default="0", nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("label"),
    )
    op.create_index(
        "chain_wishes_by_block",
        "chain_wishes",
        ["block_number"],
        unique=False,
        postgresql_where=sa.text("block_number IS NOT NULL"),
    )
    op.create_index(
        "chain_wishes_waiting",
        "chain_wishes",
        ["id"],
        unique=False,
        postgresql_where=sa.text("status = 0"),
    )
    op.create_table(
        "pool_snapshots",
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("pool_id", "block_number"),
    )
    op.create_table(
        "pools",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("sqrt_price_x96", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("tick", sa.Integer(), nullable=False),
        sa.Column("liquidity", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("amount0", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("amount1", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("price", sa.Float(), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """All of it is lost."""
    for table in reversed(TABLES):
        op.drop_table(table)
