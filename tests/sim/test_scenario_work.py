"""The estimate of what a scenario costs: an upper one, and one that sees what makes it dear."""

import pytest

from sim.scenario.scenario import parse_scenario
from sim.scenario.work import BLOCK_TRADER_STEPS, LOOK_TRADER_STEPS, Work, work_of
from sim.stepping.world import SimulatedWorld
from storage.files.scenario_file import scenario_prices
from storage.runs.stored_scenario import shipped_text
from tests.simulations import SMALL

LADDERS = SMALL.replace('name = "makers"', 'name = "makers"\nparameters = {levels = 50}')
TWO_MARKETS = SMALL.replace(
    "[[populations]]",
    """[[markets]]
id = "ETH-PERP"
base = "ETH"
quote = "USDC"
tick_size = "0.01"
lot_size = "0.01"
max_quantity = "1000"
price = {process = "synthetic", start = "3500"}

[[populations]]""",
    1,
)
BUSY = SMALL.replace("[[markets]]", "[activity]\ncourse_percent = [100, 1000]\n\n[[markets]]", 1)


def work(text: str) -> Work:
    return work_of(parse_scenario(text))


@pytest.mark.parametrize("dearer", [LADDERS, TWO_MARKETS, BUSY], ids=["levels", "markets", "busy"])
def test_levels_markets_and_activity_count(dearer: str) -> None:
    assert work(dearer).trader_steps > work(SMALL).trader_steps


def test_blocks_and_droids_of_a_chain_count() -> None:
    books, chain = shipped_text("pool-and-book").split("[chain]")
    crowd, ladder = chain.split("[[droids]]")
    without = work(books + "[chain]" + crowd).trader_steps
    assert without - work(books).trader_steps == 300 * BLOCK_TRADER_STEPS
    droids = [f"[[droids]]{ladder}".replace('"ladder"', f'"ladder-{no}"') for no in range(3)]
    three = work("".join([books, "[chain]", crowd, *droids]))
    assert three.trader_steps - without == 3 * 300 * LOOK_TRADER_STEPS
    a_month = books.replace("duration_s = 3_600", "duration_s = 2_678_400")
    many = work("".join([a_month, "[chain]", crowd, *droids]))
    assert many.memory_mb > 300


def test_memory_counts_traders_and_the_orders_they_can_have() -> None:
    small = work(SMALL.replace("heads = 300", "heads = 100000")).memory_mb
    assert work(SMALL.replace("heads = 300", "heads = 1000000")).memory_mb > 9 * small
    few_levels = work(SMALL.replace("heads = 2\n", "heads = 1000\n")).memory_mb
    assert work(LADDERS.replace("heads = 2\n", "heads = 1000\n")).memory_mb > 4 * few_levels


@pytest.mark.parametrize(
    "name", ["calm", "rmsc04", "flash-crash", "liquidation-cascade", "basis", "agents"]
)
def test_no_shipped_scenario_decides_more_than_was_estimated(name: str) -> None:
    scenario = parse_scenario(shipped_text(name), duration_s=60)
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    world.run()
    assert 0 < world.orders < work_of(scenario).trader_steps
