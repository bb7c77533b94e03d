"""Request bodies as they were written: numbers keep their text and never pass through float."""

import json
import re
from decimal import Decimal
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from sim.units import DECIMAL_TEXT
from storage.distinct_keys import NAMES_A_KEY_TWICE, key_named_twice

NUMBER_CHARACTERS_MAX = 45
FIELDS_MAX = 64
"""Of one object. Each that nobody knows costs as much as a small request to find and to name."""

COMMAS_MAX = 4_000
"""Outside of strings. The largest request, a hundred orders, has 1,300."""

QUOTES_MAX = 4 * COMMAS_MAX
"""A comma stands between a string and the next, or a name and its string and the next."""

WHOLE_TEXT = re.compile(rf"-?\d{{1,{NUMBER_CHARACTERS_MAX}}}", re.ASCII)
"""More than any field takes, so that what is too small or too large is told the field's bound."""

PRINTABLE_TEXT = re.compile(r"[\x20-\x7e]*")
"""Whether it may be empty is the field's to say."""

NOT_WHOLE = "must be a whole number"
EXPONENT_MAX = 99
"""Beyond it no number within the bounds is written, and none is written out."""

NOT_DECIMAL = (
    "must be a plain decimal such as 12.5: at most 12 digits, 32 decimals; a JSON number may have"
    f" an exponent from -{EXPONENT_MAX} to {EXPONENT_MAX}"
)

NEGATIVE = "must not be negative"


NOT_NUMBER = "must be a JSON number such as 12.5, without quotation marks"


class NotJson(ValueError):
    """The body is not JSON as we accept it; the message says why."""


class ExactNumber:
    """A JSON number that has not been read yet. No field takes it but those made for it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        if len(text) > NUMBER_CHARACTERS_MAX:
            raise NotJson("A number in the body has too many digits")
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _object_of_distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > FIELDS_MAX:
        raise NotJson(f"An object in the body has more than {FIELDS_MAX} fields")
    if key_named_twice(pairs) is not None:
        raise NotJson(f"The body {NAMES_A_KEY_TWICE}")
    return dict(pairs)


def _refuse_constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_of_distinct_keys,
    parse_float=ExactNumber,
    parse_int=ExactNumber,
    parse_constant=_refuse_constant,
)


def _has_many_values(body: bytes) -> bool:
    """Told by quotes and by the commas outside of strings, in a few passes that build little."""
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > QUOTES_MAX:
        return True
    return sum(piece.count(b",") for piece in plain.split(b'"')[::2]) > COMMAS_MAX


def read_json(body: bytes) -> Any:
    """UTF-8 JSON to Python values, numbers to ExactNumber. Raises NotJson."""
    if body.count(b",") > COMMAS_MAX and _has_many_values(body):
        raise NotJson(f"The body has more than {COMMAS_MAX} commas: no request has so many values")
    try:
        return _DECODER.decode(body.decode())
    except UnicodeDecodeError:
        raise NotJson("The body is not UTF-8") from None
    except RecursionError:
        raise NotJson("The body is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"The body is not JSON: it goes wrong at character {error.pos}") from None


def _decimal_text(value: object) -> object:
    if not isinstance(value, str | ExactNumber):
        raise ValueError(NOT_DECIMAL)
    return written_out(value.text) if isinstance(value, ExactNumber) else value


def _number_text(value: object) -> str:
    if not isinstance(value, ExactNumber):
        raise ValueError(NOT_NUMBER)
    return written_out(value.text)


def written_out(number: str) -> str:
    """A JSON number without an exponent, exactly. Raises ValueError where that is too large."""
    _, letter, exponent = number.lower().partition("e")
    if not letter:
        return number
    if abs(int(exponent)) > EXPONENT_MAX:
        raise ValueError(NOT_DECIMAL)
    return f"{Decimal(number):f}"


def _plain_decimal(text: str) -> str:
    if DECIMAL_TEXT.fullmatch(text) is None:
        is_negative = DECIMAL_TEXT.fullmatch(text.removeprefix("-")) is not None
        raise ValueError(NEGATIVE if is_negative else NOT_DECIMAL)
    return text


def _signed_decimal(text: str) -> str:
    unsigned = text.removeprefix("-")
    if DECIMAL_TEXT.fullmatch(unsigned) is None:
        raise ValueError(NOT_DECIMAL)
    if unsigned != text and not Decimal(unsigned):
        raise ValueError(NEGATIVE)
    return text


def read_whole(text: str) -> int:
    """The number that is written. Raises ValueError where it is none, or has no end of digits."""
    if WHOLE_TEXT.fullmatch(text) is None:
        raise ValueError(NOT_WHOLE)
    return int(text)


def whole_number(value: object) -> int:
    """The JSON number that was sent. Raises ValueError where it is not whole, or none."""
    if not isinstance(value, ExactNumber):
        raise ValueError(NOT_WHOLE)
    return read_whole(value.text)


def _printable(text: str) -> str:
    if PRINTABLE_TEXT.fullmatch(text) is None:
        raise ValueError("must be printable ASCII")
    return text


NUMBER_SCHEMA: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": 999_999_999_999}


def decimal_schema(is_above: bool = False) -> dict[str, Any]:
    """Of a decimal as text or number. is_above: 0 itself is not allowed."""
    low = "exclusiveMinimum" if is_above else "minimum"
    text = {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,32})?$"}
    number = {name if name != "minimum" else low: NUMBER_SCHEMA[name] for name in NUMBER_SCHEMA}
    return {"anyOf": [text, number]}


DecimalText = Annotated[
    str,
    BeforeValidator(_decimal_text),
    AfterValidator(_plain_decimal),
    WithJsonSchema(decimal_schema()),
]
"""A decimal string, or a JSON number as it is written out; the text is checked before anything
computes with it."""

DecimalNumber = Annotated[
    str,
    BeforeValidator(_number_text),
    AfterValidator(_signed_decimal),
    WithJsonSchema(NUMBER_SCHEMA),
]
"""Of JSON numbers alone, also with a sign: who reads it on says between which bounds, as of a
WholeNumber."""

WholeNumber = Annotated[int, BeforeValidator(whole_number)]
"""A JSON number of digits only, and perhaps a sign; neither 1.0 nor true nor "1". Its field says
between which bounds."""

PrintableText = Annotated[str, AfterValidator(_printable)]
