"""What is wrong with this machine, in sentences a person can act on."""

import importlib.util
import resource
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from rich.console import Console

from actors.commands.doctor_settings import CHECKS
from actors.commands.finding import Finding, Level
from actors.processors import cores_to_use
from actors.shown import shown
from storage.settings import Settings

PYTHON_FIRST, PYTHON_AFTER_LAST = (3, 11), (3, 14)
GIGABYTE = 1 << 30
MEGABYTE = 1 << 20
MEMORY_NEEDED_GB, MEMORY_GOOD_GB = 2, 4
DISK_NEEDED_GB, DISK_GOOD_GB = 1, 5
OPEN_FILES_NEEDED, OPEN_FILES_GOOD = 1_024, 4_096
CORES_GOOD = 2
PRIVILEGED_PORTS_BELOW = 1_024
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
SHARED_MEMORY = Path("/dev/shm")
IMPORTED = ("numba", "numpy", "ray", "psycopg", "redis", "fastapi", "uvicorn")
MARKS = {
    "good": "[green]   good[/]",
    "warning": "[yellow]warning[/]",
    "problem": "[red]problem[/]",
}


def doctor(settings: Settings) -> list[Finding]:
    """One finding a thing looked at; nothing is started and nothing is left behind."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _python,
        _packages,
        _processor,
        _memory,
        _shared_memory,
        _disk,
        _port,
        _open_files,
        *CHECKS,
    )
    return [finding for check in checks for finding in check(settings)]


def run_doctor(settings: Settings) -> int:
    """Prints the findings; 0 when sandpit can run here, 1 when it cannot."""
    console = Console(highlight=False)
    findings = doctor(settings)
    for finding in findings:
        mark, subject = MARKS[finding.level], finding.subject
        console.print(f"{mark}  {subject}: {shown(finding.sentence)}", soft_wrap=True)
    problems = sum(finding.level == "problem" for finding in findings)
    console.print("sandpit can run here." if problems == 0 else f"{problems} to be solved first.")
    return 1 if problems else 0


def _graded(value: float, needed: float, good: float) -> Level:
    return "problem" if value < needed else "warning" if value < good else "good"


def _python(_: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if PYTHON_FIRST <= sys.version_info[:2] < PYTHON_AFTER_LAST:
        yield Finding("good", "Python", f"{version}.")
    else:
        yield Finding("problem", "Python", f"{version} is not 3.11, 3.12 or 3.13: install one.")


def _packages(_: Settings) -> Iterator[Finding]:
    missing = [name for name in IMPORTED if importlib.util.find_spec(name) is None]
    if missing:
        yield Finding("problem", "packages", f"{', '.join(missing)} missing: run make setup.")
    else:
        yield Finding("good", "packages", "all installed.")


def _processor(_: Settings) -> Iterator[Finding]:
    cores = cores_to_use()
    level = _graded(cores, 1, CORES_GOOD)
    advice = "" if level == "good" else "; the start takes longer than 20 s on one"
    yield Finding(level, "processor", f"{cores} cores{advice}.")


def _memory(_: Settings) -> Iterator[Finding]:
    free = psutil.virtual_memory().available
    limit = CGROUP_LIMIT.read_text().strip() if CGROUP_LIMIT.exists() else "max"
    if limit != "max":
        free = min(free, int(limit))
    level = _graded(free / GIGABYTE, MEMORY_NEEDED_GB, MEMORY_GOOD_GB)
    advice = "" if level == "good" else f"; sandpit wants {MEMORY_GOOD_GB} GB: close something"
    yield Finding(level, "memory", f"{free / GIGABYTE:.1f} GB to be had{advice}.")


def _shared_memory(settings: Settings) -> Iterator[Finding]:
    if settings.ray_address or sys.platform != "linux":  # elsewhere Ray uses files
        return
    if not SHARED_MEMORY.is_dir():
        yield Finding("problem", "shared memory", f"{SHARED_MEMORY} is absent: mount it.")
        return
    free_mb = shutil.disk_usage(SHARED_MEMORY).free // MEGABYTE
    if free_mb >= settings.object_store_mb:
        yield Finding("good", "shared memory", f"{free_mb} MB free in {SHARED_MEMORY}.")
        return
    yield Finding(
        "warning",
        "shared memory",
        f"{free_mb} MB free in {SHARED_MEMORY} and Ray wants {settings.object_store_mb} MB, so it "
        "uses the disk: enlarge it (docker run --shm-size=1g) or set SANDPIT_OBJECT_STORE_MB.",
    )


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(_nearest(settings.data_path)).free / GIGABYTE
    level = _graded(free, DISK_NEEDED_GB, DISK_GOOD_GB)
    advice = "" if level == "good" else f"; {DISK_GOOD_GB} GB would last: make room"
    yield Finding(level, "disk", f"{free:.1f} GB free for the data directory{advice}.")


def _nearest(path: Path) -> Path:
    """The directory itself, or the closest above it that exists."""
    return next(place for place in (path, *path.parents) if place.exists())


def _port(settings: Settings) -> Iterator[Finding]:
    where = f"{settings.host}:{settings.port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except PermissionError:
        low = f"ports below {PRIVILEGED_PORTS_BELOW} are for root"
        yield Finding("problem", "port", f"{where} is not allowed, {low}: choose another --port.")
    except OSError as error:
        said = (error.strerror or "unknown").lower()
        yield Finding("problem", "port", f"{where} cannot be had ({said}): choose another --port.")
    else:
        yield Finding("good", "port", f"{where} is free.")


def _open_files(_: Settings) -> Iterator[Finding]:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        limit = OPEN_FILES_GOOD
    level = _graded(limit, OPEN_FILES_NEEDED, OPEN_FILES_GOOD)
    advice = "" if level == "good" else f"; raise it with ulimit -n {OPEN_FILES_GOOD}"
    yield Finding(level, "open files", f"a process may have {limit}{advice}.")
