"""Bytes as text: 0x and two hexadecimal digits a byte, in any case."""

import re

DIGITS = re.compile(r"(0[xX])?([0-9a-fA-F]*)")


def as_hex(some: bytes) -> str:
    """In lower case."""
    return f"0x{some.hex()}"


def bytes_of_hex(text: str, length_bytes: int, *, needs_prefix: bool = True) -> bytes | None:
    """None where it is not exactly so many bytes: bytes.fromhex alone would take spaces."""
    digits_max = 2 * length_bytes
    if not digits_max <= len(text) <= digits_max + 2:
        return None
    found = DIGITS.fullmatch(text)
    if found is None or len(found[2]) != digits_max or (needs_prefix and not found[1]):
        return None
    return bytes.fromhex(found[2])
