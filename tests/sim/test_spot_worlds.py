"""Spot markets as a world lists them: what they may say, and whose index they have."""

from decimal import Decimal

import pytest

from sim.market import COLLATERAL, SPOT_TERMS, MarketKind, MarketSpec
from sim.scenario.fields import ScenarioError
from sim.scenario.scenario import parse_scenario
from sim.scenario.world import parse_world, reference_price
from tests.sim.scenario_texts import ETH, SPOT

MARKETS = f'name = "both"\nseed = 3\n{ETH}{SPOT}'
GRAINS = 'lot_size = "0.000000001"\nmax_quantity = "10"'
TRADERS = """
[[populations]]
name = "noise"
strategy = "noise"
heads = 10
capital = "1000000"
inventory = { ETH_USDC = "40" }
"""


def refusal(text: str) -> str:
    with pytest.raises(ScenarioError) as refused:
        parse_world(text)
    return str(refused.value)


def test_a_spot_market_has_no_leverage_and_lots_of_whole_base_atoms() -> None:
    spec = parse_world(MARKETS).markets[1].spec
    assert (spec.kind, spec.max_leverage, spec.funding_cap_ppm) == (MarketKind.SPOT, 1, 0)
    assert spec.atoms_per_tick_lot == 10
    assert refusal(MARKETS + "max_leverage = 5").startswith("markets[1].max_leverage: unknown")


def test_a_market_is_a_perpetual_unless_it_says_otherwise() -> None:
    assert parse_world(MARKETS).markets[0].spec.kind == MarketKind.PERPETUAL
    assert "allowed is one of perpetual, spot" in refusal(MARKETS.replace('"spot"', '"option"'))


def test_the_index_of_a_spot_market_is_that_of_the_market_it_follows_step_for_step() -> None:
    world = parse_world(MARKETS)
    perpetual, spot = (reference_price(world, market) for market in ("ETH-PERP", "ETH_USDC"))
    assert perpetual.advance(500).tolist() == spot.advance(500).tolist()


@pytest.mark.parametrize(
    ("sent", "other"),
    [
        ('market = "ETH-PERP"', 'market = "ETH_USDC"'),
        ('market = "ETH-PERP"', 'market = "BTC-PERP"'),
    ],
)
def test_an_index_is_that_of_a_market_with_a_price_of_its_own(sent: str, other: str) -> None:
    said = refusal(MARKETS.replace(sent, other))
    assert said.startswith("markets[1].price.market: found")
    assert said.endswith("the same tick_size: ETH-PERP")


def test_an_index_in_other_ticks_is_refused() -> None:
    before, after = MARKETS.rsplit('tick_size = "0.01"', 1)
    assert refusal(before + 'tick_size = "0.1"' + after).endswith("tick_size: none here")


def test_a_jump_is_one_of_the_market_whose_index_it_is() -> None:
    jump = """
    duration_s = 60
    [[shocks]]
    market = "ETH_USDC"
    kind = "index"
    at_s = 1
    jump_ppm = 5
    """
    head, _, _ = jump.partition("[[")
    text = head + MARKETS + TRADERS + jump.removeprefix(head)
    with pytest.raises(ScenarioError, match="allowed is ETH-PERP, whose index ETH_USDC has"):
        parse_scenario(text)


def test_traders_have_an_inventory_in_spot_markets_alone() -> None:
    assert parse_world(MARKETS + TRADERS).populations[0].inventory_lots == (0, 40_000)
    perpetual = TRADERS.replace("ETH_USDC", '"ETH-PERP"')
    assert "inventory.ETH-PERP: unknown" in refusal(MARKETS + perpetual)
    assert "a multiple of 0.001" in refusal(MARKETS + TRADERS.replace('"40"', '"40.0001"'))


def test_an_inventory_worth_more_than_the_capital_is_refused() -> None:
    said = refusal(MARKETS + TRADERS.replace('"40"', '"286"'))
    assert said.startswith("populations[0].inventory: worth 1001000 at the first index")


def test_a_lot_that_is_no_whole_number_of_base_atoms_is_refused() -> None:
    finer = MARKETS.replace('lot_size = "0.001"\nmax_quantity = "20000"', GRAINS)
    assert refusal(finer).endswith("allowed is a size of at most 8 decimals")
    with pytest.raises(ValueError, match="a lot is not a whole number of base atoms"):
        MarketSpec(
            "ETH_USDC",
            "ETH",
            COLLATERAL,
            Decimal(10**6),
            Decimal("1e-9"),
            10,
            kind=MarketKind.SPOT,
            **SPOT_TERMS,
        )
