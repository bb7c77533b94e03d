"""People who wait for an ADMIN, the first ADMIN, and who has had an opening balance

The API's database user writes no role. What it may is in two functions, which see to it that the
first who joins is the one ADMIN that nobody makes, and that nobody but an ADMIN makes another.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SEAT_NEWCOMER = """
CREATE FUNCTION seat_newcomer(newcomer bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    is_first boolean;
BEGIN
    INSERT INTO first_admin (user_id, at_us)
        SELECT id, created_at_us FROM users
        WHERE id = newcomer AND xmin = pg_current_xact_id()::xid
        ON CONFLICT DO NOTHING;
    is_first := FOUND;
    UPDATE users SET role = CASE WHEN is_first THEN 'ADMIN' ELSE 'PENDING' END,
            status = CASE WHEN is_first THEN 'ACTIVE' ELSE 'PENDING' END,
            opened_at_us = 0
        WHERE id = newcomer AND xmin = pg_current_xact_id()::xid;
    RETURN is_first;
END $$"""
"""Of a user whom this very transaction has made. There is room for one first, for ever: who comes
while the first is written waits for that."""

CHANGE_ROLE = """
CREATE FUNCTION change_role(admin bigint, changed bigint, new_role text, new_status text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    was users%ROWTYPE;
BEGIN
    PERFORM pg_advisory_xact_lock(7236005);
    IF NOT EXISTS (
        SELECT FROM users WHERE id = admin AND role = 'ADMIN' AND status = 'ACTIVE'
    ) THEN
        RETURN 'NOT_ADMIN';
    END IF;
    SELECT * INTO was FROM users WHERE id = changed FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'NO_USER';
    END IF;
    new_role := coalesce(new_role, was.role);
    new_status := coalesce(new_status, was.status);
    IF new_role = 'PENDING' AND new_status = 'ACTIVE' THEN
        RETURN 'NO_ROLE';
    END IF;
    IF was.role = 'ADMIN' AND was.status = 'ACTIVE'
        AND (new_role <> 'ADMIN' OR new_status <> 'ACTIVE')
        AND NOT EXISTS (
            SELECT FROM users WHERE role = 'ADMIN' AND status = 'ACTIVE' AND id <> changed)
    THEN
        RETURN 'LAST_ADMIN';
    END IF;
    UPDATE users SET role = new_role, status = new_status WHERE id = changed;
    RETURN 'CHANGED';
END $$"""
"""Under one lock, so that two ADMINs who demote each other do so one after the other."""


def upgrade() -> None:
    """Nobody of before waits for anybody, and all of them may trade already."""
    op.create_table(
        "first_admin",
        sa.Column("id", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("id", name="there_is_one_first"),
    )
    op.add_column("users", sa.Column("opened_at_us", sa.BigInteger(), nullable=True))
    op.create_index("users_by_status", "users", ["status", "id"])
    op.execute(SEAT_NEWCOMER)
    op.execute(CHANGE_ROLE)


def downgrade() -> None:
    """Who waits may not be known to an earlier version: they are kept out."""
    op.execute("DROP FUNCTION change_role, seat_newcomer")
    op.execute("UPDATE users SET status = 'DISABLED' WHERE status = 'PENDING'")
    op.drop_index("users_by_status", table_name="users")
    op.drop_column("users", "opened_at_us")
    op.drop_table("first_admin")
