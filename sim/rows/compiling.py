"""The one file that loads numba; kernels.py asks for it when something is first to be compiled.

How kernels are compiled: inlined parts, a cache that goes stale in time, bit instructions.
"""

import inspect
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from llvmlite.binding import Linkage
from numba import config, njit, typeof, types
from numba.core.caching import UserProvidedCacheLocator
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic, overload, register_jitable
from numba.misc.appdirs import AppDirs

from sim.rows import kernels

CACHE_HOMES = (
    f"{__file__.rpartition('/')[0]}/__pycache__",
    AppDirs("sandpit", appauthor=False).user_cache_dir,
)

UNCOUNTED = {"_nrt": False}
"""The arrays belong to the caller for the whole call, and counting references to them in every
inner function costs more than the work itself."""


class PartCode(JITCodeLibrary):  # type: ignore[misc, unused-ignore]
    """The code of a part, which its kernels take in, and optimize and compile with their own.

    Numba would do both for every part as well, with all that the part is made of: a kernel would
    be compiled as often as its parts lie within each other.
    """

    def _optimize_final_module(self) -> None:
        """See above."""

    def _finalize_final_module(self) -> None:
        """Leave the code to whoever links it, and only its names to the processor's compiler."""
        own = [each for each in self._final_module.functions if not each.is_declaration]
        for function in own:
            function.linkage = Linkage.linkonce_odr
        self._shared_module = self._final_module.clone()
        for function in own:
            function.linkage = Linkage.available_externally
        super()._finalize_final_module()


class CalledCode(PartCode):
    """The code of a part that no kernel takes in line."""

    def _finalize_final_module(self) -> None:
        for function in self._final_module.functions:
            if function.linkage == Linkage.external and not function.is_declaration:
                function.add_function_attribute("noinline")
        super()._finalize_final_module()


class PartCompiler(Compiler):  # type: ignore[misc, unused-ignore]
    """Numba's compiler, into the code of a part."""

    code: type[PartCode] = PartCode

    def __init__(self, typing: Any, target: Any, library: None, *arguments: Any) -> None:
        super().__init__(typing, target, self.code(target.codegen(), "part"), *arguments)


class CalledCompiler(PartCompiler):
    code = CalledCode


PART = {**UNCOUNTED, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
ALWAYS = {**PART, "forceinline": True, "pipeline_class": PartCompiler}
BY_CALL = {**PART, "forceinline": False, "pipeline_class": CalledCompiler}
"""Said of both: what is called from an inlined part would be inlined as well."""

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
        options = ALWAYS if kernel.is_inlined else BY_CALL
        kernel.made = of_wide_numbers(njit(**options)(kernel.function))


def of_wide_numbers(dispatcher: Any) -> Any:
    """A part that is compiled once for numbers of any width, and not for each constant anew.

    Nothing else differs: inlined, a number is as narrow again as it came, and a constant is one.
    """
    template = dispatcher.get_call_template
    dispatcher.get_call_template = lambda arguments, named: template(map(wide, arguments), named)
    return dispatcher


def wide(argument: Any) -> Any:
    """The type of an argument; of an integer that fits, int64."""
    argument = types.unliteral(argument)
    is_narrow = isinstance(argument, types.Integer) and argument.bitwidth < types.int64.bitwidth
    return types.int64 if is_narrow else argument


def kept(function: Callable[..., Any], mark: str) -> Any:
    """A kernel that is kept on disk, in a directory `mark`: below NUMBA_CACHE_DIR, where that is
    set; else beside the code, or in the user's home. Where none can be written to, each process
    compiles for itself."""
    before = config.CACHE_DIR
    try:
        for home in [before] if before else CACHE_HOMES:
            config.CACHE_DIR = f"{home}/{mark}"
            if UserProvidedCacheLocator.from_function(function, inspect.getfile(function)):
                return njit(cache=True, **UNCOUNTED)(function)
        return njit(**UNCOUNTED)(function)
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
