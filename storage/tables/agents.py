"""Signal agents, their decisions, and the sessions that trade on them."""

from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    Float,
    Identity,
    Index,
    Numeric,
    String,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel

from sim.signals.dimension import DIMENSION
from storage.tables.sums import SUM
from storage.tables.vectors import Vector


class SymbolRow(SQLModel, table=True):
    """What this family calls a market: BTC/USDT."""

    __tablename__ = "symbols"
    symbol: str = Field(primary_key=True)
    market_id: str = Field(unique=True)


class AgentRow(SQLModel, table=True):
    """An agent, and what it last said of itself.

    status         active, inactive or error; whoever is silent for long is inactive whatever stands
                   here
    last_error     a sentence; null after a cycle that went well
    """

    __tablename__ = "agents"
    name: str = Field(primary_key=True)
    agent_type: str
    status: str
    started_at_us: int = Field(sa_type=BigInteger)
    last_seen_us: int = Field(sa_type=BigInteger)
    last_signal_us: int | None = Field(sa_type=BigInteger, default=None)
    signals: int = Field(sa_type=BigInteger, default=0)
    errors: int = Field(sa_type=BigInteger, default=0)
    last_error: str | None = None


class AgentSignalRow(SQLModel, table=True):
    """An agent's newest signal on a symbol: its vote. `numbers` is JSON; `decision_id` where it was
    recorded as a decision."""

    __tablename__ = "agent_signals"
    agent_name: str = Field(primary_key=True)
    symbol: str = Field(primary_key=True)
    action: str
    confidence: float = Field(sa_column=Column(Float, nullable=False))
    numbers: str
    reasoning: str
    at_us: int = Field(sa_type=BigInteger)
    decision_id: UUID | None = Field(sa_type=Uuid, default=None)


class AgentSettingsRow(SQLModel, table=True):
    """What was changed of the configuration by the API, as JSON of the fields that were.

    persistent   kept for ever
    runtime      until the exchange is started again: it belongs to the start `start_no`
    """

    __tablename__ = "agent_settings"
    id: bool = Field(primary_key=True, sa_column_kwargs={"server_default": "true"})
    persistent: str = Field(default="{}", sa_column_kwargs={"server_default": "{}"})
    runtime: str = Field(default="{}", sa_column_kwargs={"server_default": "{}"})
    start_no: int = Field(sa_type=BigInteger, default=0, sa_column_kwargs={"server_default": "0"})


class TradingSessionRow(SQLModel, table=True):
    """One paper run by an account of its own.

    status          RUNNING, PAUSED, STOPPING (somebody asked for its end) or STOPPED
    final_atoms     what its account had when it had stopped
    note            what could not be closed, and why
    trades, winning_trades, losing_trades, max_drawdown, sharpe_ratio
                    of the round trips that are closed, and of the equity of the start, of every
                    minute and of the end
    """

    __tablename__ = "trading_sessions"
    __table_args__ = (
        Index("trading_sessions_by_user", "user_id", "id"),
        Index("trading_sessions_open", "id", postgresql_where=text("stopped_at_us IS NULL")),
    )
    id: UUID = Field(sa_type=Uuid, primary_key=True)
    user_id: int = Field(sa_type=BigInteger, foreign_key="users.id")
    account_id: int = Field(sa_type=BigInteger, foreign_key="accounts.id", unique=True)
    symbol: str
    market_id: str
    status: str
    initial_atoms: int = Field(sa_type=SUM)
    final_atoms: int | None = Field(sa_type=SUM, default=None)
    started_at_us: int = Field(sa_type=BigInteger)
    updated_at_us: int = Field(sa_type=BigInteger)
    stopped_at_us: int | None = Field(sa_type=BigInteger, default=None)
    note: str | None = None
    trades: int = 0
    winning_trades: int = 0
    losing_trades: int = 0
    max_drawdown: float = Field(
        sa_column=Column(Float, nullable=False, server_default="0"), default=0.0
    )
    sharpe_ratio: float = Field(
        sa_column=Column(Float, nullable=False, server_default="0"), default=0.0
    )


