"""Spot markets beside perpetual ones, and balances of the assets that they trade"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every market of before is a perpetual one."""
    kind = sa.Column("kind", sa.String(), nullable=False, server_default="PERPETUAL")
    op.add_column("markets", kind)
    op.create_check_constraint(
        "nothing_sold_unowned", "balances", "asset = 'USDC' OR total_atoms >= locked_atoms"
    )


def downgrade() -> None:
    """Spot markets look like perpetual ones."""
    op.drop_constraint("nothing_sold_unowned", "balances", type_="check")
    op.drop_column("markets", "kind")
