"""Arrays as the stream that PostgreSQL's binary COPY reads, without a loop over rows.

The format is that of the PostgreSQL manual, COPY, "Binary Format": each row is a count of
fields, then a length and the big-endian value of each.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
BYTES = {"smallint": 2, "integer": 4, "bigint": 8}

Values = Mapping[str, npt.NDArray[np.int64] | int]


class CopyRows:
    """Rows of one table: its columns by name, each a smallint, an integer or a bigint."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns = tuple(columns)
        self._widths = {name: BYTES[kind] for name, kind in columns.items()}
        fields: list[tuple[str, str]] = [("", ">i2")]
        for name, width in self._widths.items():
            fields += [(f"{name} length", ">i4"), (name, f">i{width}")]
        self._row = np.dtype([(name or "fields", kind) for name, kind in fields])
        self._blank = np.zeros(1, self._row)
        self._blank["fields"] = len(columns)
        for name, width in self._widths.items():
            self._blank[f"{name} length"] = width

    def encoded(self, values: Values, count: int) -> memoryview:
        """The stream's bytes of `count` rows, without header and trailer.

        values   an int64 array (count,), or one number for all rows, of every column

        Raises OverflowError where a value does not fit its column.
        """
        rows = np.empty(count, self._row)
        whole = f"V{self._row.itemsize}"
        rows.view(whole)[:] = self._blank.view(whole)
        for name, width in self._widths.items():
            self._fill(rows, name, width, values[name])
        return rows.view(np.uint8).data

    def _fill(
        self, rows: npt.NDArray[np.void], name: str, width: int, given: npt.NDArray[np.int64] | int
    ) -> None:
        """Whole words are moved: assigning to unaligned big-endian fields is five times slower."""
        numbers = np.ascontiguousarray(np.broadcast_to(given, len(rows)), np.int64)
        most = 1 << (8 * width - 1)
        if width < 8 and len(rows) and not -most <= numbers.min() <= numbers.max() < most:
            raise OverflowError(f"a value of {name} does not fit {width} bytes")
        words = numbers.astype(f">i{width}").view(f"V{width}")
        offset = self._row.fields[name][1] if self._row.fields else 0
        column = np.ndarray((len(rows),), f"V{width}", rows, offset, (self._row.itemsize,))
        column[:] = words
