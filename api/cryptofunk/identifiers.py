"""Ids as this family's clients see them: UUIDs that are the exchange's own numbers, and back.

A UUID of version 8, whose bits are its maker's to choose (RFC 9562):

    53616e64 | kind, 8 bits | 00 | 8 | within, 12 bits | variant | number, 62 bits

So it is the same for ever, and what another maker has made is nobody's id here.
"""

from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

from sim.refusals import Refusal, Refused

PREFIX = int.from_bytes(b"Sand")
NUMBER_BITS, WITHIN_BITS = 62, 12
VERSION, VARIANT = 8, 0b10


class IdKind(IntEnum):
    """What a UUID is the id of."""

    ORDER = 1
    FILL = 2
    POSITION = 3


class Named(NamedTuple):
    """A thing of the exchange: its number, and for a position its market's ordinal."""

    number: int
    within: int = 0


def uuid_of(kind: IdKind, number: int, within: int = 0) -> UUID:
    """The id of a thing of the exchange."""
    assert 0 < number < 1 << NUMBER_BITS
    assert 0 <= within < 1 << WITHIN_BITS
    high = PREFIX << 32 | kind << 24 | VERSION << WITHIN_BITS | within
    return UUID(int=high << 64 | VARIANT << NUMBER_BITS | number)


def named_by(kind: IdKind, told: UUID) -> Named | None:
    """And back; None for an id of anything else."""
    high, low = divmod(told.int, 1 << 64)
    found = Named(low % (1 << NUMBER_BITS), high % (1 << WITHIN_BITS))
    if not found.number:
        return None
    return found if uuid_of(kind, *found) == told else None


def read_uuid(text: str, brief: str) -> UUID:
    """The UUID that is written. Raises Refused in these few words."""
    try:
        told = UUID(text)
    except ValueError:
        told = None
    if told is None or str(told) != text.lower():
        raise Refused(Refusal.INVALID_REQUEST, "", {"brief": brief})
    return told
