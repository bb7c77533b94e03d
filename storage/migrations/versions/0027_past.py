"""Markets have a past, and there are headlines"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is there was traded; nothing has been written about it."""
    op.add_column(
        "candles", sa.Column("simulated", sa.Boolean(), server_default="false", nullable=False)
    )
    op.create_table(
        "headlines",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("score_ppm", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("weight_ppm", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("at_us", "asset", "text", name="headlines_are_told_once"),
    )


def downgrade() -> None:
    """Simulated candles go too: nobody could tell them from others any more."""
    op.drop_table("headlines")
    op.execute("DELETE FROM candles WHERE simulated")
    op.drop_column("candles", "simulated")
