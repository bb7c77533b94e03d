"""What changes of an account that somebody listens to is told by the tables themselves

Statement-level triggers with transition tables: a writer cannot forget them, and one statement of a
thousand rows pays for one look. An account has a row in listened_accounts while somebody listens;
of others nothing is written. The numbers are drawn under the account's lock, as those of fills are:
whoever writes an account that is listened to has locked its balance before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TELL = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM changed c JOIN listened_accounts l USING (account_id) LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    WITH told AS (
        SELECT c.account_id, c.reference,
            row_number() OVER (PARTITION BY c.account_id ORDER BY c.place) AS n
        FROM (SELECT account_id, {reference}::text AS reference, {place} AS place
            FROM changed GROUP BY 1, 2, 3) c
        JOIN listened_accounts l USING (account_id)),
    counted AS (
        UPDATE listened_accounts l SET seq = l.seq + t.n
        FROM (SELECT account_id, max(n) AS n FROM told GROUP BY account_id) t
        WHERE l.account_id = t.account_id
        RETURNING l.account_id, l.seq - t.n AS before)
    INSERT INTO account_frames (account_id, seq, kind, reference, at_us)
    SELECT account_id, before + n, '{kind}', reference,
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
    FROM told JOIN counted USING (account_id);
    PERFORM pg_notify('account_frames', l.account_id::text)
    FROM listened_accounts l WHERE l.account_id IN (SELECT account_id FROM changed);
    RETURN NULL;
END $$"""
TRIGGER = """
CREATE TRIGGER {name}_{event} AFTER {event} ON {table} REFERENCING {rows} TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION {name}()"""

ORDERS = ("tell_orders", "ORDER", "id", "id")
AMENDMENTS = ("tell_amendments", "ORDER", "order_id", "order_id")
FILLS = ("tell_fills", "FILL", "id", "id")
POSITIONS = ("tell_positions", "POSITION", "market_id", "0")
BALANCES = ("tell_balances", "BALANCE", "asset", "0")
FUNCTIONS = (ORDERS, AMENDMENTS, FILLS, POSITIONS, BALANCES)

TRIGGERS = (
    ("orders", ORDERS, "INSERT"),
    ("orders", ORDERS, "UPDATE"),
    ("amendments", AMENDMENTS, "INSERT"),
    ("amendments", AMENDMENTS, "DELETE"),
    ("fills", FILLS, "INSERT"),
    ("positions", POSITIONS, "INSERT"),
    ("positions", POSITIONS, "UPDATE"),
    ("leverages", POSITIONS, "INSERT"),
    ("leverages", POSITIONS, "UPDATE"),
    ("balances", BALANCES, "INSERT"),
    ("balances", BALANCES, "UPDATE"),
)


def upgrade() -> None:
    """Nobody listens yet."""
    op.create_table(
        "listened_accounts",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_table(
        "account_frames",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "seq"),
    )
    op.create_index("account_frames_by_age", "account_frames", ["at_us"])
    for name, kind, reference, place in FUNCTIONS:
        op.execute(TELL.format(name=name, kind=kind, reference=reference, place=place))
    for table, (name, *_), event in TRIGGERS:
        rows = "OLD" if event == "DELETE" else "NEW"
        op.execute(TRIGGER.format(name=name, table=table, event=event, rows=rows))


def downgrade() -> None:
    """Nobody is told anything."""
    for table, (name, *_), event in TRIGGERS:
        op.execute(f"DROP TRIGGER {name}_{event} ON {table}")
    for name, *_ in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    op.drop_table("account_frames")
    op.drop_table("listened_accounts")
