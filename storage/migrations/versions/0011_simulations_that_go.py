"""Simulations that go: how long each is kept after its end"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was kept for ever stays thirty days from its end."""
    kept_s = sa.Column("kept_s", sa.Integer(), nullable=False, server_default=sa.text("2592000"))
    op.add_column("simulations", kept_s)


def downgrade() -> None:
    """Traces of what was forgotten have a status that an older sandpit does not know."""
    op.execute("DELETE FROM simulations WHERE status = 'FORGOTTEN'")
    op.drop_column("simulations", "kept_s")
