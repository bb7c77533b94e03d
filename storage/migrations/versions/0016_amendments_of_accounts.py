"""Amendments are found by their account: whoever places an order reads them"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """There are as many as amendments that the market has not done yet."""
    op.create_index("amendments_by_account", "amendments", ["account_id"], unique=False)


def downgrade() -> None:
    """Found by their order alone."""
    op.drop_index("amendments_by_account", table_name="amendments")
