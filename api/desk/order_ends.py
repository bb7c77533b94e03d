"""Waiting for the true end of an order that is asked to be cancelled."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from storage.reading.order_lists import OrderView

CANCEL_S_MAX = 2.0
LOOKS_AGAIN_S = 0.02
"""At first; each time after twice as long, for where many wait the database is busy already."""


async def ended(look: Callable[[], Awaitable[OrderView]]) -> OrderView:
    """The order, once it has ended; as it is after CANCEL_S_MAX where it has not."""
    until, pause_s = time.monotonic() + CANCEL_S_MAX, LOOKS_AGAIN_S
    while True:
        found = await look()
        left_s = until - time.monotonic()
        if not found.status.is_open or left_s <= 0:
            return found
        await asyncio.sleep(min(pause_s, left_s))
        pause_s *= 2
