"""Simulations that were asked for by REST, how far they are, and what they left."""

from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, LargeBinary, Uuid, text
from sqlmodel import Field, SQLModel


class SimulationRow(SQLModel, table=True):
    """One run of a scenario. `run_no` is its fence: only the newest process moves the row.

    origin    the address that asked for it, as limits group addresses
    history   the log that a backtest came with, or the candles of one; compressed
    backtest_id, backtest_place   of the agents' backtest that it is a part of, from 0
    due_at_us when the process that runs it has taken the time it may take; NULL: no limit
    kept_s    how long it stays after its end: see storage/runs/simulation_keeping.py
    """

    __tablename__ = "simulations"
    __table_args__ = (
        Index("simulations_by_account", "account_id", "id"),
        Index("simulations_served_by_account", "account_id", "started_at_us"),
        Index("simulations_served_by_origin", "origin", "started_at_us"),
        Index("simulations_by_backtest", "backtest_id", "backtest_place"),
        Index("simulations_under_way", "id", postgresql_where=text("ended_at_us IS NULL")),
    )
    id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    account_id: int = Field(sa_type=BigInteger)
    origin: str = Field(default="", sa_column_kwargs={"server_default": ""})
    name: str
    scenario: str
    seed: int = Field(sa_type=BigInteger)
    duration_s: int | None = None
    history: bytes | None = Field(sa_type=LargeBinary, default=None)
    backtest_id: UUID | None = Field(
        sa_type=Uuid, default=None, foreign_key="agent_backtests.id", ondelete="CASCADE"
    )
    backtest_place: int | None = None
    rerun_of: int | None = Field(sa_type=BigInteger, default=None)
    traders: int
    markets: int
    steps: int
    step_us: int
    memory_mb_max: int | None = None
    wall_s_max: int | None = None
    kept_s: int = Field(sa_column_kwargs={"server_default": text("2592000")})
    due_at_us: int | None = Field(sa_type=BigInteger, default=None)
    status: str
    run_no: int = 0
    tries: int = 0
    step: int = 0
    orders: int = Field(sa_type=BigInteger, default=0)
    fills: int = Field(sa_type=BigInteger, default=0)
    steps_per_second: int = Field(sa_type=BigInteger, default=0)
    orders_per_second: int = Field(sa_type=BigInteger, default=0)
    fills_per_second: int = Field(sa_type=BigInteger, default=0)
    state_hash: str | None = None
    summary: str | None = None
    error: str | None = None
    created_at_us: int = Field(sa_type=BigInteger)
    started_at_us: int | None = Field(sa_type=BigInteger, default=None)
    ended_at_us: int | None = Field(sa_type=BigInteger, default=None)


class SimulationReportRow(SQLModel, table=True):
    """The page that a simulation left, and the Content-Security-Policy that it was made for."""

    __tablename__ = "simulation_reports"
    simulation_id: int = Field(
        sa_type=BigInteger, primary_key=True, foreign_key="simulations.id", ondelete="CASCADE"
    )
    page: str
    policy: str


class SimulationCheckpointRow(SQLModel, table=True):
    """Where a simulation under way goes on after its process was lost; compressed."""

    __tablename__ = "simulation_checkpoints"
    simulation_id: int = Field(
        sa_type=BigInteger, primary_key=True, foreign_key="simulations.id", ondelete="CASCADE"
    )
    step: int
    wall_ms: int = Field(sa_type=BigInteger)
    state: bytes = Field(sa_type=LargeBinary)
