"""What language models were asked in a day is counted"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has been asked yet."""
    op.create_table(
        "model_days",
        sa.Column("day_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("day_no"),
    )


def downgrade() -> None:
    """Budgets begin anew."""
    op.drop_table("model_days")
