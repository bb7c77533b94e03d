"""COMMAND rows as bytes that lie for years: what they looked like before, and how to tell.

Rows of 56 bytes were journalled before orders could wait; since then a row has 72, of which the
first 56 mean the same. Rows that are kept say which they are: behind those of 72 bytes stands one
byte more, so that what was written before stays as it was written, to the last byte and hash.
"""

import numpy as np

from sim.rows.columns import WORD_BYTES
from sim.rows.messages import COMMAND, Rows

SHORT_BYTES = 56
"""A row without expires_us and link_id; in the place of trigger_ticks stood zeros."""

MARK = b"\x02"
"""The byte behind rows of the present layout: no number of rows of 56 bytes has such a length."""


def kept_bytes(rows: Rows) -> bytes:
    """COMMAND rows as they are kept."""
    return rows.tobytes() + MARK if len(rows) else b""


def is_short(data: bytes) -> bool:
    """Whether kept bytes are rows of 56 bytes."""
    return len(data) % WORD_BYTES == 0


def kept_rows(data: bytes) -> Rows:
    """COMMAND rows that were kept, of either layout. Raises ValueError for other bytes."""
    if is_short(data):
        return widened(data)
    if data[-1:] != MARK or data == MARK:
        raise ValueError("rows of another layout")
    return np.frombuffer(data[:-1], COMMAND)


def widened(data: bytes) -> Rows:
    """Rows of 56 bytes as COMMAND rows. Raises ValueError for what is no whole number of them."""
    short = np.frombuffer(data, np.uint8).reshape(-1, SHORT_BYTES)
    rows = np.zeros((len(short), COMMAND.itemsize), np.uint8)
    rows[:, :SHORT_BYTES] = short
    return rows.reshape(-1).view(COMMAND)


def narrowed(rows: Rows) -> bytes:
    """The rows of 56 bytes that were `widened`."""
    return rows.view(np.uint8).reshape(-1, COMMAND.itemsize)[:, :SHORT_BYTES].tobytes()
