"""Headlines as the sentiment agent reads them."""

from sim.signals.sentiment import Headline
from sim.units import PPM
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_all

HEADLINES_MAX = 1_000
"""The newest of one asset."""

SELECT_HEADLINES = """
SELECT at_us, weight_ppm, text, score_ppm FROM headlines
WHERE asset = %s AND at_us > %s ORDER BY id DESC LIMIT %s"""


async def headlines_of(pool: AsyncPool, asset: str, since_us: int) -> list[Headline]:
    """Of an asset, those that have become public since, the newest first."""
    rows = await fetch_all(pool, SELECT_HEADLINES, (asset, since_us, HEADLINES_MAX))
    return [
        Headline(at_us / 1e6, weight_ppm / PPM, text, score_ppm / PPM)
        for at_us, weight_ppm, text, score_ppm in rows
    ]
