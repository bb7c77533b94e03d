"""Where a simulation's results come from: what asked for them, which sandpit, and when."""

import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import version

from sim.record.run import Origin


def sandpit_version() -> str:
    """Of the sandpit that runs."""
    return version("sandpit")


def command_line() -> str:
    """This process's own, as a shell would take it again."""
    return shlex.join(["sandpit", *sys.argv[1:]])


def origin_of(command: str) -> Origin:
    """Of results that are made now."""
    made_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Origin(command, sandpit_version(), made_at)
