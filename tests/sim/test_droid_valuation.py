"""What a droid's ladder is worth, and what it lost against the tokens that were put in."""

from sim.droid.ladder import Rung, total
from sim.droid.states import Active
from sim.droid.valuation import Holdings, impermanent_loss, positions_held, uncollected
from sim.pool.words import Pair
from tests.sim.droid_world import World


def holdings(world: World) -> Holdings:
    lattice = world.config.lattice(world.terms)
    rungs = [Rung(*one) for one in world.rungs.items()]
    return Holdings(
        positions_held(lattice, rungs, world.pool.state.sqrt_price_x96),
        uncollected(world.pool, map(world.key, world.rungs), world.time_s),
        world.wallet,
        world.ether_wei,
    )


def placed() -> tuple[World, Pair]:
    """And what its mints have taken."""
    world = World()
    world.blocks(2)
    before = world.wallet
    world.until_quiet()
    return world, (before[0] - world.wallet[0], before[1] - world.wallet[1])


def test_a_ladder_loses_against_its_tokens_whichever_way_the_price_goes() -> None:
    world, put_in = placed()
    for price in ("3300", "3130", "3200"):
        world.others_move_to(price)
        price_x96 = world.pool.state.sqrt_price_x96
        assert impermanent_loss(world.terms, price_x96, put_in, holdings(world).positions) > 0


def test_where_the_price_is_the_same_only_rounding_is_lost() -> None:
    world, put_in = placed()
    price_x96 = world.pool.state.sqrt_price_x96
    loss = impermanent_loss(world.terms, price_x96, put_in, holdings(world).positions)
    assert 0 <= loss < 2 * len(world.rungs)


def test_what_is_worth_something_comes_into_the_wallet_when_all_closes() -> None:
    world, _ = placed()
    world.others_move_to("3350")
    world.others_move_to("3150")
    told = holdings(world)
    assert min(told.fees) > 0
    world.active = Active.CLOSE
    world.until_quiet()
    assert world.wallet == total((told.positions, told.fees, told.wallet))
