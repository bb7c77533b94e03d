"""New users are TRADERs: so that the API, which makes them, need not be able to write a role"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of those there are, nobody's role changes."""
    op.alter_column("users", "role", server_default="TRADER")


def downgrade() -> None:
    """As before."""
    op.alter_column("users", "role", server_default=None)
