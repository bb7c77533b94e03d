"""The rounds of an actor that looks at PostgreSQL again and again until it is stopped."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from actors.loop import Loop
from storage.errors import StorageError, Superseded, told
from storage.postgres.database import AsyncPool, open_pool

RETRY_S = 0.5
BEAT_S = 0.25
"""So soon is it noticed that the actor is to stop."""

SEEN_US = 4_000_000
"""An agent whose cycles are longer says so often that it is there: five seconds are promised."""

CANCELLED_S_MAX = 1.0

Found = TypeVar("Found")

log = structlog.get_logger()


async def look_again(
    loop: Loop,
    name: str,
    database_url: str,
    connections: int,
    look: Callable[[AsyncPool], Awaitable[None]],
    pause_s: float,
) -> None:
    """Look, pause, and so on; where PostgreSQL is away, try again soon. Raises Superseded where
    another process has taken the actor's place."""
    pool = await open_pool(database_url, connections)
    try:
        while not loop.stopping.is_set():
            loop.beat()
            try:
                await look(pool)
                await _rest(loop, pause_s)
            except Superseded:
                raise
            except StorageError as error:
                log.warning("look_waits", actor=name, error=told(error))
                await _rest(loop, RETRY_S)
    finally:
        await pool.close()


async def awaited(
    loop: Loop,
    work: Awaitable[Found],
    seconds_max: float,
    meanwhile: Callable[[], Awaitable[None]],
) -> Found | None:
    """What comes of it; None where nothing has in time, or the actor is to stop. What comes later
    is dropped. Others are looked after meanwhile."""
    task, clock_s = asyncio.ensure_future(work), asyncio.get_running_loop().time
    until_s = clock_s() + seconds_max
    try:
        while not task.done() and clock_s() < until_s and not loop.stopping.is_set():
            await asyncio.wait({task}, timeout=BEAT_S)
            if not task.done():
                loop.beat()
                await meanwhile()
        return task.result() if task.done() else None
    finally:
        if task.cancel():
            await asyncio.wait({task}, timeout=CANCELLED_S_MAX)


async def _rest(loop: Loop, seconds: float) -> None:
    while seconds > 0 and not loop.stopping.is_set():
        await asyncio.sleep(min(seconds, BEAT_S))
        seconds -= BEAT_S
