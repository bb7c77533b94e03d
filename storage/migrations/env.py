"""Alembic's entry: the connection comes from storage/migrations/run.py."""

from alembic import context
from sqlmodel import SQLModel

import storage.tables.agents
import storage.tables.audit
import storage.tables.chain
import storage.tables.droids
import storage.tables.explorer
import storage.tables.frames
import storage.tables.identity
import storage.tables.markets
import storage.tables.money
import storage.tables.recordings
import storage.tables.simulations
import storage.tables.trading
import storage.tables.upkeep  # noqa: F401

context.configure(
    connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata
)
with context.begin_transaction():
    context.run_migrations()
