"""How much memory and processor time a piece of work may take: the system's own limits, which hold
in the middle of a kernel or of a library too. When a child ends, and how seldom Python looks for
garbage."""

import ctypes
import gc
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

MEGABYTE = 1 << 20
PR_SET_PDEATHSIG = 1
GC_ALLOCATIONS = 50_000
"""Net allocations between two collections of the youngest objects; Python's default is 700."""


@contextmanager
def limited_memory(megabytes: int | None) -> Iterator[None]:
    """Inside, this process holds at most so many megabytes; None for as many as there are.

    Whoever allocates beyond that meets MemoryError. Raises it too where the process holds as much
    already. Where the system does not count private memory (macOS), nothing is limited.
    """
    found = psutil.Process().memory_info()
    if megabytes is None or not hasattr(found, "data"):
        yield
        return
    room = megabytes * MEGABYTE - found.rss
    if room <= 0:
        raise MemoryError
    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = found.data + room
    resource.setrlimit(resource.RLIMIT_DATA, (within(most, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, hard))


def end_after_cpu(seconds: int) -> None:
    """The system ends this process when it has worked for so many seconds more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (within(most, hard), hard))


def die_with_parent() -> None:
    """In a new child: be told to end when the process that started it is gone.

    Only Linux tells. Elsewhere the child has to look for itself, as api.server does.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def within(wanted: int, hard: int) -> int:
    """A soft limit cannot pass the hard one."""
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def settle_garbage_collection() -> None:
    """What exists now stays: it is never looked at again, and the young are looked at less often.

    A request or a batch leaves next to no cycles, yet by default every few hundred
    of them would have all modules and routes walked through.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS)
