"""Lists by sequence, candles of every interval, one memory of requests"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MINUTE_US = 60_000_000
LONGER_MINUTES = (5, 15, 60, 240, 1_440)

NUMBER_FILLS = """
UPDATE fills f SET id = n.id FROM (
    SELECT market_id, event_seq, is_maker,
        row_number() OVER (ORDER BY created_at_us, market_id, event_seq, is_maker) AS id
    FROM fills) n
WHERE (f.market_id, f.event_seq, f.is_maker) = (n.market_id, n.event_seq, n.is_maker)"""
NEXT_FILL = "SELECT setval('fill_ids', coalesce(max(id), 0) + 1, false) FROM fills"
NEVER_BACK = """
UPDATE {table} t SET created_at_us = m.latest FROM (
    SELECT {key}, created_at_us, max(created_at_us) OVER (PARTITION BY {whose} ORDER BY {number})
        AS latest FROM {table}) m
WHERE ({row}) = ({other}) AND m.latest > m.created_at_us"""
LAST_STAMPS = """
UPDATE balances b SET stamped_at_us = s.latest FROM (
    SELECT account_id, max(created_at_us) AS latest FROM (
        SELECT account_id, created_at_us FROM orders
        UNION ALL SELECT account_id, created_at_us FROM fills
        UNION ALL SELECT account_id, created_at_us FROM ledger_entries) stamped
    GROUP BY account_id) s
WHERE s.account_id = b.account_id"""
FILLED = """
UPDATE orders o SET filled_tick_lots = f.tick_lots FROM (
    SELECT order_id, account_id, sum(price_ticks::numeric * quantity_lots) AS tick_lots
    FROM fills WHERE order_id > 0 GROUP BY order_id, account_id) f
WHERE (o.id, o.account_id) = (f.order_id, f.account_id)"""
KEYS_OF_ORDERS = """
INSERT INTO idempotency (account_id, key, route, body_hash, response, order_ids, created_at_us)
SELECT account_id, idempotency_key, 'orders', body_hash, '[0]', ARRAY[id], created_at_us
FROM orders WHERE idempotency_key IS NOT NULL ON CONFLICT DO NOTHING"""
ROUTES_AS_ASKED = """
UPDATE idempotency SET route = CASE route WHEN 'deposit' THEN 'deposits'
    WHEN 'withdraw' THEN 'withdrawals' ELSE 'account/' || route END
WHERE route IN ('deposit', 'withdraw', 'reset', 'cancel-after')"""
LONGER_CANDLES = f"""
INSERT INTO candles (market_id, width_us, open_time_us, open_ticks, high_ticks, low_ticks,
    close_ticks, volume_lots, notional_atoms, trade_count)
SELECT market_id, width, open_time_us / width * width AS opened,
    (array_agg(open_ticks ORDER BY open_time_us))[1], max(high_ticks), min(low_ticks),
    (array_agg(close_ticks ORDER BY open_time_us DESC))[1],
    sum(volume_lots), sum(notional_atoms), sum(trade_count)::bigint
