"""Headlines as they are told: written once, when they are public."""

from collections.abc import Sequence
from typing import Any

import psycopg

from sim.prices.headlines import Headline
from storage.errors import wrapped

TELL = """
INSERT INTO headlines (at_us, asset, text, score_ppm, source, weight_ppm)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""


def tell_headlines(connection: psycopg.Connection[Any], headlines: Sequence[Headline]) -> None:
    """In one transaction; those that were told before stay as they are."""
    rows = [
        (one.at_us, one.asset, one.text, one.score_ppm, one.source, one.weight_ppm)
        for one in headlines
    ]
    with wrapped(), connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(TELL, rows)
