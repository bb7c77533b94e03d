"""Answers that were heard lately, by what was asked."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

RECENT_MAX = 256

Heard = TypeVar("Heard")


class Recent(Generic[Heard]):
    """The last ones that were asked for, each until its time is over; `clock_s` is monotonic."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._kept: OrderedDict[bytes, tuple[float, Heard]] = OrderedDict()

    def find(self, asked: bytes) -> Heard | None:
        """asked   a hash of all that was asked"""
        until_s, heard = self._kept.get(asked, (0.0, None))
        if heard is None or self._clock_s() >= until_s:
            self._kept.pop(asked, None)
            return None
        self._kept.move_to_end(asked)
        return heard

    def keep(self, asked: bytes, heard: Heard, for_s: float) -> None:
        """The one that was not asked for the longest goes where there are too many."""
        self._kept[asked] = (self._clock_s() + for_s, heard)
        self._kept.move_to_end(asked)
        while len(self._kept) > RECENT_MAX:
            self._kept.popitem(last=False)
