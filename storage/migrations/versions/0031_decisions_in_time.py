"""Decisions are counted by time, the oldest go, and verdicts are compared apart from all others"""

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


def upgrade() -> None:
    """Statistics and pruning look at them in the order of time."""
    op.create_index(
        "decisions_by_time", "decisions", ["created_at_us", "seq"], postgresql_include=COUNTED
    )
    op.create_index(
        "decisions_by_outcome",
        "decisions",
        ["outcome", "seq"],
        postgresql_where=sa.text("outcome IS NOT NULL"),
    )
    op.create_index(
        "decisions_opening",
        "decisions",
        ["symbol", "seq"],
        postgresql_where=sa.text("order_state IS NOT NULL AND NOT reduce_only"),
    )
    op.drop_index("decisions_alike", "decisions")
    for name, whose in ALIKE.items():
        create_alike(name, {"m": 8}, sa.text(whose))


def downgrade() -> None:
    """Without these."""
    op.drop_index("decisions_by_time", "decisions")
    op.drop_index("decisions_by_outcome", "decisions")
    op.drop_index("decisions_opening", "decisions")
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
