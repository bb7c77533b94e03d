"""An API process has no compiler in it: numba and what it brings would be two fifths of one."""

import subprocess
import sys

from tests.simulations import SMALL
from tests.waiting import PROGRAM_S_MAX

STRANGERS = ("numba", "llvmlite", "scipy", "pandas", "pyarrow", "ray")
LOADED = f"""
import sys
import api.app
from api.desk.scenario_reader import new_pool, read

strangers = "[name for name in {STRANGERS} if name in __import__('sys').modules]"
with new_pool() as pool:
    scenario = pool.submit(read, sys.argv[1], None, None).result()
    there = pool.submit(eval, strangers).result()
assert scenario.traders == 302
print(eval(strangers), there)
"""


def test_neither_an_api_process_nor_its_reader_of_scenarios_loads_a_compiler() -> None:
    command = [sys.executable, "-c", LOADED, SMALL]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PROGRAM_S_MAX
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[] []\n"
