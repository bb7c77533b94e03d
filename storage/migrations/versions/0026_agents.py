"""Signal agents, their decisions and sessions"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from storage.tables.vectors import Vector

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLES = (
    "control_entries",
    "decision_feedback",
    "decisions",
    "round_trip_cursors",
    "round_trips",
    "session_equity",
    "trading_sessions",
    "agent_settings",
    "agent_signals",
    "agents",
    "symbols",
)


def upgrade() -> None:
    """Nothing of it was there. pgvector's extension is: our own server's administrator adds it;
    on a given server whoever may, where the user of this may not."""
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.create_table(
        "agent_settings",
        sa.Column("id", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("persistent", sa.String(), server_default="{}", nullable=False),
        sa.Column("runtime", sa.String(), server_default="{}", nullable=False),
        sa.Column("start_no", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "agent_signals",
        sa.Column("agent_name", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("numbers", sa.String(), nullable=False),
        sa.Column("reasoning", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("agent_name", "symbol"),
    )
    op.create_table(
        "agents",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("agent_type", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("started_at_us", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_us", sa.BigInteger(), nullable=False),
        sa.Column("last_signal_us", sa.BigInteger(), nullable=True),
        sa.Column("signals", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "control_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("details", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("control_entries_by_user", "control_entries", ["user_id", "id"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agent_name", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("reasoning", sa.String(), nullable=False),
        sa.Column("context", sa.String(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("response", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("cost_usd", sa.Numeric(), server_default="0", nullable=False),
        sa.Column("latency_ms", sa.Float(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("cause_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("pnl_atoms", sa.Numeric(precision=60, scale=0), nullable=True),
        sa.Column("order_state", sa.String(), nullable=True),
        sa.Column("quantity_lots", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reduce_only", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("embedding", Vector(32), nullable=True),
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('english'::regconfig, ((reasoning || ' '::text) || prompt))",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "decisions_alike",
        "decisions",
        ["embedding"],
        unique=False,
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "vector_cosine_ops"},
    )
    op.create_index("decisions_by_seq", "decisions", ["seq"], unique=False)
    op.create_index("decisions_by_session", "decisions", ["session_id", "seq"], unique=False)
    op.create_index("decisions_by_symbol", "decisions", ["symbol", "seq"], unique=False)
    op.create_index(
        "decisions_pending",
        "decisions",
        ["session_id"],
        unique=False,
        postgresql_where=sa.text("outcome = 'PENDING'"),
    )
    op.create_index(
        "decisions_wished",
        "decisions",
        ["session_id"],
        unique=False,
        postgresql_where=sa.text("order_state = 'WISHED'"),
    )
    op.create_index("decisions_words", "decisions", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "round_trip_cursors",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("market_id", sa.String(), nullable=False),
        sa.Column("fill_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "market_id"),
    )
    op.create_table(
        "round_trips",
        sa.Column("market_id", sa.String(), nullable=False),
        sa.Column("opened_fill_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Integer(), nullable=False),
        sa.Column("entry_lots", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("entry_tick_lots", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("exit_lots", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("exit_tick_lots", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("fees_atoms", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("realized_pnl_atoms", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("first_order_id", sa.BigInteger(), nullable=False),
        sa.Column("last_order_id", sa.BigInteger(), nullable=False),
        sa.Column("last_fill_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_at_us", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("market_id", "opened_fill_id"),
    )
    op.create_index(
        "round_trips_by_account", "round_trips", ["account_id", "opened_fill_id"], unique=False
    )
    op.create_index(
        "round_trips_open",
        "round_trips",
        ["account_id"],
        unique=False,
        postgresql_where=sa.text("closed_at_us IS NULL"),
    )
    op.create_table(
        "symbols",
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("market_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("symbol"),
        sa.UniqueConstraint("market_id"),
    )
    op.create_table(
        "decision_feedback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("rating", sa.String(), nullable=False),
        sa.Column("comment", sa.String(), nullable=True),
        sa.Column("tags", sa.String(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("decision_feedback_by_seq", "decision_feedback", ["seq"], unique=False)
    op.create_index("decision_feedback_by_user", "decision_feedback", ["user_id"], unique=False)
    op.create_index(
        "decision_feedback_once", "decision_feedback", ["decision_id", "user_id"], unique=True
    )
    op.create_table(
        "trading_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("market_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("initial_atoms", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("final_atoms", sa.Numeric(precision=60, scale=0), nullable=True),
        sa.Column("started_at_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_us", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at_us", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("trades", sa.Integer(), nullable=False),
        sa.Column("winning_trades", sa.Integer(), nullable=False),
        sa.Column("losing_trades", sa.Integer(), nullable=False),
        sa.Column("max_drawdown", sa.Float(), server_default="0", nullable=False),
        sa.Column("sharpe_ratio", sa.Float(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id"),
    )
    op.create_index("trading_sessions_by_user", "trading_sessions", ["user_id", "id"], unique=False)
    op.create_index(
        "trading_sessions_open",
        "trading_sessions",
        ["id"],
        unique=False,
        postgresql_where=sa.text("stopped_at_us IS NULL"),
    )
    op.create_table(
        "session_equity",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("minute_us", sa.BigInteger(), nullable=False),
        sa.Column("equity_atoms", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["trading_sessions.id"],
        ),
        sa.PrimaryKeyConstraint("session_id", "minute_us"),
    )


def downgrade() -> None:
    """Nobody decides anything any more."""
    for table in TABLES:
        op.drop_table(table)
