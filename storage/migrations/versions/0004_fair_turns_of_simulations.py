"""Fair turns of simulations, and how long one may take"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Who asked from where, and when a process has taken its time."""
    origin = sqlmodel.sql.sqltypes.AutoString()
    op.add_column(
        "simulations", sa.Column("origin", origin, nullable=False, server_default=sa.text("''"))
    )
    op.add_column("simulations", sa.Column("wall_s_max", sa.Integer(), nullable=True))
    op.add_column("simulations", sa.Column("due_at_us", sa.BigInteger(), nullable=True))
    op.create_index("simulations_served_by_account", "simulations", ["account_id", "started_at_us"])
    op.create_index("simulations_served_by_origin", "simulations", ["origin", "started_at_us"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index("simulations_served_by_origin", table_name="simulations")
    op.drop_index("simulations_served_by_account", table_name="simulations")
    for column in ("due_at_us", "wall_s_max", "origin"):
        op.drop_column("simulations", column)
