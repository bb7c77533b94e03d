"""A loop that has ended or hangs says so; a log that cannot be written does not keep it alive."""

import subprocess
import sys
import threading
from pathlib import Path

from actors.loop import Loop, stall_of_process
from tests.waiting import eventually


def test_a_loop_that_beats_no_more_is_a_stall_until_it_beats() -> None:
    released = threading.Event()
    rounds = threading.Event()

    def work() -> None:
        loop.beat()
        released.wait(10)
        while not loop.stopping.wait(0.001):
            loop.beat()
            rounds.set()

    loop = Loop("hanging", work, silent_s_max=0.2)
    loop.start()
    eventually(lambda: "hanging has been at one thing" in (loop.stall() or ""))
    assert loop.stall() == stall_of_process() or "hanging" in (stall_of_process() or "")
    released.set()
    assert rounds.wait(10)
    eventually(lambda: loop.stall() is None)
    assert loop.stop(10)
    assert loop.stall() is None


def test_work_that_is_done_is_no_stall() -> None:
    loop = Loop("done", lambda: None, silent_s_max=0.0)
    loop.start()
    assert loop.stop(10)
    again = Loop("returns", lambda: None, silent_s_max=0.0)
    again.start()
    eventually(lambda: again.stall() is None)


DYING = """
import sys, structlog
from actors.loop import Loop
from actors.logs import log_to_file

class Full:
    def write(self, text): raise OSError(28, "No space left on device")
    def flush(self): pass

def broken():
    raise ValueError("a bug")

if sys.argv[1] == "raising":
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(Full()))
else:
    log_to_file(sys.argv[1], "dying", "info")
loop = Loop("dying", broken)
loop.start()
loop.stop(20)
print("still here")
"""


def test_a_bug_ends_the_process_where_nothing_can_be_logged(tmp_path: Path) -> None:
    (tmp_path / "dying.log").symlink_to("/dev/full")
    for where in ("raising", str(tmp_path)):
        ended = subprocess.run(
            [sys.executable, "-c", DYING, where], capture_output=True, text=True, timeout=60
        )
        assert (ended.returncode, ended.stdout) == (1, "")
