"""What models may be asked in a day, in tokens and in money, of all agents' processes together.

Before a call the most that it can cost is reserved, afterwards what it did cost stays: so whatever
is asked at the same time, a day never has more than it may. What nobody settles stays reserved, for
who was asked may have answered all the same. A day begins at midnight UTC.
"""

from dataclasses import dataclass
from decimal import Decimal

from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_one

DAY_US = 86_400_000_000

RESERVE = """
INSERT INTO model_days (day_no, tokens, cost_usd) VALUES (%(day)s, %(tokens)s, %(usd)s)
ON CONFLICT (day_no) DO UPDATE SET tokens = model_days.tokens + excluded.tokens,
    cost_usd = model_days.cost_usd + excluded.cost_usd
WHERE model_days.tokens + excluded.tokens <= %(tokens_max)s
    AND model_days.cost_usd + excluded.cost_usd <= %(usd_max)s
RETURNING day_no"""
SETTLE = """
UPDATE model_days SET tokens = tokens + %(tokens)s, cost_usd = cost_usd + %(usd)s
WHERE day_no = %(day)s RETURNING day_no"""
SELECT_SPENT = "SELECT tokens, cost_usd FROM model_days WHERE day_no = %s"


@dataclass(frozen=True)
class Spending:
    """Tokens of prompts and answers, and dollars."""

    tokens: int = 0
    usd: Decimal = Decimal(0)


@dataclass(frozen=True)
class Reserved:
    """What is kept of a day for a call."""

    day_no: int
    most: Spending


async def reserve(pool: AsyncPool, most: Spending, a_day: Spending, now_us: int) -> Reserved | None:
    """None where the day has not so much left. Raises DatabaseUnavailable."""
    if most.tokens > a_day.tokens or most.usd > a_day.usd:
        return None
    day_no = now_us // DAY_US
    values = {
        "day": day_no,
        "tokens": most.tokens,
        "usd": most.usd,
        "tokens_max": a_day.tokens,
        "usd_max": a_day.usd,
    }
    row = await fetch_one(pool, RESERVE, values)
    return None if row is None else Reserved(day_no, most)


async def settle(pool: AsyncPool, reserved: Reserved, spent: Spending) -> None:
    """This is what it did cost; on the day it was reserved of. Raises DatabaseUnavailable."""
    values = {
        "day": reserved.day_no,
        "tokens": spent.tokens - reserved.most.tokens,
        "usd": spent.usd - reserved.most.usd,
    }
    await fetch_one(pool, SETTLE, values)


async def spent_today(pool: AsyncPool, now_us: int) -> Spending:
    """With what is reserved. Raises DatabaseUnavailable."""
    row = await fetch_one(pool, SELECT_SPENT, [now_us // DAY_US])
    return Spending() if row is None else Spending(int(row[0]), Decimal(row[1]))
