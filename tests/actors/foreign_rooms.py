"""Folders that are called like our rooms, each of whose modules tells when it is loaded."""

import sys
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("sandpit"))
"""As installed: what is started by it finds our rooms wherever it is started."""

MODULES = (
    *("actors/__init__", "actors/live/__init__", "actors/live/market", "actors/cluster/remote"),
    *("actors/simulate/recorder_process", "api/__init__", "api/server", "api/door/__init__"),
    *("sim/__init__", "sim/rows/__init__", "sim/book/engine", "storage/__init__"),
    *("storage/settings", "storage/postgres/__init__", "storage/postgres/database"),
)
CANARY = "open(__import__('os').environ['CANARY'], 'a').write(__name__ + chr(10))\n"


def foreign_rooms(place: Path) -> Path:
    """A directory with such rooms; what they tell stands in the file that CANARY names."""
    for name in MODULES:
        path = place / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CANARY)
    return place
