import pytest

from sim.scenario.markets import Constant, Replay
from sim.scenario.scenario import parse_scenario
from sim.scenario.world import ScenarioError, parse_world, price_seed, reference_price, with_replay
from tests.sim.scenario_texts import BTC, ETH, HEAD, MAKERS

GOOD = """
name = "small"
seed = 7

[[markets]]
id = "BTC-PERP"
base = "BTC"
quote = "USDC"
tick_size = "0.1"
lot_size = "0.001"
max_quantity = "100"
taker_fee_ppm = 400
price = { process = "constant", price = "66000" }

[[populations]]
name = "crowd"
strategy = "noise"
heads = 10
capital = "1000.5"
parameters = { activity_ppm = 9000 }
"""


def test_a_simulation_settles_in_one_asset_whichever_it_is() -> None:
    euros = (HEAD.format(seed=1, duration_s=1) + BTC + ETH + MAKERS).replace('"USDC"', '"EUR"')
    assert parse_scenario(euros).world.markets[1].spec.quote_asset == "EUR"
    with pytest.raises(ScenarioError, match=r"markets\[1\].quote: found 'EUR', allowed is 'USD'"):
        parse_scenario(euros.replace('"EUR"', '"USD"', 1))


def test_a_world_is_read_with_units_turned_to_integers() -> None:
    world = parse_world(GOOD)
    market, crowd = world.markets[0], world.populations[0]
    assert market.spec.max_quantity_lots == 100_000
    assert market.spec.taker_fee_ppm == 400
    assert market.price == Constant(660_000)
    assert (crowd.heads, crowd.capital_atoms) == (10, 1_000_500_000)
    assert crowd.markets == ("BTC-PERP",)
    assert crowd.parameters.activity_ppm == 9_000
    assert crowd.parameters.orders_max == 4


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "small"', "", "name: is missing"),
        ("seed = 7", "seed = -1", "seed: found -1, allowed is a whole number from 0 to"),
        ("seed = 7", "seed = true", "seed: found True, allowed is a whole number"),
        (
            "seed = 7",
            "seed = 7\nspeed = 3",
            "speed: unknown, allowed here is agents, chain, markets",
        ),
        ('id = "BTC-PERP"', 'id = "btc"', "markets[0].id: found 'btc', allowed is a name such as"),
        ('"0.1"', "0.1", "markets[0].tick_size: found 0.1, allowed is a positive decimal"),
        ('"0.1"', '"0.00001"', "markets[0].tick_size: found '0.00001', allowed is a size that"),
        ('"100"', '"0.0005"', "markets[0].max_quantity: found '0.0005', allowed is a multiple of"),
        ("= 400", "= 400000", "markets[0].taker_fee_ppm: found 400000, allowed is a whole number"),
        (
            '"USDC"',
            '"EUR"',
            "markets[0].quote: found 'EUR', allowed is 'USDC', in which all accounts",
        ),
        ('"constant"', '"magic"', "markets[0].price.process: found 'magic', allowed is one of"),
        ('"66000"', '"66000.05"', "markets[0].price.price: found '66000.05', allowed is a multi"),
        ('"noise"', '"oracle"', "populations[0].strategy: found 'oracle', allowed is one of arbi"),
        ("heads = 10", "heads = 0", "populations[0].heads: found 0, allowed is a whole number"),
        ('"1000.5"', '"1e3"', "populations[0].capital: found '1e3', allowed is a positive"),
        ('"1000.5"', '"0.0000001"', "populations[0].capital: found '0.0000001', allowed is an am"),
        ("= 9000", '= "9000"', "populations[0].parameters.activity_ppm: found '9000', allowed"),
        ("activity_ppm", "greed_ppm", "populations[0].parameters.greed_ppm: unknown, allowed"),
        ("heads = 10", 'heads = 10\nmarkets = ["ETH-PERP"]', "populations[0].markets: found ['ETH"),
        ("seed = 7", "seed = ", "not TOML: Invalid value (at line 3"),
    ],
)
def test_an_error_names_the_field_what_was_found_and_what_is_allowed(
    old: str, new: str, message: str
) -> None:
    with pytest.raises(ScenarioError) as refused:
        parse_world(GOOD.replace(old, new))
    assert str(refused.value).startswith(message)


def test_two_markets_of_one_name_are_refused() -> None:
    market = GOOD[GOOD.index("[[markets]]") : GOOD.index("[[populations]]")]
    with pytest.raises(ScenarioError, match=r"markets\[1\].id: found 'BTC-PERP', allowed is one"):
        parse_world(GOOD + market)


def test_a_world_without_markets_is_refused() -> None:
    with pytest.raises(ScenarioError, match="from 1 to 1000 tables"):
        parse_world('name = "empty"\nseed = 1')


def test_a_replay_takes_the_place_of_a_price() -> None:
    world = with_replay(parse_world(GOOD), "BTC-PERP", Replay("trades.csv", False))
    assert world.market("BTC-PERP").price == Replay("trades.csv", False)


def test_a_constant_world_has_a_constant_price() -> None:
    assert reference_price(parse_world(GOOD), "BTC-PERP").step() == 660_000


def test_markets_of_one_world_walk_by_seeds_of_their_own() -> None:
    assert price_seed(1, "BTC-PERP") != price_seed(1, "ETH-PERP")
    assert 0 <= price_seed(2**63 - 1, "BTC-PERP") < 2**64
