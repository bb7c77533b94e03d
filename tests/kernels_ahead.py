"""A process beside the first tests of a run, which compiles what a new tree has not compiled yet.

Each kernel is kept on disk as soon as it is compiled, for whoever needs it next.
"""

from dataclasses import replace

from sim.book.engine import warm_up, warm_up_terms
from sim.fast_pool.engine import FastPool, batch_of
from sim.pool.pool import Pool
from sim.scenario.scenario import Scenario
from sim.stepping.world import SimulatedWorld
from storage.files.scenario_file import load_scenario, scenario_prices, shipped_scenarios

STEPS, HEADS_MAX = 40, 2_000


def small(scenario: Scenario) -> Scenario:
    """So short and so small that only the compiling takes time; its margins are looked at, too."""
    populations = tuple(
        replace(one, heads=min(one.heads, HEADS_MAX)) for one in scenario.world.populations
    )
    world = replace(scenario.world, populations=populations)
    return replace(scenario, world=world, steps=STEPS, happenings=(), margin_steps=7)


def main() -> None:
    warm_up()
    warm_up_terms()
    FastPool(Pool(fee_pips=3000, tick_spacing=60)).operate(batch_of([]))
    for name in shipped_scenarios():
        if name != "replay":  # of a file of trades
            scenario = small(load_scenario(name))
            SimulatedWorld(scenario, scenario_prices(scenario)).run()


if __name__ == "__main__":
    main()
