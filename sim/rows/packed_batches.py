"""A run of journalled batches in a tenth of their size, and back to the last byte.

Nearly all of a batch can be told from what stands beside it: numbers go up by one, an event
repeats the order, account and price of its cause. So each column is written as what differs from
that guess, byte by byte of the words, where zlib finds long runs of nothing.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.rows.columns import (
    COMMAND_ACCOUNT,
    COMMAND_CODES,
    COMMAND_LOTS,
    COMMAND_ORDER,
    COMMAND_TIME,
    COMMAND_WORDS,
    EVENT_ACCOUNT,
    EVENT_CAUSE,
    EVENT_CODES,
    EVENT_LOTS,
    EVENT_ORDER,
    EVENT_TIME,
    EVENT_WORDS,
    PRICE_BITS_MASK,
    WORD_BYTES,
    command_kind_of,
)
from sim.rows.layouts import (
    SHORT_BYTES,
    is_short,
    kept_bytes,
    kept_rows,
    narrowed,
    widened,
)
from sim.rows.messages import COMMAND, EVENT, CommandKind, joined

Integers = npt.NDArray[np.int64]

FORMAT, SHORT_FORMAT = 2, 1
"""Of packs with batches of either layout, and of those from before there were two."""

LEVEL = 6
SHORT_WORDS, ABOUT_WORDS, SHORT_ABOUT_WORDS = SHORT_BYTES // WORD_BYTES, 7, 6
REPEATED = (
    (EVENT_TIME, COMMAND_TIME),
    (EVENT_ORDER, COMMAND_ORDER),
    (EVENT_ACCOUNT, COMMAND_ACCOUNT),
    (EVENT_LOTS, COMMAND_LOTS),
)
"""What an event takes over from its cause, more often than not."""


@dataclass(frozen=True)
class JournalBatch:
    """A row of the journal, without its place in the hash chain."""

    batch_no: int
    epoch: int
    command_seq: int
    event_seq: int
    time_us: int
    strategies: dict[int, int]
    inputs: bytes
    events: bytes


def packed(batches: Sequence[JournalBatch]) -> bytes:
    """The batches, contiguous and at least one, as bytes."""
    inputs = _words(joined([kept_rows(one.inputs) for one in batches]).tobytes(), COMMAND_WORDS)
    events = _words(b"".join(batch.events for batch in batches), EVENT_WORDS)
    about = np.array([_about(batch) for batch in batches], np.int64)
    seated = _seats([batch.strategies for batch in batches])
    head = [FORMAT, batches[0].batch_no, len(batches), len(seated), len(inputs), len(events)]
    parts = [
        np.array(head, "<i8").tobytes(),
        _planes(_steps(about)),
        _planes(seated),
        _planes(_told_inputs(inputs)),
        _planes(_told_events(events, inputs)),
    ]
    return zlib.compress(b"".join(parts), LEVEL)


def unpacked(data: bytes) -> list[JournalBatch]:
    """The batches again. Raises ValueError for bytes that `packed` has not made."""
    try:
        raw = zlib.decompress(data)
        form, first, count, seats, commands, facts = _head(raw)
        parts = _Parts(raw)
        about = _about_again(parts, count, form)
        strategies = _unseated(parts.take(seats, 3), count)
        inputs = _commands_again(parts, commands, form)
        events = _events_again(parts.take(facts, EVENT_WORDS), inputs)
    except (zlib.error, IndexError, OverflowError) as error:
        raise ValueError(f"not packed batches: {error}") from error
    rows = about.tolist()
    input_parts = [
        _kept(data, short=bool(row[6]))
        for data, row in zip(
            _cut(inputs, [row[4] for row in rows], COMMAND.itemsize), rows, strict=True
        )
    ]
    event_parts = _cut(events, [row[5] for row in rows], EVENT.itemsize)
    return [
        JournalBatch(first + n, *_told(row), strategies[n], input_parts[n], event_parts[n])
        for n, row in enumerate(rows)
    ]


def _about(batch: JournalBatch) -> tuple[int, ...]:
    sizes = len(kept_rows(batch.inputs)), len(batch.events) // EVENT.itemsize
    told = (batch.epoch, batch.command_seq, batch.event_seq, batch.time_us, *sizes)
    return *told, int(is_short(batch.inputs))


def _told(row: list[int]) -> tuple[int, int, int, int]:
    epoch, command_seq, event_seq, time_us = row[:4]
    return epoch, command_seq, event_seq, time_us


def _about_again(parts: "_Parts", count: int, form: int) -> Integers:
    """(count, ABOUT_WORDS); the last column says which batches hold short rows."""
    if form == FORMAT:
        return np.cumsum(parts.take(count, ABOUT_WORDS), axis=0)
    about = np.cumsum(parts.take(count, SHORT_ABOUT_WORDS), axis=0)
    return np.hstack([about, np.ones((count, 1), np.int64)])


def _commands_again(parts: "_Parts", count: int, form: int) -> Integers:
    """Words of COMMAND rows, whatever rows were packed."""
    if form == FORMAT:
        return _inputs_again(parts.take(count, COMMAND_WORDS))
    short = _inputs_again(parts.take(count, SHORT_WORDS))
    return _words(widened(short.astype("<i8").tobytes()).tobytes(), COMMAND_WORDS)


def _kept(data: bytes, short: bool) -> bytes:
    """Bytes of COMMAND rows as their batch kept them."""
    rows = np.frombuffer(data, COMMAND)
    return narrowed(rows) if short else kept_bytes(rows)


def _head(raw: bytes) -> list[int]:
    head: list[int] = np.frombuffer(raw, "<i8", 6).tolist()
    if head[0] not in (FORMAT, SHORT_FORMAT) or min(head[2:]) < 0:
        raise ValueError("batches packed in another format")
    return head


class _Parts:
    """Reads arrays one after the other."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 6 * 8

    def take(self, rows: int, words: int) -> Integers:
        size = rows * words * 8
        part = self._raw[self._at : self._at + size]
        self._at += size
        if len(part) != size:
            raise ValueError("packed batches that end too early")
        planes = np.frombuffer(part, np.uint8).reshape(words, 8, rows)
        found = np.ascontiguousarray(planes.transpose(2, 0, 1)).view("<i8")
        return found.reshape(rows, words).astype(np.int64, copy=True)


def _words(data: bytes, words: int) -> Integers:
    return np.frombuffer(data, "<i8").reshape(-1, words)


def _planes(words: Integers) -> bytes:
    """Column by column, and in it byte by byte of all rows."""
    rows, columns = words.shape
    flat = np.ascontiguousarray(words.astype("<i8")).view(np.uint8).reshape(rows, columns, 8)
    return flat.transpose(1, 2, 0).tobytes()


def _steps(column: Integers) -> Integers:
    """Differences from row to row, the first from 0."""
    return np.diff(column, axis=0, prepend=np.zeros_like(column[:1]))


def _places(inputs: Integers) -> npt.NDArray[np.bool_]:
    kinds: Integers = command_kind_of(inputs[:, COMMAND_CODES])
    places: npt.NDArray[np.bool_] = kinds == int(CommandKind.PLACE)
    return places


def _told_inputs(inputs: Integers) -> Integers:
    """New orders count on from each other; times stand still or move on."""
    told, places = inputs.copy(), _places(inputs)
    told[:, COMMAND_TIME] = _steps(inputs[:, COMMAND_TIME])
    told[places, COMMAND_ORDER] = _steps(inputs[places, COMMAND_ORDER])
    return told


def _inputs_again(told: Integers) -> Integers:
    places = _places(told)
    told[:, COMMAND_TIME] = np.cumsum(told[:, COMMAND_TIME])
    told[places, COMMAND_ORDER] = np.cumsum(told[places, COMMAND_ORDER])
    return told


def _causes(events: Integers, inputs: Integers) -> Integers:
    """The input of each event, or a neighbour of it: any guess will do, if it is made twice."""
    if not len(events) or not len(inputs):
        return np.zeros((len(events), COMMAND_WORDS), np.int64)
    since_first = events[:, EVENT_CAUSE] - events[0, EVENT_CAUSE]
    causes: Integers = inputs[np.clip(since_first, 0, len(inputs) - 1)]
    return causes


def _told_events(events: Integers, inputs: Integers) -> Integers:
    told, causes = events.copy(), _causes(events, inputs)
    for own, cause in REPEATED:
        told[:, own] ^= causes[:, cause]
    told[:, EVENT_CODES] ^= causes[:, COMMAND_CODES] & PRICE_BITS_MASK
    told[:, : EVENT_CAUSE + 1] = _steps(events[:, : EVENT_CAUSE + 1])
    return told


def _events_again(told: Integers, inputs: Integers) -> Integers:
    told[:, : EVENT_CAUSE + 1] = np.cumsum(told[:, : EVENT_CAUSE + 1], axis=0)
    causes = _causes(told, inputs)
    for own, cause in REPEATED:
        told[:, own] ^= causes[:, cause]
    told[:, EVENT_CODES] ^= causes[:, COMMAND_CODES] & PRICE_BITS_MASK
    return told


def _cut(words: Integers, sizes: list[int], itemsize: int) -> list[bytes]:
    """Rows as bytes, a part for each batch."""
    data = memoryview(words.astype("<i8").tobytes())
    ends = np.cumsum(sizes) * itemsize
    if len(data) != (int(ends[-1]) if len(ends) else 0) or min(sizes, default=0) < 0:
        raise ValueError("packed batches whose sizes do not add up")
    return [
        bytes(data[end - n * itemsize : end]) for end, n in zip(ends.tolist(), sizes, strict=True)
    ]


def _seats(strategies: Sequence[dict[int, int]]) -> Integers:
    """(place of the batch, strategy, batch number of the strategy since its last): (n, 3)."""
    rows: list[tuple[int, int, int]] = []
    last: dict[int, int] = {}
    for place, applied in enumerate(strategies):
        for number, batch_no in applied.items():
            rows.append((place, number, batch_no - last.get(number, 0)))
            last[number] = batch_no
    found = np.array(rows, np.int64).reshape(-1, 3)
    found[:, 0] = _steps(found[:, 0])
    return found


def _unseated(seated: Integers, count: int) -> list[dict[int, int]]:
    strategies: list[dict[int, int]] = [{} for _ in range(count)]
    last: dict[int, int] = {}
    place = 0
    for step, number, since in seated.tolist():
        place += step
        last[number] = last.get(number, 0) + since
        strategies[place][number] = last[number]
    return strategies
