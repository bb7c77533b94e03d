"""Logs of pools that ship with the package, by their names."""

from pathlib import Path

import sim.backtest.log

SHIPPED_DIRECTORY = Path(sim.backtest.log.__file__).parents[1] / "swap_logs"
ENDING = ".csv.gz"


def shipped_logs() -> list[str]:
    """The names that need no file."""
    return sorted(path.name.removesuffix(ENDING) for path in SHIPPED_DIRECTORY.glob(f"*{ENDING}"))


def shipped_log(name: str) -> Path | None:
    """The file of a log that ships; None where there is none of this name."""
    return SHIPPED_DIRECTORY / f"{name}{ENDING}" if name in shipped_logs() else None
