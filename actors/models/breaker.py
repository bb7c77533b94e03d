"""A circuit breaker: who fails three times in a row is left alone for a minute, then one tries."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

FAILURES_MAX = 3
OPEN_S = 60.0


class Breaker:
    """clock_s    monotonic
    failures   what counts as one; whatever else ends a try says nothing
    """

    def __init__(
        self, clock_s: Callable[[], float], failures: tuple[type[BaseException], ...]
    ) -> None:
        self._clock_s, self._kinds = clock_s, failures
        self._failures, self._until_s = 0, 0.0
        self._tries = 0

    @property
    def admits(self) -> bool:
        """Whether somebody may try now."""
        if self._failures < FAILURES_MAX:
            return True
        return self._clock_s() >= self._until_s and not self._tries

    @contextmanager
    def tried(self) -> Iterator[None]:
        """Its end tells how it went."""
        self._tries += 1
        try:
            yield
            self._failures = 0
        except self._kinds:
            self._failures += 1
            self._until_s = self._clock_s() + OPEN_S
            raise
        finally:
            self._tries -= 1
