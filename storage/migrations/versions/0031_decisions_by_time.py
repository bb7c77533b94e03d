"""Decisions are listed by time, and the oldest go"""

from alembic import op

revision = "0031"
down_revision = "0028"
branch_labels = None
depends_on = None

OF = {"decisions_by_symbol": "symbol", "decisions_by_session": "session_id"}


def upgrade() -> None:
    """Lists and pruning look at them in the order of time, which two of the indexes did not have."""
    op.create_index("decisions_by_time", "decisions", ["created_at_us", "seq"])
    for name, column in OF.items():
        op.drop_index(name, "decisions")
        op.create_index(name, "decisions", [column, "created_at_us", "seq"])


def downgrade() -> None:
    """Back to the order of writing."""
    op.drop_index("decisions_by_time", "decisions")
    for name, column in OF.items():
        op.drop_index(name, "decisions")
        op.create_index(name, "decisions", [column, "seq"])
