"""One leverage for a position and its orders, and a price band for every market"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OPENED_AT = """
INSERT INTO leverages (account_id, market_id, leverage)
SELECT DISTINCT ON (account_id, market_id) account_id, market_id, leverage FROM (
    SELECT account_id, market_id, leverage, 0 AS place, 0 AS id FROM positions
    WHERE quantity_lots <> 0 AND account_id IN (SELECT id FROM users)
    UNION ALL SELECT account_id, market_id, leverage, 1, id FROM orders) known
ORDER BY account_id, market_id, place, id DESC"""
"""A position's is that of the order that opened it; who is flat has that of the last order."""

BACK_TO_POSITIONS = """
UPDATE positions h SET leverage = l.leverage FROM leverages l
WHERE l.account_id = h.account_id AND l.market_id = h.market_id"""


def upgrade() -> None:
    """Every account that has traded gets its leverages; strategies have theirs by themselves."""
    op.create_table(
        "leverages",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("market_id", sa.String(), nullable=False),
        sa.Column("leverage", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "market_id"),
    )
    op.execute(OPENED_AT)
    op.drop_column("positions", "leverage")
    band = sa.Column("price_band_ppm", sa.Integer(), nullable=False, server_default="100000")
    op.add_column("markets", band)


def downgrade() -> None:
    """Positions have the leverage that is in force; strategies' the one they always had."""
    op.drop_column("markets", "price_band_ppm")
    column = sa.Column("leverage", sa.Integer(), nullable=False, server_default="10")
    op.add_column("positions", column)
    op.alter_column("positions", "leverage", server_default=None)
    op.execute(BACK_TO_POSITIONS)
    op.drop_table("leverages")
