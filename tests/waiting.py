"""Waiting in tests: bounded, and never longer than the thing takes."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

POLL_S = 0.02


def eventually(look: Callable[[], Found], timeout_s: float = 10.0) -> Found:
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
