"""What an open order becomes is written beside it: its indexes are about `ended_status` alone"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ENDED = {
    "orders_ended": ["account_id", "{status}", "id"],
    "orders_ended_by_market": ["account_id", "market_id", "{status}", "id"],
}


def upgrade() -> None:
    """Whether an order has ended is a column of its own, and half a page is room for changes."""
    status = sa.Computed("CASE WHEN status > 3 THEN status END", persisted=True)
    drop_indexes()
    op.execute("ALTER TABLE orders SET (fillfactor = 55)")
    op.add_column("orders", sa.Column("ended_status", sa.Integer(), status))
    create_indexes("ended_status", "ended_status IS NULL", "ended_status IS NOT NULL")


def downgrade() -> None:
    """The indexes are about the status again."""
    drop_indexes()
    op.drop_column("orders", "ended_status")
    op.execute("ALTER TABLE orders SET (fillfactor = 70)")
    create_indexes("status", "status <= 3", "status > 3")


def drop_indexes() -> None:
    for name in ("orders_open", *ENDED):
        op.drop_index(name, table_name="orders")


def create_indexes(status: str, is_open: str, has_ended: str) -> None:
    op.create_index(
        "orders_open", "orders", ["account_id", "market_id"], postgresql_where=sa.text(is_open)
    )
    for name, columns in ENDED.items():
        op.create_index(
            name,
            "orders",
            [column.format(status=status) for column in columns],
            postgresql_where=sa.text(has_ended),
        )
