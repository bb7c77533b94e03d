"""A book's visible levels as bytes and back."""

import numpy as np
import numpy.typing as npt

LEVELS_MAX = 100
"""Levels a side that a market publishes: what the order book shows and MARKET orders count on."""


def levels_from_bytes(data: bytes) -> npt.NDArray[np.int64]:
    """Bytes of market_views to levels, shape (n, 3): ticks, lots, orders; best first."""
    return np.frombuffer(data, dtype="<i8").reshape(-1, 3)


def levels_to_bytes(levels: npt.NDArray[np.int64]) -> bytes:
    """Levels to the bytes of market_views."""
    return np.ascontiguousarray(levels[:LEVELS_MAX], dtype="<i8").tobytes()
