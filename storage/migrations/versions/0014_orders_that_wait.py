"""Orders that wait, end at a time, are linked, and can be amended"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NUMBERS = ("trigger_ticks", "triggered_at_us", "expires_us")
OF_THE_AMENDMENT = (
    "added_lots",
    "price_ticks",
    "trigger_ticks",
    "reserved_atoms",
    "needed_atoms",
    "needed_lots",
)


def of_orders() -> list[sa.Column[Any]]:
    """What orders of before have none of: they wait for nothing, and may open what they reserved
    for."""
    return [
        *(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0") for name in NUMBERS),
        sa.Column("on_mark", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("link_id", sa.String(), nullable=True),
        sa.Column("link_order_id", sa.BigInteger(), nullable=True),
        sa.Column("may_open", sa.Boolean(), nullable=False, server_default="true"),
        sa.Column("amend_reason", sa.Integer(), nullable=False, server_default="0"),
    ]


def upgrade() -> None:
    """Orders of before are plain ones, and none of them is being amended."""
    for column in of_orders():
        op.add_column("orders", column)
    op.create_index(
        "orders_linked",
        "orders",
        ["link_order_id"],
        unique=False,
        postgresql_where=sa.text("link_order_id IS NOT NULL"),
    )
    op.create_table(
        "amendments",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in OF_THE_AMENDMENT),
        sa.PrimaryKeyConstraint("order_id"),
    )


def downgrade() -> None:
    """What waits is forgotten to wait."""
    op.drop_table("amendments")
    op.drop_index("orders_linked", table_name="orders")
    for column in of_orders():
        op.drop_column("orders", column.name)
