"""Sums of int64 values that may be longer than 64 bits."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

VOLUME_ATOMS_MAX = 2**63 - 1
"""Turnover is told up to here; nobody is owed it."""


def saturated_sum(volumes: Sequence[Integers]) -> Integers:
    """Arrays of volumes added up, each sum told up to VOLUME_ATOMS_MAX."""
    total = np.zeros_like(volumes[0])
    for volume in volumes:
        total += np.minimum(volume, VOLUME_ATOMS_MAX - total)
    return total


def exact_sum(values: Integers) -> int:
    """The sum of int64 values, which may itself be longer than 64 bits (up to 2**31 values)."""
    high, low = values >> 32, values & 0xFFFFFFFF
    return (int(high.sum()) << 32) + int(low.sum())
