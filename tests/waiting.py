"""Waiting in tests: bounded, and never longer than the thing takes."""

import asyncio
import functools
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

Found = TypeVar("Found")
Told = ParamSpec("Told")

POLL_S = 0.02
WAIT_S_MAX = 30.0
"""After which something that takes a moment will not come any more, on a busy machine too."""
PROGRAM_S_MAX = 600.0
"""How long a program may take that a test has started, its kernels compiled anew."""
ASYNC_TEST_S_MAX = 300.0
"""How long all that an asynchronous test awaits may take; see tests/conftest.py."""


def eventually(look: Callable[[], Found], timeout_s: float = WAIT_S_MAX) -> Found:
    """The first true answer of look; an assertion in it counts as not yet.

    Fails with the last assertion, or with the last answer, when the time is over.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        failed: AssertionError | None = None
        answer: Found | None = None
        try:
            answer = look()
        except AssertionError as error:
            failed = error
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(f"not so within {timeout_s} s: {answer!r}") from failed
        time.sleep(POLL_S)


def within(call: Callable[[], Found], timeout_s: float = PROGRAM_S_MAX) -> Found:
    """What a call answers that cannot be told how long to wait, as of a pipe; it is left behind
    where it takes longer. Raises TimeoutError then."""
    answer: Future[Found] = Future()

    def wait() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=wait, daemon=True).start()
    return answer.result(timeout_s)


def bounded(
    test: Callable[Told, Awaitable[Found]], timeout_s: float = ASYNC_TEST_S_MAX
) -> Callable[Told, Coroutine[Any, Any, Found]]:
    """The same test; whatever it awaits ends with TimeoutError when the time is over."""

    @functools.wraps(test)
    async def until(*arguments: Told.args, **named: Told.kwargs) -> Found:
        async with asyncio.timeout(timeout_s):
            return await test(*arguments, **named)

    return until
