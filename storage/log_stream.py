"""Where a process writes its log: a place that may be full or gone, and never breaks the work."""

import io
import json
import os
from pathlib import Path
from typing import TextIO

from sim.printable import printable_lines


class LogStream(io.TextIOBase):
    """A text stream whose writes never fail. What could not be written is counted, and the log
    says how much that was as soon as it can.

    Nothing is kept to be written later: a disk that stays full costs no memory.
    """

    def __init__(self, descriptor: int) -> None:
        """Takes the file descriptor over."""
        self._descriptor = descriptor
        self._is_torn = False
        self._lost_untold = 0
        self.lost = 0

    @classmethod
    def at(cls, path: Path) -> "LogStream":
        """At the end of a file, which is made; one that cannot be made loses every line."""
        try:
            return cls(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))
        except OSError:
            return cls(-1)

    @classmethod
    def beside(cls, stream: TextIO) -> "LogStream":
        """To where another stream writes."""
        try:
            return cls(os.dup(stream.fileno()))
        except (OSError, ValueError):
            return cls(-1)

    def writable(self) -> bool:
        """For whoever asks before it writes."""
        return True

    def write(self, text: str) -> int:
        """Write what can be written now. A line that the last write tore off is ended first."""
        data = (self._preface() + printable_lines(text)).encode()
        written = self._write_some(data)
        if written == len(data):
            self._is_torn, self._lost_untold = False, 0
        else:
            self.lost, self._lost_untold = self.lost + 1, self._lost_untold + 1
            self._is_torn = self._is_torn or written > 0
        return len(text)

    def _preface(self) -> str:
        torn = "\n" if self._is_torn else ""
        lost = {"event": "log_lines_lost", "level": "warning", "lines": self._lost_untold}
        return torn + (f"{json.dumps(lost)}\n" if self._lost_untold else "")

    def _write_some(self, data: bytes) -> int:
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError:
            pass
        return written

    def fileno(self) -> int:
        """The descriptor. Raises OSError where there is none."""
        if self._descriptor < 0:
            raise OSError("there is no file")
        return self._descriptor

    def close(self) -> None:
        """Write no more."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
        super().close()
