"""Kernels that several threads compile at once, each made of parts that the others need too."""

import subprocess
import sys
from pathlib import Path

PARTS, THREADS = 12, 6
WAIT_S_MAX = 120
COMPILED_AT_ONCE = f"""
import threading
import many_parts

def work(number):
    found.append(getattr(many_parts, f"kernel_{{number}}")(1))

found, threads = [], [threading.Thread(target=work, args=[n]) for n in range({THREADS})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(found)
"""


def many_parts() -> str:
    """A module of parts, and of kernels that need all of them, each in another order."""
    lines = ["from sim.rows.kernels import cached_kernel, inlined"]
    for part in range(PARTS):
        lines += ["@inlined", f"def part_{part}(x):", f"    return x + {part}"]
    for kernel in range(THREADS):
        lines += ["@cached_kernel()", f"def kernel_{kernel}(x):"]
        lines += [f"    x = part_{(5 * kernel + part) % PARTS}(x)" for part in range(PARTS)]
        lines += ["    return x"]
    return "\n".join(lines)


def test_threads_that_compile_at_once_do_not_wait_for_each_other_for_ever(tmp_path: Path) -> None:
    (tmp_path / "many_parts.py").write_text(many_parts())
    path = {"PYTHONPATH": f"{Path.cwd()}:{tmp_path}"}
    ran = subprocess.run(
        [sys.executable, "-c", COMPILED_AT_ONCE],
        env=path,
        capture_output=True,
        text=True,
        timeout=WAIT_S_MAX,
        check=True,
    )
    assert ran.stdout.strip() == str([1 + sum(range(PARTS))] * THREADS)
