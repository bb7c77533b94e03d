"""What a scenario will cost, told before anything of it is built."""

from typing import NamedTuple

from sim.populations.activity import FACTORS_PPM, ActivityDescription
from sim.scenario.scenario import Scenario
from sim.scenario.world import PopulationDescription
from sim.units import PPM

CROWD_MIN = 500
"""However few traders a population or a market has, a step of it costs as much as so many do."""

SIDES = 2
TRADER_BYTES = 256
"""An account in a market: money, position, margin room, and its place in the population."""

ORDER_BYTES = 192
"""A resting order: in the book and its index, with its trader, and as the event that says so."""

ROW_BYTES = 512
"""An order that is decided in a step: as a command, sorted, with its events and replies."""

BLOCK_TRADER_STEPS = 15_000
"""As long as so many trader steps a block takes, with its crowd and arbitrageurs in every pool:
measured 3.3 ms beside 0.23 µs for a trader step."""

LOOK_TRADER_STEPS = 900
"""A droid's look at a block, with what it then sends: measured 0.2 ms."""

LOOK_BYTES = 512
"""What of a look is kept until the end: a row of how the droid stands; of a pool a row, too."""

MEBIBYTE = 1 << 20


class Work(NamedTuple):
    """The size of a scenario.

    trader_steps   traders that look on and orders that they decide, over all markets and steps, and
                   what a chain does, as traders do it in the same time
    memory_mb      what its traders, their orders and its chain's rows need at the most, other
                   results apart
    """

    trader_steps: int
    memory_mb: int


def work_of(scenario: Scenario) -> Work:
    """An upper estimate of both: from heads, markets, levels of orders and activity, and from the
    blocks and droids of a chain."""
    a_step, memory = CROWD_MIN * len(scenario.world.markets), 0
    for crowd in scenario.world.populations:
        rows = decided_a_step(crowd, busiest_ppm(scenario.activity))
        a_step += len(crowd.markets) * max(CROWD_MIN, crowd.heads) + rows
        memory += crowd.heads * len(crowd.markets) * TRADER_BYTES
        memory += resting(crowd) * ORDER_BYTES + rows * ROW_BYTES
    on_chain, rows_bytes = chain_work(scenario)
    return Work(scenario.steps * a_step + on_chain, -(-(memory + rows_bytes) // MEBIBYTE))


def chain_work(scenario: Scenario) -> tuple[int, int]:
    """Trader steps and bytes of a chain; nothing where there is none."""
    chain = scenario.chain
    if chain is None:
        return 0, 0
    blocks, droids = scenario.steps // chain.block_steps, len(chain.droids)
    a_block = BLOCK_TRADER_STEPS + droids * LOOK_TRADER_STEPS
    return blocks * a_block, blocks * (droids + len(chain.pool_ids)) * LOOK_BYTES


def decisions_a_step(scenario: Scenario) -> int:
    """About how often traders decide in a step, on all markets together, in ordinary times."""
    return sum(
        crowd.heads * len(crowd.markets) * awake_ppm(crowd, PPM) // PPM
        for crowd in scenario.world.populations
    )


def decided_a_step(crowd: PopulationDescription, factor_ppm: int) -> int:
    """Orders that a population decides in a step, when all is `factor_ppm` as busy as usual."""
    looks = crowd.heads * len(crowd.markets) * awake_ppm(crowd, factor_ppm) // PPM
    return looks * orders_each(crowd)


def awake_ppm(crowd: PopulationDescription, factor_ppm: int) -> int:
    """The share of a population that decides in a step; everybody where none is declared."""
    usual = int(getattr(crowd.parameters, "activity_ppm", PPM))
    return min(PPM, usual * factor_ppm // PPM)


def orders_each(crowd: PopulationDescription) -> int:
    """How many orders a trader sends at a time: both sides of every level of a ladder."""
    return SIDES * int(getattr(crowd.parameters, "levels", 1))


def resting(crowd: PopulationDescription) -> int:
    """How many orders of a population can rest at a time."""
    each = max(orders_each(crowd), int(getattr(crowd.parameters, "orders_max", 0)))
    return crowd.heads * len(crowd.markets) * each


def busiest_ppm(activity: ActivityDescription | None) -> int:
    """By how much more often than usual everybody acts when it is busiest."""
    if activity is None:
        return PPM
    course_ppm = max(activity.course_percent) * PPM // 100
    feedback = activity.feedback_ppm
    return max(PPM, ((PPM - feedback) * course_ppm + feedback * FACTORS_PPM[-1]) // PPM)