class AgentBacktestRow(SQLModel, table=True):
    """A strategy, or each of a grid, on history: its runs are rows of simulations.

    wish            what was asked for, as JSON
    combinations    of a grid what each changes of the strategy, as a JSON list; without one {}
    cancelled_at_us   when its owner wished its end
    """

    __tablename__ = "agent_backtests"
    __table_args__ = (Index("agent_backtests_by_account", "account_id", "id"),)
    id: UUID = Field(sa_type=Uuid, primary_key=True)
    account_id: int = Field(sa_type=BigInteger)
    name: str
    wish: str
    combinations: str
    created_at_us: int = Field(sa_type=BigInteger)
    cancelled_at_us: int | None = Field(sa_type=BigInteger, default=None)


class SessionEquityRow(SQLModel, table=True):
    """What a session's account was worth at a minute."""

    __tablename__ = "session_equity"
    session_id: UUID = Field(sa_type=Uuid, primary_key=True, foreign_key="trading_sessions.id")
    minute_us: int = Field(sa_type=BigInteger, primary_key=True)
    equity_atoms: int = Field(sa_type=SUM)


class RoundTripRow(SQLModel, table=True):
    """A position from when its quantity leaves zero until it is zero again; see
    sim/money/round_trips.py. It is called by the fill that opened it.

    direction                      1 LONG, -1 SHORT
    entry_*, exit_*                all that was bought (sold) into it, and out of it
    realized_pnl_atoms             before fees
    first_order_id, last_order_id  of the fills that opened it and that came last
    reason                         why it was closed; null while it is open
    """

    __tablename__ = "round_trips"
    __table_args__ = (
        Index("round_trips_by_account", "account_id", "opened_fill_id"),
        Index("round_trips_open", "account_id", postgresql_where=text("closed_at_us IS NULL")),
    )
    market_id: str = Field(primary_key=True)
    opened_fill_id: int = Field(sa_type=BigInteger, primary_key=True)
    account_id: int = Field(sa_type=BigInteger)
    direction: int
    entry_lots: int = Field(sa_type=SUM)
    entry_tick_lots: int = Field(sa_type=SUM)
    exit_lots: int = Field(sa_type=SUM)
    exit_tick_lots: int = Field(sa_type=SUM)
    fees_atoms: int = Field(sa_type=SUM)
    realized_pnl_atoms: int = Field(sa_type=SUM)
    first_order_id: int = Field(sa_type=BigInteger)
    last_order_id: int = Field(sa_type=BigInteger)
    last_fill_id: int = Field(sa_type=BigInteger)
    opened_at_us: int = Field(sa_type=BigInteger)
    updated_at_us: int = Field(sa_type=BigInteger)
    closed_at_us: int | None = Field(sa_type=BigInteger, default=None)
    reason: str | None = None


class RoundTripCursorRow(SQLModel, table=True):
    """The last of an account's fills in a market that is in its round trips."""

    __tablename__ = "round_trip_cursors"
    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    market_id: str = Field(primary_key=True)
    fill_id: int = Field(sa_type=BigInteger)


COUNTED = (
    *("session_id", "symbol", "agent_name", "kind", "model", "outcome"),
    *("confidence", "pnl_atoms", "cost_usd", "latency_ms"),
)
"""What statistics are made of: they read no rows, which are a hundred times as wide."""


LINKS = 8
"""Neighbours of a context in the graph, half of pgvector's usual: of 10⁵ the nearest are found all
the same, and to write one takes two thirds of the time."""


def alike(name: str, whose: str) -> Index:
    """Of contexts, by cosine."""
    return Index(
        name,
        "embedding",
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "vector_cosine_ops"},
        postgresql_with={"m": LINKS},
        postgresql_where=text(whose),
    )


SEARCHED = "to_tsvector('english'::regconfig, ((reasoning || ' '::text) || prompt))"


