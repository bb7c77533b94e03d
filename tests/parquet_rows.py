"""What a run has left in Parquet."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from arro3.io import read_parquet


def read_rows(path: Path) -> dict[str, npt.NDArray[np.int64]]:
    """The columns of a file, whole."""
    batches = list(read_parquet(path))
    names = batches[0].schema.names if batches else []
    return {name: np.concatenate([one[name].to_numpy() for one in batches]) for name in names}
