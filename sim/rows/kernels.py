"""How kernels are compiled: inlined parts, a cache that goes stale in time, bit instructions."""

import inspect
from collections.abc import Callable
from hashlib import blake2b
from types import ModuleType
from typing import Any, TypeAlias, TypeVar, cast

from llvmlite import ir
from numba import config, njit, types
from numba.core.caching import UserProvidedCacheLocator
from numba.extending import intrinsic
from numba.misc.appdirs import AppDirs

Number: TypeAlias = Any
"""What a part of a kernel answers: an int64, uint64 or truth value of numba's own."""

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

CACHE_HOMES = (
    f"{__file__.rpartition('/')[0]}/__pycache__",
    AppDirs("sandpit", appauthor=False).user_cache_dir,
)
PREFETCH_FOR_READ, KEEP_IN_ALL_CACHES, DATA_CACHE = 0, 3, 1


def inlined(function: Kernel) -> Kernel:
    """A part of a kernel, always inlined into it.

    `_nrt=False`: the arrays belong to the caller for the whole call, and counting
    references to them in every inner function costs more than the work itself.
    """
    return cast(Kernel, njit(forceinline=True, _nrt=False)(function))


def cached_kernel(*inlined_modules: ModuleType) -> Callable[[Kernel], Kernel]:
    """A compiled kernel, kept on disk.

    Numba's cache looks only at the kernel's own file, while a kernel here is
    made of parts and constants of `inlined_modules` too. So each version of
    their source gets a cache directory of its own: below NUMBA_CACHE_DIR, where
    that is set; else beside the code, or in the user's home. Where none can be
    written to, each process compiles for itself.
    """
    digest = blake2b(digest_size=8)
    for module in inlined_modules:
        digest.update(inspect.getsource(module).encode())
    mark = f"kernels_{digest.hexdigest()}"

    def decorate(function: Kernel) -> Kernel:
        before = config.CACHE_DIR
        try:
            for home in [before] if before else CACHE_HOMES:
                config.CACHE_DIR = f"{home}/{mark}"
                if UserProvidedCacheLocator.from_function(function, inspect.getfile(function)):
                    return cast(Kernel, njit(cache=True, _nrt=False)(function))
            return cast(Kernel, njit(_nrt=False)(function))
        finally:
            config.CACHE_DIR = before

    return decorate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def lowest_bit(typing_context: Any, word: Any) -> Any:
    """Index of the lowest set bit of a uint64 that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def highest_bit(typing_context: Any, word: Any) -> Any:
    """Index of the highest set bit of a uint64 that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.xor(zeros, ir.Constant(ir.IntType(64), 63))

    return types.int64(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    """Ask the processor for the cache line of `array[index]` (one dimension); changes nothing."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        layout = context.make_array(signature.args[0])(context, builder, arguments[0])
        stride = builder.extract_value(layout.strides, 0)
        base = builder.ptrtoint(layout.data, ir.IntType(64))
        address = builder.inttoptr(
            builder.add(base, builder.mul(arguments[1], stride)), ir.IntType(8).as_pointer()
        )
        word = ir.IntType(32)
        function = builder.module.declare_intrinsic(
            "llvm.prefetch",
            (ir.IntType(8).as_pointer(),),
            ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), word, word, word]),
        )
        hints = (PREFETCH_FOR_READ, KEEP_IN_ALL_CACHES, DATA_CACHE)
        builder.call(function, [address, *(ir.Constant(word, hint) for hint in hints)])
        return context.get_dummy_value()

    return types.none(array, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def high_product(typing_context: Any, first: Any, second: Any) -> Any:
    """The upper 64 bits of the product of two uint64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        double = ir.IntType(128)
        wide = [builder.zext(argument, double) for argument in arguments]
        upper = builder.lshr(builder.mul(*wide), ir.Constant(double, 64))
        return builder.trunc(upper, ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate
