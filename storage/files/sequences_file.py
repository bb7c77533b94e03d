"""Files of pools' lives (`sim.pool.sequences`): JSON, plain or gzipped, told apart by their first
bytes.
"""

import gzip
import json
import zlib
from math import isfinite
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from sim.pool.fields import Fields, SequenceError
from storage.distinct_keys import NAMES_A_KEY_TWICE, key_named_twice
from storage.regular_file import open_regular

CONTENT_BYTES_MAX, PIECE_BYTES = 1 << 30, 1 << 20
VALUES_MAX = 20_000_000
"""Two bytes of JSON may be a value, of a hundred bytes in memory."""

DEPTH_MAX = 100
"""A step's own fields stand eight deep."""

GZIP_START = b"\x1f\x8b"


class SequencesFileError(ValueError):
    """The file cannot be used. The message is one sentence with its name and the place in it."""


def about_sequences(path: Path | str, error: SequenceError) -> SequencesFileError:
    return SequencesFileError(f"{path}: {error}.")


def read_sequences(path: Path) -> object:
    """What the file says, whatever it is. Raises SequencesFileError."""
    try:
        content = _content(path)
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise SequencesFileError(f"{path} cannot be read: {said}.") from error
    return sequences_in(content, path)


def sequences_in(content: bytes, path: Path | str) -> object:
    """The same of what stands in a file, or of what somebody calls by a name."""
    if len(content) > CONTENT_BYTES_MAX:
        raise SequencesFileError(f"{path} is larger than {CONTENT_BYTES_MAX} bytes.")
    if sum(map(content.count, (b",", b"[", b"{"))) > VALUES_MAX:
        raise SequencesFileError(f"{path} has more than {VALUES_MAX} values.")
    document = _document(path, content)
    if _is_deep(document):
        raise _too_deep(path)
    return document


def _document(path: Path | str, content: bytes) -> object:
    try:
        return _decoded(content.decode())
    except SequenceError as error:
        raise about_sequences(path, error) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise SequencesFileError(f"{path} is not JSON: {error.msg} at {place}.") from error
    except RecursionError:
        raise _too_deep(path) from None
    except ValueError as error:
        raise SequencesFileError(f"{path} is not JSON: {error}.") from error


def _too_deep(path: Path | str) -> SequencesFileError:
    return SequencesFileError(f"{path} is nested more than {DEPTH_MAX} deep.")


def _is_deep(document: object) -> bool:
    """Whether arrays and objects stand within each other more than DEPTH_MAX deep."""
    level = [document]
    for _ in range(DEPTH_MAX):
        level = [
            it
            for one in level
            if isinstance(one, dict | list)
            for it in (one.values() if isinstance(one, dict) else one)
            if isinstance(it, dict | list)
        ]
        if not level:
            return False
    return True


def _content(path: Path) -> bytes:
    with open_regular(path) as file:
        if file.peek(2)[:2] != GZIP_START:
            return _read(file)
        with gzip.open(file) as unpacked:
            return _read(cast(IO[bytes], unpacked))


def _read(file: IO[bytes]) -> bytes:
    """No more than tells that it is too much. In pieces, for a read takes room for all that it is
    asked for, however little there is."""
    pieces, size = [], 0
    while size <= CONTENT_BYTES_MAX and (piece := file.read(PIECE_BYTES)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


class _Ambiguous(dict[str, Any]):
    """An object of the file that names a key twice: `key`, which stands in it once."""

    key = ""


def _decoded(text: str) -> object:
    """Raises SequenceError where an object names a key twice, ValueError where it is not JSON."""
    ambiguous: list[_Ambiguous] = []

    def read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        found = _Ambiguous(found)
        found.key = str(key_named_twice(pairs))
        ambiguous.append(found)
        return found

    document = json.loads(
        text, parse_constant=_refused, parse_float=_finite, object_pairs_hook=read_object
    )
    if ambiguous:
        raise _named_twice(document)
    return document


def _named_twice(document: object) -> SequenceError:
    """The refusal of the first key that an object of the document names twice."""
    left = [("", document)]
    while left:
        place, found = left.pop()
        if isinstance(found, list):
            left += [(f"{place}[{at}]", found[at]) for at in reversed(range(len(found)))]
        if isinstance(found, dict):
            fields = Fields(found, place)
            if isinstance(found, _Ambiguous):
                key = json.dumps(found.key)
                return SequenceError(f"{place or 'the file'} {NAMES_A_KEY_TWICE}: {key}")
            left += [(fields.place(name), it) for name, it in reversed(found.items())]
    raise AssertionError("what names a key twice was left out by nothing but such another")


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refused(text)


def _refused(number: str) -> NoReturn:
    raise ValueError(f"it has the number {number}")
