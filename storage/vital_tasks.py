"""Tasks without which a process answers wrongly or not at all: where one breaks, the process ends.

Whoever started the process puts another in its place.
"""

import asyncio
import os
from collections.abc import Coroutine
from typing import Any

import structlog

CANCEL_AGAIN_S = 0.5


def started_vital(work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
    """The work as a task of this loop; canceling it is no failure."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(end_when_broken)
    return task


async def ended(task: "asyncio.Task[None]") -> None:
    """Cancel such a task until it has ended.

    More than once, for the database's driver may take a cancellation for that of its statement: it
    answers with an error of the statement, and the work goes on.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_AGAIN_S)


def end_when_broken(task: "asyncio.Task[None]") -> None:
    """At once: nobody would notice a task that is not there any more."""
    if not task.cancelled() and (error := task.exception()) is not None:
        structlog.get_logger().error("vital_task_failed", task=task.get_name(), error=repr(error))
        os._exit(1)
