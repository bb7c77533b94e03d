"""Ladders that somebody worked out, and prices as ticks."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from sim.droid.curves import weights
from sim.droid.ladder import Rung, Share, Wanted, rung_amounts
from sim.droid.lattice import nearest_first
from sim.droid.plan import chosen
from sim.pool.tick_math import tick_at_sqrt_ratio
from tests.sim.droid_facts import POOLS, config_of, facts, named


@pytest.mark.parametrize(
    ("price", "tick_42", "tick_43"),
    [
        ("2500", 198079, -198080),
        ("3198", 195617, -195618),
        ("3215.5", 195562, -195563),
        ("4000", 193379, -193380),
    ],
)
def test_a_price_has_its_tick_in_both_pools(price: str, tick_42: int, tick_43: int) -> None:
    for pool_id, tick in ((42, tick_42), (43, tick_43)):
        terms = POOLS[pool_id]
        sqrt_price_x96 = terms.sqrt_price_x96(Decimal(price))
        assert tick_at_sqrt_ratio(sqrt_price_x96) == tick
        assert terms.nearest_double(sqrt_price_x96) == float(price)


LADDERS = facts("ladders")["ladders"]


@pytest.mark.parametrize("case", **named(LADDERS))
def test_a_ladder_stands_where_it_was_worked_out(case: dict[str, Any]) -> None:
    asked = case["inputs"]
    terms = POOLS[asked["poolId"]]
    config = config_of(asked["config"], terms)
    signal = float(asked["signal"])
    assert str(terms.sqrt_price_x96(signal)) == case["sqrtSignalX96"]
    assert tick_at_sqrt_ratio(terms.sqrt_price_x96(signal)) == case["signalTick"]
    bounds = (config.min_price, config.max_price)
    ticks = sorted(tick_at_sqrt_ratio(terms.sqrt_price_x96(bound)) for bound in bounds)
    assert ticks == case["boundTicks"]
    assert list(config.eligible(terms)) == case["eligible"]
    ordered = nearest_first(config.eligible(terms), case["signalBucket"], terms.quote_is_token0)
    assert list(ordered) == case["order_by_distance"]
    choice = chosen(config, terms, signal)
    assert choice.signal_bucket == case["signalBucket"]
    assert sorted(share.bucket for share in choice.shares) == case["chosen"]
    assert sum(share.weight for share in choice.shares) == case["weightSum"]


@pytest.mark.parametrize("case", **named(LADDERS))
def test_a_ladder_has_the_liquidity_that_was_worked_out(case: dict[str, Any]) -> None:
    asked = case["inputs"]
    terms = POOLS[asked["poolId"]]
    config = config_of(asked["config"], terms)
    sqrt_price_x96 = int(case["sqrtPriceX96"])
    if "price" in asked:
        assert terms.sqrt_price_x96(Decimal(asked["price"])) == sqrt_price_x96
    told = {rung["bucket"]: rung for rung in case["rungs"]}
    choice = chosen(config, terms, float(asked["signal"]))
    shares = sorted(choice.shares)
    assert [(one.bucket, str(one.weight)) for one in shares] == [
        (rung["bucket"], rung["weight"]) for rung in case["rungs"]
    ]
    value = Fraction(config.funding_usd) * terms.quote_unit
    wanted = Wanted(terms, config.lattice(terms), value, (), shares)
    ladder = wanted.at(sqrt_price_x96, terms.pair(10**30, 10**30))
    assert [_told(wanted, rung, sqrt_price_x96) for rung in ladder.rungs] == [
        (*(told[one.bucket][name] for name in ("tickLower", "tickUpper", *ASKED)),)
        for one in shares
    ]
    assert [str(need) for need in ladder.needs] == [
        case["total"]["amount0"],
        case["total"]["amount1"],
    ]
    worth = terms.in_quote(ladder.needs, sqrt_price_x96)
    assert str(int(worth)) == case["total"]["value_quote_units_floor"]


ASKED = ("liquidity", "amount0", "amount1")


def _told(wanted: Wanted, rung: Rung, sqrt_price_x96: int) -> tuple[int | str, ...]:
    amounts = rung_amounts(wanted.lattice, rung, sqrt_price_x96, round_up=True)
    return (*wanted.lattice.ticks(rung.bucket), *map(str, (rung.liquidity, *amounts)))


def test_edges_of_a_rung_have_prices() -> None:
    for case in LADDERS:
        terms = POOLS[case["inputs"]["poolId"]]
        for rung in case["rungs"]:
            edges = sorted(terms.price_at_tick(rung[name]) for name in ("tickLower", "tickUpper"))
            told = [float(rung["priceLow"]), float(rung["priceHigh"])]
            assert [round(float(edge), 6) for edge in edges] == told


def test_shares_that_have_no_weight_are_worth_nothing() -> None:
    terms = POOLS[42]
    case = LADDERS[0]["inputs"]
    lattice = config_of(case["config"], terms).lattice(terms)
    wanted = Wanted(terms, lattice, Fraction(10**9), (), (Share(325, 0),))
    assert wanted.at(terms.sqrt_price_x96(3215), terms.pair(0, 10**9)).rungs == (Rung(325, 0),)
    assert weights(config_of(case["config"], terms).funding_curve, []) == []
