"""Turns the state of a simulation into bytes and back: numbers, arrays and our own classes.

The bytes are a header (the tree as JSON) and the memory of the arrays behind it. Reading
makes no object but numpy's arrays and classes of `sim`, and calls none of their code.
"""

import json
import struct
from collections.abc import Callable
from decimal import Decimal
from enum import IntEnum, StrEnum
from importlib import import_module
from typing import Any

import numpy as np

FORMAT = b"SANDWRLD1"
LENGTH = struct.Struct("<q")
OWN_MODULES = "sim."
DAMAGED = "the checkpoint is damaged"


class StateUnreadable(ValueError):
    """The bytes are no state of this version. The message is one sentence."""


def frozen(state: Any) -> bytes:
    """The bytes of a state. Raises TypeError where something in it cannot be kept."""
    writer = _Writer()
    tree = json.dumps(writer.tree(state), separators=(",", ":")).encode()
    return b"".join([FORMAT, LENGTH.pack(len(tree)), tree, *writer.memory])


def thawed(data: bytes) -> Any:
    """The state that `frozen` was given; arrays are copies. Raises StateUnreadable."""
    start = len(FORMAT) + LENGTH.size
    if data[: len(FORMAT)] != FORMAT or len(data) < start:
        raise StateUnreadable(f"{DAMAGED}, or another version of sandpit wrote it")
    (length,) = LENGTH.unpack(data[len(FORMAT) : start])
    try:
        tree = json.loads(data[start : start + length])
        return _Reader(memoryview(data)[start + length :]).value(tree)
    except StateUnreadable:
        raise
    except (ArithmeticError, AttributeError, ImportError, LookupError) as error:
        raise StateUnreadable(f"{DAMAGED}: {error}") from error
    except (MemoryError, RecursionError, TypeError, ValueError) as error:
        raise StateUnreadable(f"{DAMAGED}: {error}") from error


class _Writer:
    """Builds the tree; what is referred to twice is written once."""

    def __init__(self) -> None:
        self.memory: list[bytes] = []
        self._size = 0
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []

    def tree(self, value: Any) -> Any:
        if isinstance(value, IntEnum | StrEnum):
            return self._member_of_ours(value)
        if value is None or isinstance(value, bool | float | str | int):
            return value
        if isinstance(value, bytes):
            return {"bytes": self._place(value)}
        if isinstance(value, Decimal):
            return {"decimal": str(value)}
        if isinstance(value, range):
            return {"range": [value.start, value.stop, value.step]}
        return self._shared(value)

    def _member_of_ours(self, value: IntEnum | StrEnum) -> Any:
        plain = int(value) if isinstance(value, IntEnum) else str(value)
        return {"member": [type(value).__module__, type(value).__qualname__, plain]}

    def _shared(self, value: Any) -> Any:
        if id(value) in self._seen:
            return {"same": self._seen[id(value)]}
        number = self._seen[id(value)] = len(self._kept)
        self._kept.append(value)
        return {"id": number, **self._compound(value)}

    def _compound(self, value: Any) -> dict[str, Any]:
        if isinstance(value, np.ndarray | np.generic):
            return self._array(np.asarray(value), isinstance(value, np.generic))
        if isinstance(value, list | tuple):
            kind = "list" if isinstance(value, list) else "tuple"
            return {kind: [self.tree(item) for item in value]}
        if isinstance(value, dict):
            return {"dict": [[self.tree(key), self.tree(item)] for key, item in value.items()]}
        module, name = type(value).__module__, type(value).__qualname__
        if not module.startswith(OWN_MODULES) or not hasattr(value, "__dict__"):
            raise TypeError(f"a {module}.{name} cannot be kept in a checkpoint")
        return {"object": [module, name, self.tree(dict(vars(value)))]}

    def _array(self, array: np.ndarray, scalar: bool) -> dict[str, Any]:
        described = np.lib.format.dtype_to_descr(array.dtype)
        place = self._place(np.ascontiguousarray(array).tobytes())
        return {"array": [place, described, list(array.shape), scalar]}

    def _place(self, content: bytes) -> list[int]:
        self.memory.append(content)
        self._size += len(content)
        return [self._size - len(content), len(content)]


class _Reader:
    """Reads a tree back."""

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory
        self._seen: dict[int, Any] = {}
        self._kinds: dict[str, Callable[[Any], Any]] = {
            "member": self._member,
            "bytes": self._bytes,
            "decimal": Decimal,
            "range": lambda content: range(*content),
            "list": self._list,
            "tuple": lambda content: tuple(self._list(content)),
            "dict": self._dict,
            "array": self._array,
        }

    def value(self, tree: Any) -> Any:
        if isinstance(tree, list):
            raise StateUnreadable(f"{DAMAGED}: a bare list")
        if not isinstance(tree, dict):
            return tree
        if "same" in tree:
            return self._seen[tree["same"]]
        number = tree.pop("id", None)
        ((kind, content),) = tree.items()
        if kind == "object":
            return self._object(number, content)
        made = self._kinds[kind](content)
        if number is not None:
            self._seen[number] = made
        return made

    def _object(self, number: int, content: Any) -> Any:
        module, name, fields = content
        made = object.__new__(_own(module, name))
        self._seen[number] = made
        made.__dict__.update(self.value(fields))
        return made

    def _member(self, content: Any) -> Any:
        module, name, plain = content
        return _own(module, name)(plain)

    def _bytes(self, content: Any) -> bytes:
        start, length = content
        if start + length > len(self._memory):
            raise StateUnreadable(f"{DAMAGED}: it is cut off")
        return bytes(self._memory[start : start + length])

    def _list(self, content: list[Any]) -> list[Any]:
        return [self.value(item) for item in content]

    def _dict(self, content: list[Any]) -> dict[Any, Any]:
        return {self.value(key): self.value(item) for key, item in content}

    def _array(self, content: Any) -> Any:
        place, described, shape, scalar = content
        dtype = np.lib.format.descr_to_dtype(_descr(described))
        array = np.frombuffer(self._bytes(place), dtype).reshape(shape).copy()
        return array[()] if scalar else array


def _own(module: str, name: str) -> Any:
    if not module.startswith(OWN_MODULES):
        raise StateUnreadable(f"the checkpoint names {module}, which is not of sim")
    found: Any = getattr(import_module(module), name)
    if not isinstance(found, type):
        raise StateUnreadable(f"the checkpoint names {module}.{name}, which is no class")
    return found


def _descr(described: Any) -> Any:
    """A dtype's description as numpy writes it: JSON has made lists of its tuples."""
    if isinstance(described, str):
        return described
    return [
        (name, _descr(kind), *(tuple(shape) for shape in more)) for name, kind, *more in described
    ]
