"""Decisions are listed by time, the oldest go, and verdicts are compared apart from all others"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

ALIKE = {
    "decisions_alike": "session_id IS NULL",
    "decisions_of_sessions_alike": "session_id IS NOT NULL",
}
COUNTED = (
    *("session_id", "symbol", "agent_name", "kind", "model", "outcome"),
    *("confidence", "pnl_atoms", "cost_usd", "latency_ms"),
)
OF = {"decisions_by_symbol": "symbol", "decisions_by_session": "session_id"}


def upgrade() -> None:
    """Lists and pruning look at them in the order of time, which two of the indexes did not have."""
    op.create_index(
        "decisions_by_time", "decisions", ["created_at_us", "seq"], postgresql_include=COUNTED
    )
    op.create_index(
        "decisions_by_outcome",
        "decisions",
        ["outcome", "created_at_us", "seq"],
        postgresql_where=sa.text("outcome IS NOT NULL"),
    )
    op.create_index(
        "decisions_opening",
        "decisions",
        ["symbol", "seq"],
        postgresql_where=sa.text("order_state IS NOT NULL AND NOT reduce_only"),
    )
    for name, column in OF.items():
        op.drop_index(name, "decisions")
        op.create_index(name, "decisions", [column, "created_at_us", "seq"])
    op.drop_index("decisions_alike", "decisions")
    for name, whose in ALIKE.items():
        create_alike(name, {"m": 8}, sa.text(whose))


def downgrade() -> None:
    """Back to the order of writing."""
    op.drop_index("decisions_by_time", "decisions")
    op.drop_index("decisions_by_outcome", "decisions")
    op.drop_index("decisions_opening", "decisions")
    for name, column in OF.items():
        op.drop_index(name, "decisions")
        op.create_index(name, "decisions", [column, "seq"])
    for name in ALIKE:
        op.drop_index(name, "decisions")
    create_alike("decisions_alike", {}, None)


def create_alike(name: str, options: dict[str, int], whose: sa.TextClause | None) -> None:
    """Of contexts, by cosine."""
    op.create_index(
        name,
        "decisions",
        ["embedding"],
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "vector_cosine_ops"},
        postgresql_with=options,
        postgresql_where=whose,
    )
