"""The one file that loads numba; kernels.py asks for it when something is first to be compiled.

How kernels are compiled: inlined parts, a cache that goes stale in time, bit instructions.
"""

import inspect
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import config, njit, typeof, types
from numba.core.caching import UserProvidedCacheLocator
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic, overload, register_jitable
from numba.misc.appdirs import AppDirs

from sim.rows import kernels

CACHE_HOMES = (
    f"{__file__.rpartition('/')[0]}/__pycache__",
    AppDirs("sandpit", appauthor=False).user_cache_dir,
)
ALWAYS = {"forceinline": True, "_nrt": False}
"""`_nrt=False`: the arrays belong to the caller for the whole call, and counting references to
them in every inner function costs more than the work itself."""

BY_CALL = {"_nrt": False}

PREFETCH_FOR_READ, KEEP_IN_ALL_CACHES, DATA_CACHE = 0, 3, 1


def type_of(dispatcher: Any) -> Any:
    """What numba knows a compiled function by, where another calls it."""
    return typeof(dispatcher)


@global_compiler_lock  # type: ignore[untyped-decorator, unused-ignore]
def make(kernel: kernels.Compiled) -> None:
    """Numba's object for a function, once: a part of kernels where it has no mark."""
    while kernels.RULES:
        register_jitable(**ALWAYS)(kernels.RULES.pop())
    if kernel.made is not None:
        return
    if kernel.mark:
        kernel.made = kept(kernel.function, kernel.mark)
    else:
        kernel.made = njit(**ALWAYS if kernel.is_inlined else BY_CALL)(kernel.function)


def kept(function: Callable[..., Any], mark: str) -> Any:
    """A kernel that is kept on disk, in a directory `mark`: below NUMBA_CACHE_DIR, where that is
    set; else beside the code, or in the user's home. Where none can be written to, each process
    compiles for itself."""
    before = config.CACHE_DIR
    try:
        for home in [before] if before else CACHE_HOMES:
            config.CACHE_DIR = f"{home}/{mark}"
            if UserProvidedCacheLocator.from_function(function, inspect.getfile(function)):
                return njit(cache=True, _nrt=False)(function)
        return njit(_nrt=False)(function)
    finally:
        config.CACHE_DIR = before


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def count_trailing_zeros(typing_context: Any, word: Any) -> Any:
    """The instruction behind kernels.lowest_bit."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def count_leading_zeros(typing_context: Any, word: Any) -> Any:
    """The instruction behind kernels.highest_bit, counted from the lowest."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.xor(zeros, ir.Constant(ir.IntType(64), 63))

    return types.int64(types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def prefetch_line(typing_context: Any, array: Any, index: Any) -> Any:
    """The instruction behind kernels.prefetch."""

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
def multiply_high(typing_context: Any, first: Any, second: Any) -> Any:
    """The instruction behind kernels.high_product."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        double = ir.IntType(128)
        wide = [builder.zext(argument, double) for argument in arguments]
        upper = builder.lshr(builder.mul(*wide), ir.Constant(double, 64))
        return builder.trunc(upper, ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


overload(kernels.lowest_bit, jit_options=ALWAYS)(
    lambda word: lambda word: count_trailing_zeros(word)
)
overload(kernels.highest_bit, jit_options=ALWAYS)(
    lambda word: lambda word: count_leading_zeros(word)
)
overload(kernels.prefetch, jit_options=ALWAYS)(
    lambda array, index: lambda array, index: prefetch_line(array, index)
)
overload(kernels.high_product, jit_options=ALWAYS)(
    lambda first, second: lambda first, second: multiply_high(first, second)
)
