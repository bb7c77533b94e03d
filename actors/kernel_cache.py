"""Where compiled kernels are kept when neither the tree nor the user's home can be written to."""

import os
from pathlib import Path

from storage.servers.data_directory import private_directory
from storage.settings import ConfigurationError

VARIABLE = "NUMBA_CACHE_DIR"


def keep_kernels_somewhere() -> None:
    """Names a private temporary directory for this process and its children; before numba loads.

    Nothing is named where the user has, or where there is a usual place. Without any place each
    process compiles its kernels anew, which takes half a minute.
    """
    if os.environ.get(VARIABLE) or any(map(_is_writable, usual_places())):
        return
    try:
        os.environ[VARIABLE] = str(private_directory(f"kernels-{os.geteuid()}"))
    except (ConfigurationError, OSError):
        return


def usual_places() -> tuple[Path, Path]:
    """See sim.rows.compiling, which has them from numba."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(__file__).parents[1] / "sim" / "rows" / "__pycache__", Path(cache) / "sandpit"


def _is_writable(path: Path) -> bool:
    """Whether it can be written to, or made."""
    there = next(place for place in (path, *path.parents) if place.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
