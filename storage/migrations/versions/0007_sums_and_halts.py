"""Sums that no client can drive over, and halted markets with their reason"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SUMS = {
    "balances": ("total_atoms", "locked_atoms"),
    "candles": ("volume_lots", "notional_atoms"),
    "fills": ("fee_atoms", "realized_pnl_atoms"),
    "ledger_entries": ("amount_atoms", "balance_after_atoms"),
    "positions": ("cost_atoms", "realized_pnl_atoms"),
    "transfers": ("amount_atoms",),
}


def upgrade() -> None:
    """Sums become numeric, a table rewritten once each; halts get a reason."""
    _retype("numeric(60, 0)")
    op.add_column(
        "markets", sa.Column("halt_reason", sqlmodel.sql.sqltypes.AutoString(), nullable=True)
    )
    op.add_column(
        "markets",
        sa.Column("takes_cancels", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
    op.add_column("markets", sa.Column("wish", sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.add_column(
        "markets", sa.Column("wish_no", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "markets", sa.Column("wish_answer", sqlmodel.sql.sqltypes.AutoString(), nullable=True)
    )
    op.execute(
        "UPDATE markets SET halt_reason = 'halted before reasons were kept; see the logs',"
        " takes_cancels = false WHERE status = 3"
    )


def downgrade() -> None:
    """Take it back; fails where a sum needs more than 64 bits."""
    for column in ("wish_answer", "wish_no", "wish", "takes_cancels", "halt_reason"):
        op.drop_column("markets", column)
    _retype("bigint")


def _retype(kind: str) -> None:
    for table, columns in SUMS.items():
        changes = ", ".join(f"ALTER COLUMN {column} TYPE {kind}" for column in columns)
        op.execute(f"ALTER TABLE {table} {changes}")
