"""Steps of a scenario after its start is over: python -m actors.bench.steady_run FILE ACTORS ...

    FILE ACTORS WARM_STEPS STEPS WINDOWS

prints one JSON object: orders and wall seconds of each window of so many steps, the state hash,
the most memory ever held. ACTORS as in `sandpit simulate --actors`, 0 for one process.
"""

import json
import sys
import time
from typing import Any

from actors.simulate.hosts import peak_memory_bytes
from actors.simulate.worlds import opened_world
from sim.stepping.world import Timing
from storage.files.scenario_file import load_scenario, scenario_prices


def steady_run(file: str, actors: int, warm: int, steps: int, windows: int) -> dict[str, Any]:
    """What `main` prints."""
    scenario = load_scenario(file)
    orders, seconds = [], []
    with opened_world(scenario, scenario_prices(scenario), actors, None) as world:
        world.run(warm)
        for window in range(1, windows + 1):
            before, began = world.orders, time.perf_counter()
            world.run(warm + window * steps)
            seconds.append(time.perf_counter() - began)
            orders.append(world.orders - before)
        record = world.record(Timing(peak_memory_bytes=peak_memory_bytes()))
    told = {"state_hash": record.state_hash, "peak_memory_bytes": record.peak_memory_bytes}
    return {"orders": orders, "seconds": seconds, **told}


def main() -> None:
    """Run what the arguments describe."""
    actors, warm, steps, windows = map(int, sys.argv[2:6])
    sys.stdout.write(json.dumps(steady_run(sys.argv[1], actors, warm, steps, windows)) + "\n")


if __name__ == "__main__":
    main()
