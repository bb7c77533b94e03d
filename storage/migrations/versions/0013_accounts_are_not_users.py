"""Accounts are not users: a user owns a MAIN account, whose id is the user's, and others beside it"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

OWNED_BY_THEIR_USERS = """
UPDATE accounts a SET kind = 'MAIN',
    owner_id = (SELECT u.id FROM users u WHERE u.id = a.id) WHERE kind = 'CLIENT'"""
OF_NOBODY_AGAIN = "UPDATE accounts SET kind = 'CLIENT' WHERE kind = 'MAIN'"

ONES_OWN = """
CREATE FUNCTION owns_itself() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN NEW.owner_id := NEW.id; RETURN NEW; END$$;
CREATE TRIGGER main_is_ones_own BEFORE INSERT ON accounts FOR EACH ROW
    WHEN (NEW.kind = 'MAIN') EXECUTE FUNCTION owns_itself()"""
"""The API's database user chooses no account's id and changes no owner, so PostgreSQL says it."""


def upgrade() -> None:
    """Every client's account becomes the MAIN one of its user."""
    op.add_column("accounts", sa.Column("owner_id", sa.BigInteger(), nullable=True))
    op.add_column("accounts", sa.Column("archived_at_us", sa.BigInteger(), nullable=True))
    op.execute(OWNED_BY_THEIR_USERS)
    op.create_check_constraint(
        "main_is_ones_own", "accounts", "kind <> 'MAIN' OR owner_id = id OR owner_id IS NULL"
    )
    op.create_foreign_key(
        "accounts_owner_id_fkey",
        "accounts",
        "users",
        ["owner_id"],
        ["id"],
        deferrable=True,
        initially="DEFERRED",
    )
    op.create_index(
        "accounts_by_owner",
        "accounts",
        ["owner_id", "id"],
        unique=False,
        postgresql_where=sa.text("owner_id IS NOT NULL"),
    )
    op.execute(ONES_OWN)


def downgrade() -> None:
    """Only MAIN accounts are known again; others keep their rows, which nobody reaches."""
    op.execute("DROP TRIGGER main_is_ones_own ON accounts; DROP FUNCTION owns_itself()")
    op.drop_index("accounts_by_owner", table_name="accounts")
    op.drop_constraint("accounts_owner_id_fkey", "accounts", type_="foreignkey")
    op.drop_constraint("main_is_ones_own", "accounts", type_="check")
    op.drop_column("accounts", "archived_at_us")
    op.drop_column("accounts", "owner_id")
    op.execute(OF_NOBODY_AGAIN)
