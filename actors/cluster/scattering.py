"""Work that falls into equal pieces, each done by whichever process of a Ray is free."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import ray

Shared = TypeVar("Shared")
Piece = TypeVar("Piece")
Answer = TypeVar("Answer")

TRIES = 3
"""Of a piece whose process dies."""


def scattered(
    work: Callable[[Shared, Piece], Answer], shared: Shared, pieces: Sequence[Piece], at_a_time: int
) -> Iterator[tuple[int, Answer]]:
    """The number of each piece and what came of it, as they come; Ray must be there.

    shared      goes to every process once
    at_a_time   pieces that are under way, at most
    """
    task = ray.remote(num_cpus=0, max_retries=TRIES - 1)(work)
    told = ray.put(shared)
    waiting = iter(enumerate(pieces))
    under_way: dict[Any, int] = {}
    while True:
        for number, piece in waiting:
            under_way[task.remote(told, piece)] = number
            if len(under_way) >= at_a_time:
                break
        if not under_way:
            return
        (done,), _ = ray.wait([*under_way], num_returns=1)
        yield under_way.pop(done), ray.get(done)
