"""What a benchmark asks the database: is anything waiting, and how long did each hop take."""

from sim.orders import OrderStatus
from storage.errors import wrapped
from storage.postgres.database import connect

ANY_PENDING = f"SELECT 1 FROM orders WHERE status = {OrderStatus.PENDING:d} LIMIT 1"
HOPS = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY c.time_us - o.created_at_us) / 1e3,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY j.time_us - c.time_us) / 1e3
FROM orders o JOIN commands c ON c.order_id = o.id
CROSS JOIN LATERAL (SELECT time_us FROM journal j WHERE j.market_id = c.market_id
    AND j.command_seq >= c.command_seq ORDER BY j.batch_no LIMIT 1) j
WHERE o.id = ANY(%s)"""

FRAMES = "SELECT account_id, seq, at_us FROM account_frames"


def frame_times(database_url: str) -> dict[tuple[str, int], int]:
    """When each frame of an account was written, by the account's number and the frame's."""
    with wrapped(), connect(database_url, "bench") as connection:
        rows = connection.execute(FRAMES).fetchall()
    return {(str(row[0]), int(str(row[1]))): int(str(row[2])) for row in rows}


def any_order_pending(database_url: str) -> bool:
    """True while an accepted order is not projected yet. Raises DatabaseUnavailable."""
    with wrapped(), connect(database_url, "bench") as connection:
        return connection.execute(ANY_PENDING).fetchone() is not None


def hop_medians_ms(database_url: str, order_ids: list[int]) -> dict[str, float]:
    """Median milliseconds from accept to number, and from number to the journal's commit."""
    with wrapped(), connect(database_url, "bench") as connection:
        row = connection.execute(HOPS, (order_ids,)).fetchone()
    assert row is not None
    return {"accepted to numbered": float(str(row[0])), "numbered to matched": float(str(row[1]))}
