"""What a droid's transactions have cost is found by its wallet"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of the wishes of droids alone."""
    op.create_index(
        "chain_wishes_of_droids",
        "chain_wishes",
        ["wallet"],
        unique=False,
        postgresql_where=sa.text("starts_with(wallet, 'droid-'::text)"),
    )


def downgrade() -> None:
    """It is looked for everywhere."""
    op.drop_index("chain_wishes_of_droids", table_name="chain_wishes")
