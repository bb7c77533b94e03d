"""What a start tells whoever sits before it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console

console = Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Tell whoever sits before it; where that is a file on a full disk, nobody."""
    with suppress(OSError):
        console.print(text)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Prints a line when a part of the start is done, with its seconds."""
    began = time.monotonic()
    yield
    say(f"  {name} [dim]{time.monotonic() - began:.1f} s[/]")