FROM candles CROSS JOIN unnest(ARRAY[{", ".join(map(str, LONGER_MINUTES))}]) AS minutes
CROSS JOIN LATERAL (SELECT minutes * {MINUTE_US}::bigint AS width) w
WHERE width_us = {MINUTE_US} GROUP BY market_id, width, opened"""


def upgrade() -> None:
    """Every row is kept: fills get numbers, minutes are added up to longer candles once."""
    number_fills()
    keep_requests_once()
    stamp_accounts()
    keep_every_candle()
    op.add_column(
        "positions",
        sa.Column("realized_before_atoms", sa.Numeric(60, 0), server_default="0", nullable=False),
    )


def number_fills() -> None:
    """Fills in the order in which they were listed, and what they make of their orders."""
    op.execute("CREATE SEQUENCE fill_ids")
    op.add_column("fills", sa.Column("id", sa.BigInteger(), nullable=True))
    op.execute(NUMBER_FILLS)
    op.execute(NEXT_FILL)
    op.alter_column("fills", "id", nullable=False, server_default=sa.text("nextval('fill_ids')"))
    op.drop_index("fills_by_account", table_name="fills")
    op.drop_index("fills_by_order", table_name="fills")
    of_clients = sa.text("order_id > 0")
    for name, columns in (
        ("fills_by_account", ["account_id", "id"]),
        ("fills_by_market", ["account_id", "market_id", "id"]),
        ("fills_by_order", ["order_id", "id"]),
    ):
        op.create_index(name, "fills", columns, postgresql_where=of_clients)
    op.add_column(
        "orders",
        sa.Column("filled_tick_lots", sa.Numeric(60, 0), server_default="0", nullable=False),
    )
    op.execute(FILLED)


def keep_requests_once() -> None:
    """Keys of orders move to where all other keys are."""
    op.drop_column("idempotency", "status")
    op.add_column(
        "idempotency",
        sa.Column("order_ids", sa.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
    )
    op.alter_column("idempotency", "order_ids", server_default=None)
    op.execute(ROUTES_AS_ASKED)
    op.execute(KEYS_OF_ORDERS)
    op.drop_index("orders_idempotency_key", table_name="orders")
    op.drop_column("orders", "idempotency_key")
    ended = sa.text("status > 3")
    op.create_index(
        "orders_ended", "orders", ["account_id", "status", "id"], postgresql_where=ended
    )
    op.create_index(
        "orders_ended_by_market",
        "orders",
        ["account_id", "market_id", "status", "id"],
        postgresql_where=ended,
    )


def stamp_accounts() -> None:
    """What was stamped by several clocks no longer goes back along its sequence."""
    for table, key, whose, number in (
        ("orders", ["id"], "account_id", "id"),
        ("ledger_entries", ["source", "seq", "leg"], "account_id", "id"),
        ("trades", ["market_id", "event_seq"], "market_id", "event_seq"),
    ):
        names = {
            "table": table,
            "key": ", ".join(key),
            "row": ", ".join(f"t.{name}" for name in key),
            "other": ", ".join(f"m.{name}" for name in key),
            "whose": whose,
            "number": number,
        }
        op.execute(NEVER_BACK.format(**names))
    op.add_column(
        "balances",
        sa.Column("stamped_at_us", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.execute(LAST_STAMPS)


def keep_every_candle() -> None:
    """The minutes as they are, and from them every longer interval."""
    op.add_column(
        "candles",
        sa.Column("width_us", sa.BigInteger(), server_default=str(MINUTE_US), nullable=False),
    )
    op.alter_column("candles", "width_us", server_default=None)
    op.execute("ALTER TABLE candles DROP CONSTRAINT candles_pkey")
    op.create_primary_key("candles_pkey", "candles", ["market_id", "width_us", "open_time_us"])
    op.execute(LONGER_CANDLES)


def downgrade() -> None:
    """Take it back; what is told apart only now cannot be told apart then."""
    op.drop_column("positions", "realized_before_atoms")
    op.execute(f"DELETE FROM candles WHERE width_us <> {MINUTE_US}")
    op.execute("ALTER TABLE candles DROP CONSTRAINT candles_pkey")
    op.drop_column("candles", "width_us")
    op.create_primary_key("candles_pkey", "candles", ["market_id", "open_time_us"])
    op.drop_column("balances", "stamped_at_us")
    op.drop_index("orders_ended_by_market", table_name="orders")
    op.drop_index("orders_ended", table_name="orders")
    op.add_column("orders", sa.Column("idempotency_key", sa.String(), nullable=True))
    op.create_index(
        "orders_idempotency_key",
        "orders",
        ["account_id", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.drop_column("orders", "filled_tick_lots")
    op.drop_column("idempotency", "order_ids")
    op.add_column(
        "idempotency", sa.Column("status", sa.Integer(), server_default="1", nullable=False)
    )
    for name in ("fills_by_order", "fills_by_market", "fills_by_account"):
        op.drop_index(name, table_name="fills")
    op.drop_column("fills", "id")
    op.execute("DROP SEQUENCE fill_ids")
    op.create_index("fills_by_order", "fills", ["order_id"])
    op.create_index(
        "fills_by_account", "fills", ["account_id", "created_at_us", "market_id", "event_seq"]
    )
