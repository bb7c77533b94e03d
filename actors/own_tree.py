"""Our own modules: how another process is made to load them, and no folder of the same name."""

import sys
from importlib.util import find_spec
from pathlib import Path

from storage.settings import ConfigurationError

TREE = Path(__file__).resolve().parents[1]
"""Where the rooms are: a checkout, or an environment's site-packages."""

ROOMS = ("actors", "api", "sim", "storage")


def command(module: str, *arguments: object) -> list[str]:
    """A process of ours. -P: the folder that it is started in is nowhere to look for modules."""
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]


def refuse_namesakes() -> None:
    """Raises ConfigurationError where a room would be taken from somebody else's folder."""
    for room in ROOMS:
        place = _place(room)
        if place != TREE / room:
            raise ConfigurationError(
                f"{place} would be taken for sandpit's own {room}: take {place.parent} off "
                "PYTHONPATH, or start sandpit by its command (not python -m) or from elsewhere."
            )


def _place(room: str) -> Path:
    """What an import of the room finds first: a folder, or a module of that name."""
    spec = find_spec(room)
    assert spec is not None, f"{room} is part of every install"
    found = list(spec.submodule_search_locations or ()) or [str(spec.origin)]
    return Path(found[0]).resolve()
