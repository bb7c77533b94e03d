"""What people look up of the chain"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLES = (
    "explorer_cursor",
    "explorer_blocks",
    "explorer_transactions",
    "explorer_transfers",
    "explorer_appearances",
)


def upgrade() -> None:
    """Nothing is indexed yet."""
    op.create_table(
        "explorer_cursor",
        sa.Column("id", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id", name="there_is_one_cursor"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "explorer_blocks",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(), nullable=False),
        sa.Column("time_s", sa.BigInteger(), nullable=False),
        sa.Column("eth_price_usd", sa.Float(), nullable=False),
        sa.Column("transaction_count", sa.Integer(), nullable=False),
        sa.Column("last_ordinal", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("hash"),
    )
    op.create_index("explorer_blocks_by_time", "explorer_blocks", ["time_s", "number"])
    op.create_table(
        "explorer_transactions",
        sa.Column("ordinal", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.LargeBinary(), nullable=False),
        sa.Column("recipient", sa.LargeBinary(), nullable=True),
        sa.Column("value_wei", sa.Numeric(precision=78, scale=0), nullable=False),
        sa.Column("gas_used", sa.BigInteger(), nullable=False),
        sa.Column("gas_price_wei", sa.Numeric(precision=78, scale=0), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("ordinal"),
        sa.UniqueConstraint("hash"),
    )
    op.create_table(
        "explorer_transfers",
        sa.Column("ordinal", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("sender", sa.LargeBinary(), nullable=False),
        sa.Column("recipient", sa.LargeBinary(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=78, scale=0), nullable=False),
        sa.Column("token_id", sa.Numeric(precision=78, scale=0), nullable=True),
        sa.PrimaryKeyConstraint("ordinal", "place"),
    )
    op.create_table(
        "explorer_appearances",
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("rank", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("address", "rank"),
    )
    op.create_index(
        "explorer_appearances_by_ordinal",
        "explorer_appearances",
        ["address", "ordinal"],
        unique=True,
    )


def downgrade() -> None:
    """All of it is lost; it can be read out of the blocks again."""
    for table in reversed(TABLES):
        op.drop_table(table)
