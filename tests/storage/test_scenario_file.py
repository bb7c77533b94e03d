"""The scenarios that ship are whole, and a wrong one says what is wrong."""

from pathlib import Path

import pytest

from sim.scenario.fields import ScenarioError
from sim.stepping.world import SimulatedWorld, Timing
from storage.files.scenario_file import load_scenario, scenario_prices, shipped_scenarios


@pytest.mark.parametrize(
    "name", ["agents", "basis", "calm", "flash-crash", "liquidation-cascade", "million", "rmsc04"]
)
def test_a_shipped_scenario_is_read(name: str) -> None:
    scenario = load_scenario(name)
    assert name in shipped_scenarios()
    assert scenario.world.name == name


def test_calm_begins_to_trade_at_once() -> None:
    scenario = load_scenario("calm", duration_s=2)
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    world.run()
    assert world.fills > 0
    assert world.orders > world.fills


def test_an_unknown_scenario_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="calm"):
        load_scenario(str(tmp_path / "nothing.toml"))


def test_a_replay_asks_for_the_trades_that_it_replays() -> None:
    assert "replay" in shipped_scenarios()
    with pytest.raises(ScenarioError, match=r"price\.file: found nothing.*--replay TRADES\.csv"):
        load_scenario("replay")


def test_a_replay_follows_the_trades_of_its_file(tmp_path: Path) -> None:
    prices = [60_000 + 50 * second for second in range(20)]
    lines = [f"{at},{price},0.5,1,{1_700_000_000 + at}000,true" for at, price in enumerate(prices)]
    trades = tmp_path / "BTCUSDT-trades.csv"
    trades.write_text("\n".join(lines) + "\n")
    scenario = load_scenario("replay", duration_s=19, replay=trades)
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    world.run()
    [market] = world.record(Timing()).markets
    assert abs(int(market.quotes["index_ticks"][-1]) - prices[-1] * 100) <= 5_000
    assert abs(int(market.trades["price_ticks"][-1]) - prices[-1] * 100) < 30_000
