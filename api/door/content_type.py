"""Whether a body's headers call it what bodies are here: JSON, in UTF-8, as it is."""

from collections.abc import Iterator, Sequence

JSON = "application/json"
JSON_BYTES = JSON.encode()
CHARSETS = frozenset({"utf-8", "utf8"})
BLANKS = " \t"
"""All that may stand around a header's words."""

PLAIN = frozenset({b"", b"identity"})
"""What Content-Encoding may say: nothing was done to the body."""


def not_called(types: Sequence[str]) -> str:
    """That a body is called none of these."""
    return f"A body must have the header Content-Type: {' or '.join(types)}"


NOT_JSON = not_called((JSON,))
TWO_TYPES = "The header Content-Type is given more than once"
NOT_UTF_8 = "A body must be UTF-8: the header Content-Type may name no other charset"
ENCODED = "A body must be sent as it is: Content-Encoding is not supported"


def fault_of(headers: Sequence[tuple[bytes, bytes]], wanted: Sequence[str] = (JSON,)) -> str | None:
    """What is wrong with how a body is called, in a sentence; None where it is plain and one of
    what is wanted.

    headers   a request's as they came, names in lower case
    wanted    JSON, and what else it may be called
    """
    types, codings = [], []
    for name, value in headers:
        if name == b"content-type":
            types.append(value)
        elif name == b"content-encoding":
            codings.append(value)
    if len(types) > 1:
        return TWO_TYPES
    if types != [JSON_BYTES]:
        content_type = types[0].decode("latin-1") if types else ""
        if named_in(content_type) not in wanted:
            return not_called(wanted)
        if not CHARSETS.issuperset(charsets_in(content_type)):
            return NOT_UTF_8
    return None if all(coding.strip().lower() in PLAIN for coding in codings) else ENCODED


def called(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """What a body is called, without parameters."""
    types = (value for name, value in headers if name == b"content-type")
    return named_in(next(types, b"").decode("latin-1"))


def named_in(content_type: str) -> str:
    """The same, of the header's text."""
    return content_type.partition(";")[0].strip(BLANKS).lower()


def charsets_in(content_type: str) -> Iterator[str]:
    """The values of its parameter charset: one, unless somebody wants to be read in two ways."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip(BLANKS).lower() == "charset":
            yield value.strip(BLANKS).strip('"').lower()
