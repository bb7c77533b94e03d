"""Tasks without which a process answers wrongly or not at all: where one breaks, the process ends.

Whoever started the process puts another in its place.
"""

import asyncio
import os
from collections.abc import Coroutine
from typing import Any

import structlog


def started_vital(work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
    """The work as a task of this loop; canceling it is no failure."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(end_when_broken)
    return task


def end_when_broken(task: "asyncio.Task[None]") -> None:
    """At once: nobody would notice a task that is not there any more."""
    if not task.cancelled() and (error := task.exception()) is not None:
        structlog.get_logger().error("vital_task_failed", task=task.get_name(), error=repr(error))
        os._exit(1)
