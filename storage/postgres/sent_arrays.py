"""What array_send of a bigint[] returns, as an array: whole columns of many rows in one value.

The format is that of PostgreSQL's array_send: dimensions, flags and element type, for each
dimension its size and lower bound, then a length and the big-endian value of each element.
"""

import numpy as np
import numpy.typing as npt

ELEMENT = np.dtype([("length", ">i4"), ("value", ">i8")])


def whole_numbers(sent: bytes) -> npt.NDArray[np.int64]:
    """The elements of a bigint[], none of them null, in the shape that it has."""
    dimensions = int.from_bytes(sent[:4], "big")
    begin = 12 + 8 * dimensions
    sizes = np.frombuffer(sent, ">i4", 2 * dimensions, offset=12)[::2]
    return np.frombuffer(sent, ELEMENT, offset=begin)["value"].astype(np.int64).reshape(sizes)
