"""What a mind remembers as JSON has it, and back: fields by their names, enums by their values,
decimals as text, whole numbers as they are, of whatever size.
"""

from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from sim.droid.acts import Act, ActKind, CloseRung, MintRung, SwapExactIn

Kept = TypeVar("Kept")
ACTS = {ActKind.CLOSE: CloseRung, ActKind.SWAP: SwapExactIn, ActKind.MINT: MintRung}


def written(value: Any) -> Any:
    """Of a MindState, a Memory, or any part of one."""
    if is_dataclass(value):
        return {field.name: written(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [written(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Decimal) else value


def read_as(kind: type[Kept], told: dict[str, Any]) -> Kept:
    """Raises KeyError, TypeError or ValueError where it was not written as above."""
    found = _read(kind, told)
    assert isinstance(found, kind)
    return found


def _read(kind: Any, told: Any) -> Any:
    if kind == Act:
        kind = ACTS[ActKind(told["kind"])]
    if isinstance(kind, UnionType):
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
        return None if told is None else _read(kind, told)
    if get_origin(kind) is tuple:
        return _read_tuple(get_args(kind), told)
    if isinstance(kind, type) and is_dataclass(kind):
        return kind(**{name: _read(hint, told[name]) for name, hint in _hints(kind).items()})
    if isinstance(kind, type) and issubclass(kind, tuple):
        return kind(*told)
    return kind(told)


def _read_tuple(kinds: tuple[Any, ...], told: list[Any]) -> tuple[Any, ...]:
    if kinds[-1] is Ellipsis:
        return tuple(_read(kinds[0], one) for one in told)
    return tuple(_read(kind, one) for kind, one in zip(kinds, told, strict=True))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
