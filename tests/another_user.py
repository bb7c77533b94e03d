"""What an ordinary user meets, for tests that root runs."""

import os
import pwd
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from storage.servers.server_programs import is_open_to_all

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
NOBODY = "nobody"
TREE = Path(__file__).parents[1] / "storage"


def printed_by_nobody(script: str, *arguments: str) -> str:
    """What the script prints as a user without a home; skips where that user cannot read it all."""
    if not all(map(is_open_to_all, (Path(sys.executable), TREE))):
        pytest.skip("this checkout or its Python is closed to others")
    user = pwd.getpwnam(NOBODY)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
