"""A process does not outlive the tasks that it cannot be without."""

import subprocess
import sys

import pytest

PROCESS = """
import asyncio
from storage.vital_tasks import started_vital

async def work():
    await asyncio.sleep(0)
    {work}

async def main():
    task = started_vital(work(), "reader")
    {then}
    await asyncio.sleep(0.1)
    print("lives", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("work", "then", "code", "said"),
    [
        ("raise ValueError('a bug')", "pass", 1, "vital_task_failed"),
        ("await asyncio.sleep(60)", "task.cancel()", 0, "lives"),
    ],
)
def test_what_breaks_ends_the_process_and_what_is_stopped_does_not(
    work: str, then: str, code: int, said: str
) -> None:
    text = PROCESS.format(work=work, then=then)
    command = [sys.executable, "-c", text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    assert said in done.stdout
    assert ("reader" in done.stdout) == (code == 1)
