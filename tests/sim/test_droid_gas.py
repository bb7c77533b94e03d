"""What a droid's transactions cost, and what it may spend on them."""

from fractions import Fraction

import pytest

from sim.chain.gas import close_gas, mint_gas, swap_gas
from sim.droid.acts import ActKind
from sim.droid.gas import Purse, gas_limit, is_too_dear
from sim.droid.states import Note
from tests.sim.droid_facts import POOLS, configured
from tests.sim.droid_world import GWEI

TERMS = POOLS[42]
PRICE_X96 = TERMS.sqrt_price_x96(3000)
MINT_WEI = 455_795 * 50 * GWEI


def test_gas_is_what_was_measured() -> None:
    assert [mint_gas(True, ticks) for ticks in (0, 1, 2)] == [314_465, 385_130, 455_795]
    assert [mint_gas(False, ticks) for ticks in (0, 1, 2)] == [305_079, 345_000, 384_921]
    assert (close_gas(True), close_gas(False)) == (244_572, 202_472)
    assert swap_gas(3) == 190_000


@pytest.mark.parametrize(("spacing", "crossed"), [(1, 102), (10, 11), (60, 2), (200, 1)])
def test_a_swap_crosses_no_more_ticks_than_there_are_within_its_limit(
    spacing: int, crossed: int
) -> None:
    assert gas_limit(ActKind.SWAP, spacing) == swap_gas(crossed)


def test_gas_may_cost_all_that_a_droid_pays_for_it_and_no_wei_more() -> None:
    config = configured(max_gas_price_gwei=50, priority_gwei=1)
    assert not is_too_dear(config, 49 * GWEI)
    assert is_too_dear(config, 49 * GWEI + 1)


def test_transactions_count_by_their_worst_case_to_the_last_wei_and_unit() -> None:
    mints = [gas_limit(ActKind.MINT, 60)] * 3
    budget = Fraction(2 * MINT_WEI * TERMS.price(PRICE_X96), 10**12)
    purse = Purse(TERMS, 50 * GWEI, PRICE_X96, 10**18, budget)
    assert purse.affords(mints) == (2, Note.GAS_BUDGET)
    purse = Purse(TERMS, 50 * GWEI, PRICE_X96, 10**18, budget - 1)
    assert purse.affords(mints) == (1, Note.GAS_BUDGET)
    assert Purse(TERMS, 50 * GWEI, PRICE_X96, 3 * MINT_WEI, None).affords(mints) == (3, None)
    purse = Purse(TERMS, 50 * GWEI, PRICE_X96, 3 * MINT_WEI - 1, None)
    assert purse.affords(mints) == (2, Note.NO_ETH)
