"""What is compiled: kernels and their parts are declared here, and compiled when one is called.

Declaring them loads no numba, compiling.py does. So a strategy is one file, and whoever reads a
scenario or asks a rule of money needs no compiler for it: numba is two fifths of an API process.
"""

import inspect
import linecache
from collections.abc import Callable
from functools import update_wrapper
from hashlib import blake2b
from types import ModuleType
from typing import Any, TypeAlias, TypeVar, cast

Number: TypeAlias = Any
"""What a part of a kernel answers: an int64, uint64 or truth value of numba's own."""

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

RULES: list[Callable[..., Any]] = []
"""Those that numba has not been told of yet: compiling.py does, before it compiles anything."""


class Compiled:
    """A function that is compiled when it is first called, or first needed by another.

    mark   the directory that its machine code is kept in; "" for a part, which its kernels hold
    """

    def __init__(
        self, function: Callable[..., Any], mark: str = "", is_inlined: bool = True
    ) -> None:
        update_wrapper(self, function)
        self.function, self.mark, self.is_inlined = function, mark, is_inlined
        self.made: Any = None

    @property
    def dispatcher(self) -> Any:
        """Numba's own object for it. Numba's lock alone is held while it is made: whoever compiles
        has that one already, and would wait for another for ever."""
        if self.made is None:
            from sim.rows import compiling

            compiling.make(self)
        return self.made

    @property
    def _numba_type_(self) -> Any:
        """Numba asks for this where a kernel names an object that it does not know."""
        from sim.rows import compiling

        return compiling.type_of(self.dispatcher)

    def __call__(self, *arguments: Any) -> Any:
        """The first call. A class of its own takes all others straight to numba's object: a step
        in Python between would cost half as much as a short kernel."""
        assert self.mark, f"{self.function.__name__} is a part of kernels: only they call it"
        dispatcher = self.dispatcher
        self.__class__ = type("Called", (Compiled,), {"__call__": staticmethod(dispatcher)})
        return dispatcher(*arguments)


def inlined(function: Kernel) -> Kernel:
    """A part of a kernel, always inlined into it."""
    return cast(Kernel, Compiled(function))


def called(function: Kernel) -> Kernel:
    """A part of a kernel that is seldom reached: called, so that it does not lie in the way."""
    return cast(Kernel, Compiled(function, is_inlined=False))


def rule(function: Kernel) -> Kernel:
    """A plain function of integers: Python calls it as it stands, kernels inline it."""
    RULES.append(function)
    return function


def cached_kernel(*inlined_modules: ModuleType) -> Callable[[Kernel], Kernel]:
    """A kernel whose machine code is kept on disk.

    Numba's cache looks only at the kernel's own file, and only when the kernel is first called,
    while a kernel here is made of parts and constants of `inlined_modules` too. So each version
    of all their source, as it was loaded, gets a cache directory of its own.
    """
    digest = blake2b(digest_size=8)
    for module in inlined_modules:
        digest.update(inspect.getsource(module).encode())

    def decorate(function: Kernel) -> Kernel:
        own = digest.copy()
        own.update(source_around(function).encode())
        return cast(Kernel, Compiled(function, f"kernels_{own.hexdigest()}"))

    return decorate


def source_around(function: Callable[..., Any]) -> str:
    """Of the whole file that a function stands in, while that is being loaded."""
    return "".join(linecache.updatecache(inspect.getfile(function)))


def lowest_bit(word: Number) -> Number:
    """Index of the lowest set bit of a uint64 that is not 0.

    In a kernel it is one instruction of the processor, as the next three are: see compiling.py.
    """
    bits = int(word)
    return (bits & -bits).bit_length() - 1


def highest_bit(word: Number) -> Number:
    """Index of the highest set bit of a uint64 that is not 0."""
    return int(word).bit_length() - 1


def prefetch(array: Any, index: Any) -> None:
    """Ask the processor for the cache line of `array[index]` (one dimension); changes nothing."""


def high_product(first: Number, second: Number) -> Number:
    """The upper 64 bits of the product of two uint64."""
    return int(first) * int(second) >> 64
