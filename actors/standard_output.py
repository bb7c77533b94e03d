"""Standard output that may be a full disk or a closed pipe: a command that cannot tell its results
ends with one sentence, whichever way it prints them."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from actors.command_line import tell

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

DESCRIPTOR = 1
FAILED = 1


class OutputLost(OSError):
    """What was printed has not been written."""


class Output(io.FileIO):
    """The descriptor of standard output, whose errors are told from all others."""

    def __init__(self) -> None:
        super().__init__(DESCRIPTOR, "wb", closefd=False)

    def write(self, content: "ReadableBuffer", /) -> int:
        """Raises OutputLost, and BrokenPipeError where nobody reads any more."""
        try:
            return super().write(content)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputLost(error.errno, error.strerror) from error


@contextmanager
def output_or_exit() -> Iterator[None]:
    """Inside, whatever is printed goes to standard output; when it cannot, the process ends with
    exit code 1: with one sentence, and without where its reader has left."""
    if sys.stdout is None:
        yield
        return
    sys.stdout = printed_to(Output())
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        forget_the_rest()
        raise SystemExit(FAILED) from None
    except OutputLost as error:
        forget_the_rest()
        tell(f"Standard output cannot be written: {error.strerror}.")
        raise SystemExit(FAILED) from None


def printed_to(output: Output) -> io.TextIOWrapper:
    """As Python opens it, where no buffer is wanted with one for each line, so that no half of one
    is taken for written; half a character, as of a file's name, is printed as Python writes it."""
    at_once = sys.stdout.isatty() or getattr(sys.stdout, "write_through", False)
    return io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding=sys.stdout.encoding,
        errors="backslashreplace",
        line_buffering=at_once,
    )


def forget_the_rest() -> None:
    """What Python has not written yet goes nowhere, for it would try so again when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, DESCRIPTOR)
    os.close(nowhere)
