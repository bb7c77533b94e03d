"""What is said of bytes that should be a market's state, and how their rows are looked at."""

import numpy as np
import numpy.typing as npt

PRICE_TICKS_MAX, SEQUENCE_MAX = 2**31 - 1, 2**62


class DamagedState(ValueError):
    """Bytes that should be a market's state cannot be one. The message is one sentence."""


def refuse_unless(holds: object, what: str) -> None:
    if not holds:
        raise DamagedState(f"the snapshot is damaged: {what}")


def within(values: npt.NDArray[np.integer], least: int, most: int) -> bool:
    return len(values) == 0 or bool(values.min() >= least and values.max() <= most)


def all_differ(values: npt.NDArray[np.integer]) -> bool:
    return len(np.unique(values)) == len(values)
