"""A backtest keeps the log that was sent with it"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those before lived logs that ship."""
    op.add_column("simulations", sa.Column("swaps", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Who sent one cannot run it again."""
    op.drop_column("simulations", "swaps")
