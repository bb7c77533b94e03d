"""What array_send of a bigint[] returns, as an array: whole columns of many rows in one value.

The format is that of PostgreSQL's array_send: dimensions, flags and element type, for each
dimension its size and lower bound, then a length and the big-endian value of each element.
"""

import numpy as np
import numpy.typing as npt

HEADER_BYTES = 20
"""Of an array with one dimension."""

ELEMENT = np.dtype([("length", ">i4"), ("value", ">i8")])


def whole_numbers(sent: bytes) -> npt.NDArray[np.int64]:
    """The elements of a bigint[] of one dimension, none of them null, shape (n,)."""
    return np.frombuffer(sent, ELEMENT, offset=HEADER_BYTES)["value"].astype(np.int64)
