"""Less to keep: the journal packed, strategies' ledger summed up, a narrower tape"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Text = sqlmodel.sql.sqltypes.AutoString

NARROW_TRADES = (
    """CREATE TABLE narrow_trades (
        event_seq bigint NOT NULL, quantity_lots bigint NOT NULL, created_at_us bigint NOT NULL,
        price_ticks integer NOT NULL, taker_side smallint NOT NULL, market_id varchar NOT NULL)""",
    """INSERT INTO narrow_trades (event_seq, quantity_lots, created_at_us, price_ticks, taker_side,
        market_id)
    SELECT event_seq, quantity_lots, created_at_us, price_ticks, taker_side, market_id
    FROM trades ORDER BY market_id, event_seq""",
    "DROP TABLE trades",
    "ALTER TABLE narrow_trades RENAME TO trades",
    "ALTER TABLE trades ADD CONSTRAINT trades_pkey PRIMARY KEY (market_id, event_seq)",
)
WIDE_TRADES = ("ALTER TABLE trades ALTER price_ticks TYPE bigint, ALTER taker_side TYPE integer",)
SETTINGS = (
    "ALTER TABLE trades SET (autovacuum_vacuum_scale_factor = 0.02)",
    # zlib has been over them already.
    "ALTER TABLE journal_packs ALTER data SET STORAGE EXTERNAL",
)
CHAINS = """
UPDATE snapshots s SET chain = j.chain FROM journal j
WHERE j.market_id = s.market_id AND j.batch_no = s.batch_no"""


def upgrade() -> None:
    """Nothing is left out: what is old is pruned later, by the keeper."""
    op.create_table(
        "journal_packs",
        sa.Column("market_id", Text(), nullable=False),
        sa.Column("last_batch", sa.BigInteger(), nullable=False),
        sa.Column("first_batch", sa.BigInteger(), nullable=False),
        sa.Column("chain_before", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("market_id", "last_batch"),
    )
    op.add_column("snapshots", sa.Column("chain", sa.LargeBinary(), nullable=True))
    op.add_column(
        "snapshots", sa.Column("is_anchor", sa.Boolean(), server_default="false", nullable=False)
    )
    op.execute(CHAINS)
    op.create_table(
        "strategy_ledger",
        sa.Column("source", Text(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("asset", Text(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("account_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("entry_codes", sa.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("amounts_atoms", sa.ARRAY(sa.Numeric()), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "last_seq", "asset"),
    )
    op.create_table(
        "upkeep",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pruned_at_us", sa.BigInteger(), nullable=False),
        sa.Column("failed_at_us", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "table_sizes",
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("name", Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("at_us", "name"),
    )
    for statement in (*NARROW_TRADES, *SETTINGS):
        op.execute(statement)


def downgrade() -> None:
    """Only for a database without packed batches and strategies' entries: an older sandpit
    would not find them."""
    for statement in WIDE_TRADES:
        op.execute(statement)
    op.drop_table("table_sizes")
    op.drop_table("upkeep")
    op.drop_table("strategy_ledger")
    op.drop_column("snapshots", "is_anchor")
    op.drop_column("snapshots", "chain")
    op.drop_table("journal_packs")
