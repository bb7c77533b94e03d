"""How `sandpit up` is told to end, and that it ends in time."""

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import psutil

from actors.commands.saying import say

STOP_S_MAX = 9.0


class Interrupted(Exception):
    """A signal came while things were starting."""


class Signals:
    """SIGINT and SIGTERM set a wish, which is looked at between two steps and while waiting.

    An exception out of a handler would tear through Ray wherever it happens to be.
    """

    def __init__(self) -> None:
        self.wanted = threading.Event()

    def check(self) -> None:
        """Raises Interrupted."""
        if self.wanted.is_set():
            raise Interrupted

    def install(self) -> None:
        """Take over both signals, and end this process where it takes too long to stop."""
        bell_out, bell_in = os.pipe()
        os.set_blocking(bell_in, False)
        signal.set_wakeup_fd(bell_in, warn_on_full_buffer=False)
        threading.Thread(target=self._end_in_time, args=(bell_out,), daemon=True).start()
        self.take_again()

    def take_again(self) -> None:
        """After a library has put handlers of its own in their place."""
        signal.signal(signal.SIGINT, self._arrived)
        signal.signal(signal.SIGTERM, self._arrived)

    def _end_in_time(self, bell_out: int) -> None:
        """Hears of a signal also while the main thread waits in a library.

        What we have started ends with this process: pipes close, Linux tells the children.
        """
        while not {signal.SIGINT, signal.SIGTERM} & set(os.read(bell_out, 64)):
            continue
        threading.Event().wait(STOP_S_MAX)
        say(f"not all has stopped in {STOP_S_MAX:.0f} s; ended: {left_over()}")
        end_at_once(0)

    def _arrived(self, _number: int, _frame: FrameType | None) -> None:
        self.wanted.set()


def left_over() -> str:
    """The processes below this one, by their names."""
    return ", ".join(sorted({one.name() for one in psutil.Process().children(recursive=True)}))


def end_at_once(code: int) -> NoReturn:
    """Leave without Ray's own exit hook, which waits a minute for a Ray that is gone."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # a full disk, which holds nobody up
            stream.flush()
    os._exit(code)
