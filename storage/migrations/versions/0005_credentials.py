"""API keys, logins that can be refreshed, known addresses, guests"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UNUSABLE_HASH = "!"
"""What users without a password have, who are guests."""


def upgrade() -> None:
    """What logs in beside a password, and which users are guests."""
    op.add_column("users", sa.Column("guest_since_us", sa.BigInteger(), nullable=True))
    op.execute(
        f"UPDATE users SET guest_since_us = created_at_us WHERE password_hash = '{UNUSABLE_HASH}'"
    )
    op.create_index(
        "users_guests",
        "users",
        ["guest_since_us"],
        unique=False,
        postgresql_where=sa.text("guest_since_us IS NOT NULL"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("prefix", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("prefix"),
    )
    op.create_index("api_keys_by_user", "api_keys", ["user_id", "id"], unique=False)
    op.create_table(
        "login_sessions",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("started_at_us", sa.BigInteger(), nullable=False),
        sa.Column("refreshed_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "login_sessions_by_user", "login_sessions", ["user_id", "started_at_us"], unique=False
    )
    op.create_index("login_sessions_by_expiry", "login_sessions", ["expires_at_us"], unique=False)
    op.create_table(
        "ended_sessions",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_ended_sessions_ended_at_us"), "ended_sessions", ["ended_at_us"], unique=False
    )
    op.create_table(
        "login_addresses",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("last_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "address"),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("login_addresses")
    op.drop_table("ended_sessions")
    op.drop_table("login_sessions")
    op.drop_table("api_keys")
    op.drop_index("users_guests", table_name="users")
    op.drop_column("users", "guest_since_us")
