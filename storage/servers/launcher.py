"""Runs one server and outlives nobody: python -I -S launcher.py PLAN, PLAN in JSON.

Standard input is a pipe whose other end the owner holds. When it closes, because the owner
asked for a stop or was killed, the server gets its stop signal, and SIGKILL if that is not
enough. Standard library only: it starts in some twenty milliseconds.
"""

import ctypes
import json
import os
import select
import signal
import sys
import time
from typing import Any

CLONE_NEWUSER = 0x1000_0000
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
OWNER_POLL_S = 1.0
REAP_POLL_S = 0.02
EXIT_NOT_STARTED = 125


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def map_to(libc: Any, uid: int, gid: int) -> None:
    """A user namespace in which our own user, who has no name, is called uid."""
    own_uid, own_gid = os.geteuid(), os.getegid()
    _check(libc.unshare(CLONE_NEWUSER))
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {own_uid} 1"),
        ("gid_map", f"{gid} {own_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)


def drop_to(_: Any, uid: int, gid: int) -> None:
    """Root becomes another user for good: every capability goes with the number."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_launcher(libc: Any, stop_signal: int) -> None:
    """Linux tells the server when its launcher is gone, and gives it no more rights than it has.

    Elsewhere a launcher that is killed leaves its server, which the next start ends.
    """
    if sys.platform == "linux":
        _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _check(libc.prctl(PR_SET_PDEATHSIG, stop_signal, 0, 0, 0))


def become_server(plan: dict[str, Any], launcher: int) -> None:
    """Never returns. The death signal comes last: a change of user forgets it.

    Where the server stands and what it reads first are opened before: afterwards the way there
    may be closed to it. Without a command this only tries who it may become.
    """
    os.chdir(plan["cwd"])
    os.dup2(os.open(plan["stdin"], os.O_RDONLY), 0)
    libc = ctypes.CDLL(None, use_errno=True)
    how = {"same": None, "map": map_to, "drop": drop_to}[plan["identity"]]
    if how is not None:
        how(libc, plan["uid"], plan["gid"])
    if not plan["argv"]:
        os._exit(0)
    die_with_launcher(libc, plan["stop_signal"])
    if os.getppid() not in (launcher, 0):
        os._exit(EXIT_NOT_STARTED)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.execv(plan["argv"][0], plan["argv"])


def start(plan: dict[str, Any]) -> int:
    launcher = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            become_server(plan, launcher)
        except (OSError, AttributeError) as error:  # a libc without unshare has no such attribute
            sys.stderr.write(f"{' '.join(plan['argv'][:1])} was not started: {error}\n")
            sys.stderr.flush()
        os._exit(EXIT_NOT_STARTED)
    return child


def ended(child: int) -> int | None:
    """The exit code of a child that has ended, 128 and more for a signal."""
    found, status = os.waitpid(child, os.WNOHANG)
    if found == 0:
        return None
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def watch(child: int, owner: int) -> int | None:
    """Returns the child's exit code, or None when the owner wants it stopped or is gone."""
    bell_out, bell_in = os.pipe()
    os.set_blocking(bell_in, False)
    signal.set_wakeup_fd(bell_in, warn_on_full_buffer=False)
    stopping: list[int] = []
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        code = ended(child)
        if code is not None:
            return code
        ready, _, _ = select.select([0, bell_out], [], [], OWNER_POLL_S)
        if bell_out in ready:
            os.read(bell_out, 64)
        if stopping or 0 in ready or os.getppid() != owner:
            return None


def stop(child: int, stop_signal: int, timeout_s: float) -> int:
    os.kill(child, stop_signal)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        code = ended(child)
        if code is not None:
            return code
        time.sleep(REAP_POLL_S)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 128 + signal.SIGKILL


def main() -> int:
    plan = json.loads(sys.argv[1])
    owner = os.getppid()
    child = start(plan)
    code = watch(child, owner)
    return stop(child, plan["stop_signal"], plan["stop_timeout_s"]) if code is None else code


if __name__ == "__main__":
    sys.exit(main())
