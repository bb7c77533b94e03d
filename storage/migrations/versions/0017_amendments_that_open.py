"""An amendment says whether its order may open a position from then on"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those of before leave that as it is: NULL."""
    op.add_column("amendments", sa.Column("may_open", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Whatever is under way leaves it as it is again."""
    op.drop_column("amendments", "may_open")
