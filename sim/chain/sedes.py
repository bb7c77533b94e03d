"""Shapes of RLP that transactions, receipts and headers share."""

from typing import Any

import rlp
from rlp.sedes import Binary, CountableList, List, binary

from sim.chain.addresses import ADDRESS_BYTES

ADDRESS = Binary.fixed_length(ADDRESS_BYTES)
HASH = Binary.fixed_length(32)
LOGS = CountableList(List((ADDRESS, CountableList(HASH), binary)))
DYNAMIC_FEE_TYPE = b"\x02"
"""The byte before a transaction of EIP-1559 and its receipt (EIP-2718)."""


def typed(fields: Any, shape: List) -> bytes:
    encoded: bytes = rlp.encode(fields, shape)
    return DYNAMIC_FEE_TYPE + encoded


def untyped(raw: bytes, shape: List) -> Any:
    """The fields. Raises ValueError where it is of another type or shape, or not canonical."""
    if raw[:1] != DYNAMIC_FEE_TYPE:
        raise ValueError("Only type 2 is known: it begins with the byte 0x02.")
    return fields_of(raw[1:], shape)


def fields_of(raw: bytes, shape: List) -> Any:
    """Raises ValueError where it is not canonical, or of another shape.

    The library follows lists into lists before it looks at their shape, until Python stops it.
    """
    try:
        return rlp.decode(raw, shape)
    except (rlp.exceptions.RLPException, RecursionError) as failed:
        raise ValueError(f"Not the RLP that is expected: {failed}") from failed
