from pathlib import Path

import pytest

from sim.market import MarketKind
from sim.prices.processes import ReplayPrice
from sim.scenario.markets import Replay
from sim.scenario.world import ScenarioError
from storage.files.world_file import load_world, reference_prices, replayed, shipped_worlds

TRADES = "1,61800.30,0.006,370.80180,1723161256322,false\n"
WORLD = """
name = "mine"
seed = 1
[[markets]]
id = "BTC-PERP"
base = "BTC"
quote = "USDC"
tick_size = "0.1"
lot_size = "0.001"
max_quantity = "100"
price = { process = "replay", file = "BTCUSDT.csv", loop = false }
"""


def test_the_default_world_has_a_spot_market_beside_each_perpetual_and_four_populations() -> None:
    world = load_world("default")
    listed = {market.spec.market_id: market.spec.kind for market in world.markets}
    assert listed == {
        "BTC-PERP": MarketKind.PERPETUAL,
        "ETH-PERP": MarketKind.PERPETUAL,
        "BTC_USDC": MarketKind.SPOT,
        "ETH_USDC": MarketKind.SPOT,
    }
    strategies = {one.strategy for one in world.populations}
    assert strategies == {"ladder", "noise", "momentum", "arbitrage"}
    starts = {spec.market_id: price.price_ticks for spec, price in reference_prices(world)}
    assert starts["BTC_USDC"] == starts["BTC-PERP"] == 660_000
    assert starts["ETH_USDC"] == starts["ETH-PERP"] == 350_000


def test_the_quiet_world_has_the_same_markets_and_nobody() -> None:
    quiet, default = load_world("quiet"), load_world("default")
    assert quiet.populations == ()
    assert [market.spec for market in quiet.markets] == [market.spec for market in default.markets]
    assert shipped_worlds() == ["default", "quiet"]


def test_shipped_worlds_name_their_perpetual_markets_and_the_default_one_has_agents() -> None:
    worlds = {name: load_world(name) for name in shipped_worlds()}
    symbols = {"BTC/USDT": "BTC-PERP", "ETH/USDT": "ETH-PERP"}
    assert {name: dict(world.symbols) for name, world in worlds.items()} == {
        "default": symbols,
        "quiet": symbols,
    }
    assert {name for name, world in worlds.items() if world.has_agents} == {"default"}


@pytest.mark.parametrize(
    ("symbols", "complaint"),
    [
        ('"BTC/USDT" = "ETH-PERP"', "allowed is one of BTC-PERP"),
        ('"btc/usdt" = "BTC-PERP"', "allowed is a name such as BTC/USDT"),
        ('"BTC/USDT" = "BTC-PERP"\n"XBT/USDT" = "BTC-PERP"', "a market that no other symbol names"),
    ],
)
def test_a_symbol_names_a_perpetual_market_of_its_own(
    tmp_path: Path, symbols: str, complaint: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f"{WORLD}\n[symbols]\n{symbols}\n")
    with pytest.raises(ScenarioError, match=complaint):
        load_world(str(file))


def test_a_world_of_one_s_own_replays_trades_that_lie_beside_it(tmp_path: Path) -> None:
    (tmp_path / "BTCUSDT.csv").write_text(TRADES)
    (tmp_path / "mine.toml").write_text(WORLD)
    [(spec, price)] = reference_prices(load_world(str(tmp_path / "mine.toml")))
    assert isinstance(price, ReplayPrice)
    assert (spec.market_id, price.step(), price.step()) == ("BTC-PERP", 618_003, 618_003)


@pytest.mark.parametrize(
    ("name", "market_id"),
    [("ETHUSDT-trades.csv.gz", "ETH-PERP"), ("BTCUSDT.csv", "BTC-PERP"), ("x.csv", "BTC-PERP")],
)
def test_a_replay_belongs_to_the_market_its_file_is_named_for(
    tmp_path: Path, name: str, market_id: str
) -> None:
    world = replayed(load_world("default"), tmp_path / name, loop=False)
    assert world.market(market_id).price == Replay(str((tmp_path / name).resolve()), False)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "no such file, and not one of the worlds default, quiet."),
        (b"\xff\xfe", "cannot be read"),
        (b"seed = 1", "name: is missing"),
        (b"duration_s = 9", "a scenario and not a world: sandpit simulate runs it"),
        (b"#" * 1_000_001, "larger than 1000000 bytes"),
    ],
)
def test_an_error_names_the_file(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ScenarioError) as refused:
        load_world(str(path))
    assert str(refused.value).startswith(f"{path}: ")
    assert complaint in str(refused.value)