class DecisionRow(SQLModel, table=True):
    """What an agent, the orchestrator or the risk agent decided, and what became of it.

    seq            in the order of writing
    kind           signal, consensus or risk_approval
    session_id     of a verdict: whose; such a decision is its user's alone, the others everybody's
    cause_id       of a verdict: the consensus; of a consensus: null
    context, prompt, response   JSON as text
    outcome        PENDING, SUCCESS or FAILURE of what led to a position; else null
    order_state    of an approval: WISHED until its order is sent, then SENT, or DROPPED and why in
                   `note`; null where there is nothing to send
    quantity_lots, reduce_only   of the order that an approval is for
    """

    __tablename__ = "decisions"
    __table_args__ = (
        Index("decisions_by_seq", "seq"),
        Index("decisions_by_time", "created_at_us", "seq", postgresql_include=COUNTED),
        Index(
            "decisions_by_outcome",
            "outcome",
            "seq",
            postgresql_where=text("outcome IS NOT NULL"),
        ),
        Index("decisions_by_symbol", "symbol", "seq"),
        Index(
            "decisions_opening",
            "symbol",
            "seq",
            postgresql_where=text("order_state IS NOT NULL AND NOT reduce_only"),
        ),
        Index("decisions_by_session", "session_id", "seq"),
        Index("decisions_wished", "session_id", postgresql_where=text("order_state = 'WISHED'")),
        Index("decisions_pending", "session_id", postgresql_where=text("outcome = 'PENDING'")),
        Index("decisions_words", "words", postgresql_using="gin"),
        alike("decisions_alike", "session_id IS NULL"),
        alike("decisions_of_sessions_alike", "session_id IS NOT NULL"),
    )
    id: UUID = Field(sa_type=Uuid, primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, Identity(), nullable=False))
    agent_name: str
    symbol: str
    kind: str
    action: str
    confidence: float = Field(sa_column=Column(Float, nullable=False))
    reasoning: str
    context: str
    prompt: str
    response: str
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = Field(
        sa_column=Column(Numeric, nullable=False, server_default="0"), default=0
    )
    latency_ms: float = Field(sa_column=Column(Float, nullable=False))
    session_id: UUID | None = Field(sa_type=Uuid, default=None)
    cause_id: UUID | None = Field(sa_type=Uuid, default=None)
    outcome: str | None = None
    pnl_atoms: int | None = Field(sa_type=SUM, default=None)
    order_state: str | None = None
    quantity_lots: int = Field(
        sa_type=BigInteger, default=0, sa_column_kwargs={"server_default": "0"}
    )
    reduce_only: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    order_id: int | None = Field(sa_type=BigInteger, default=None)
    note: str | None = None
    created_at_us: int = Field(sa_type=BigInteger)
    embedding: str | None = Field(sa_column=Column(Vector(DIMENSION), nullable=True), default=None)
    words: str | None = Field(
        sa_column=Column(TSVECTOR, Computed(SEARCHED, persisted=True)), default=None
    )


class ModelDayRow(SQLModel, table=True):
    """What language models were asked in a day, with what is reserved for calls under way.

    day_no   days since 1970, UTC
    """

    __tablename__ = "model_days"
    day_no: int = Field(
        sa_column=Column(BigInteger, primary_key=True, autoincrement=False, nullable=False)
    )
    tokens: int = Field(sa_type=BigInteger)
    cost_usd: float = Field(sa_column=Column(Numeric, nullable=False))


class DecisionFeedbackRow(SQLModel, table=True):
    """What a user says of a decision, once. `tags` is JSON."""

    __tablename__ = "decision_feedback"
    __table_args__ = (
        Index("decision_feedback_once", "decision_id", "user_id", unique=True),
        Index("decision_feedback_by_seq", "seq"),
        Index("decision_feedback_by_user", "user_id"),
    )
    id: UUID = Field(sa_type=Uuid, primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, Identity(), nullable=False))
    decision_id: UUID = Field(sa_type=Uuid, foreign_key="decisions.id", ondelete="CASCADE")
    user_id: int = Field(sa_type=BigInteger, foreign_key="users.id")
    rating: str
    comment: str | None = None
    tags: str
    created_at_us: int = Field(sa_type=BigInteger)
    updated_at_us: int = Field(sa_type=BigInteger)


class ControlEntryRow(SQLModel, table=True):
    """What was done through the control routes of this family: sessions, orders, configuration."""

    __tablename__ = "control_entries"
    __table_args__ = (Index("control_entries_by_user", "user_id", "id"),)
    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    user_id: int = Field(sa_type=BigInteger)
    action: str
    subject: str
    outcome: str
    details: str = Field(sa_column=Column(String, nullable=False))
    at_us: int = Field(sa_type=BigInteger)
