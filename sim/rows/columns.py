"""COMMAND and EVENT rows by the names of their columns, where they are no structured rows.

Kernels take them as words, int64 (n, COMMAND_WORDS) and (n, EVENT_WORDS), for a word is one load
or store: words have names here. Columns of less than a word share one with others, from which
functions take them. Python that goes through rows one by one takes tuples: see `event_places`.
"""

import numpy as np

from sim.rows.kernels import Number, inlined, rule
from sim.rows.messages import COMMAND, EVENT

WORD_BYTES = 8
COMMAND_WORDS, EVENT_WORDS = COMMAND.itemsize // WORD_BYTES, EVENT.itemsize // WORD_BYTES


def offset_of(row: np.dtype[np.void], column: str) -> int:
    """The byte of a row with which a column begins."""
    assert row.fields is not None
    return int(row.fields[column][1])


def word_of(row: np.dtype[np.void], column: str) -> int:
    """The word of a row that a column is, or is a part of."""
    return offset_of(row, column) // WORD_BYTES


def bit_of(row: np.dtype[np.void], column: str) -> int:
    """The bit of its word with which a column begins."""
    return offset_of(row, column) % WORD_BYTES * 8


COMMAND_NUMBER, COMMAND_TIME, COMMAND_ORDER, COMMAND_ACCOUNT, COMMAND_LOTS = (
    word_of(COMMAND, column)
    for column in ("command_seq", "time_us", "order_id", "account_id", "quantity_lots")
)
COMMAND_CODES, COMMAND_FLAGS, COMMAND_EXPIRES, COMMAND_LINK = (
    word_of(COMMAND, column) for column in ("price_ticks", "flags", "expires_us", "link_id")
)
"""CODES are price, kind, side, type and time in force; FLAGS what follows them, to the trigger."""

EVENT_NUMBER, EVENT_CAUSE, EVENT_TIME, EVENT_ORDER, EVENT_ACCOUNT = (
    word_of(EVENT, column)
    for column in ("event_seq", "input_seq", "time_us", "order_id", "account_id")
)
EVENT_MAKER_ORDER, EVENT_MAKER, EVENT_LOTS, EVENT_CODES = (
    word_of(EVENT, column)
    for column in ("maker_order_id", "maker_account_id", "quantity_lots", "price_ticks")
)
"""CODES are price, kind, reason, side and flags."""

BYTE = 0xFF
PRICE_MASK, PRICE_BITS_MASK = 0x7FFF_FFFF, 0xFFFF_FFFF
"""Of the lower half of CODES: a price that is not below 0, and its bits whatever it is."""

KIND_BIT, REASON_BIT, SIDE_BIT, FLAGS_BIT = (
    bit_of(EVENT, column) for column in ("kind", "reason", "side", "flags")
)
(
    COMMAND_KIND_BIT,
    COMMAND_SIDE_BIT,
    COMMAND_TYPE_BIT,
    COMMAND_FORCE_BIT,
    COMMAND_FLAGS_BIT,
    COMMAND_LEVERAGE_BIT,
) = (
    bit_of(COMMAND, column)
    for column in ("kind", "side", "order_type", "time_in_force", "flags", "leverage")
)


@rule
def price_of(codes: Number) -> Number:
    """price_ticks in the CODES of an EVENT, packed or not; takes arrays too, as those below do."""
    return codes & PRICE_MASK


@rule
def kind_of(codes: Number) -> Number:
    """kind in the CODES of an EVENT."""
    return (codes >> KIND_BIT) & BYTE


@rule
def reason_of(codes: Number) -> Number:
    """reason in the CODES of an EVENT."""
    return (codes >> REASON_BIT) & BYTE


@rule
def side_of(codes: Number) -> Number:
    """side in the CODES of an EVENT."""
    return (codes >> SIDE_BIT) & BYTE


@rule
def flags_of(codes: Number) -> Number:
    """flags in the CODES of an EVENT."""
    return (codes >> FLAGS_BIT) & BYTE


def command_kind_of(codes: Number) -> Number:
    """kind in the CODES of COMMANDs, an array of them."""
    return (codes >> COMMAND_KIND_BIT) & BYTE


@inlined
def event_codes(price_ticks: int, kind: int, reason: int, side: int, flags: int) -> Number:
    """The CODES of an EVENT."""
    low = np.int64(price_ticks) & PRICE_BITS_MASK
    codes = np.int64(kind) | (np.int64(reason) << REASON_BIT - KIND_BIT)
    codes |= np.int64(side) << SIDE_BIT - KIND_BIT
    return low | ((codes | (np.int64(flags) << FLAGS_BIT - KIND_BIT)) << KIND_BIT)


@inlined
def command_codes(
    price_ticks: int, kind: int, side: int, order_type: int, time_in_force: int
) -> Number:
    """The CODES of a COMMAND with a price that is not below 0."""
    about = (kind << COMMAND_KIND_BIT) | (side << COMMAND_SIDE_BIT)
    about |= (order_type << COMMAND_TYPE_BIT) | (time_in_force << COMMAND_FORCE_BIT)
    return price_ticks | about


@inlined
def command_flags(flags: int, leverage: int) -> Number:
    """The FLAGS of a COMMAND without status, reason and trigger."""
    return (flags << COMMAND_FLAGS_BIT) | (leverage << COMMAND_LEVERAGE_BIT)


def event_places(columns: str) -> tuple[int, ...]:
    """The places of columns, named with spaces between, in an EVENT row of `tolist`."""
    assert EVENT.names is not None
    return tuple(map(EVENT.names.index, columns.split()))
