"""Pools and droids beside books: one follows the other, and the same seed is the same world."""

from functools import cache

import numpy as np
import pytest

from sim.joint.opening import world_of
from sim.joint.world import JointWorld
from sim.record.chain import ChainRecord
from sim.record.run import RunRecord
from sim.report.page_of_run import html_report
from sim.scenario.fields import ScenarioError
from sim.scenario.scenario import Scenario, parse_scenario
from sim.stepping.world import SimulatedWorld, Timing
from storage.files.scenario_file import SHIPPED_DIRECTORY, load_scenario, scenario_prices

TEXT = (SHIPPED_DIRECTORY / "pool-and-book.toml").read_text()
DURATION_S = 480


def scenario(seed: int = 1) -> Scenario:
    return load_scenario("pool-and-book", seed=seed, duration_s=DURATION_S)


def opened(described: Scenario) -> SimulatedWorld:
    return world_of(described, scenario_prices(described))


@cache
def lived(seed: int = 1) -> RunRecord:
    world = opened(scenario(seed))
    world.run()
    return world.record(Timing())


def chain_of(record: RunRecord) -> ChainRecord:
    assert record.chain is not None
    return record.chain


def test_a_block_is_built_whenever_its_time_has_passed() -> None:
    chain = chain_of(lived())
    assert chain.blocks == DURATION_S // 12
    [pool] = chain.pools
    assert (np.diff(pool.blocks["time_us"]) == 12_000_000).all()
    assert pool.blocks["swaps"].sum() > pool.blocks["arbitrages"].sum() > 0
    assert chain.transactions > chain.blocks


def test_the_pool_stays_near_the_book() -> None:
    """The fee of 0.3 %, the arbitrageur's margin, and what one block's swaps move."""
    [pool] = chain_of(lived()).pools
    rows = pool.blocks[1:]
    assert np.isfinite(rows["book_price"]).all()
    assert np.abs(rows["price"] / rows["book_price"] - 1).max() < 0.01
    assert np.median(np.abs(rows["price"] / rows["book_price"] - 1)) < 0.0035


def test_what_arbitrageurs_trade_in_the_pool_they_trade_on_the_book() -> None:
    record = lived()
    chain = chain_of(record)
    outside = next(one for one in record.others if one.name == "shocks")
    assert sum(chain.traded_lots) > 0
    assert outside.gain_atoms != 0
    [planned] = record.markets[0].shocks
    assert planned.traded_lots == 0, "what is planned for later is told apart"


def test_a_droid_places_its_ladder_and_earns() -> None:
    [droid] = chain_of(lived()).droids
    last = droid.standings[-1]
    assert (droid.status, droid.note, droid.plans) == ("RUNNING", "", 1)
    assert (last["rungs"], len(droid.bands)) == (5, 5)
    assert last["fees_atoms"] > 0 < last["gas_atoms"]
    assert abs(last["aum_atoms"] / last["held_atoms"] - 1) < 0.02


def test_the_same_seed_is_the_same_world_and_another_is_another() -> None:
    world = opened(scenario())
    while not world.done:
        world.run(world.step_no + 777)
    record = world.record(Timing())
    assert record.state_hash == lived().state_hash != lived(seed=2).state_hash
    assert chain_of(record).state_hash == chain_of(lived()).state_hash


@pytest.mark.parametrize("step", [120, 3_001])
def test_a_checkpoint_of_the_books_is_enough_to_go_on(step: int) -> None:
    begun, goes_on = opened(scenario()), opened(scenario())
    begun.run(step)
    goes_on.resume(begun.checkpoint())
    goes_on.run()
    assert goes_on.record(Timing()).state_hash == lived().state_hash


def test_without_a_chain_a_world_has_books_alone() -> None:
    calm = load_scenario("calm", duration_s=10)
    world = opened(calm)
    assert not isinstance(world, JointWorld)
    world.run()
    assert world.record(Timing()).chain is None


def test_the_report_shows_pool_and_droid() -> None:
    page = html_report(lived())
    for said in ("Pools and droids", "Pool 42, USDC/WETH", "middle of ETH_USDC", "ladder"):
        assert said in page
    assert len(page) < 1_000_000


BAD = [
    (("pools = [42]", "pools = [41]"), "chain.pools: found [41], allowed is a list of whole"),
    (("pools = [42]", "pools = [42, 42]"), "chain.pools: found [42, 42], allowed is each pool"),
    (("poolId = 42", "poolId = 43"), "droids[0].poolId: found 43, allowed is one of the chain's"),
    (("maxBots = 5", "maxBots = 0"), "droids[0].maxBots: maxBots: must be at least 1"),
    (("maxBots = 5", "maxBot = 5"), "droids[0].maxBot: unknown"),
    (('name = "ladder"', 'name = "A b"'), "droids[0].name: found 'A b', allowed is at most 32"),
    (("[chain]\nmarket", "[chian]\nmarket"), "chian: unknown"),
    (('market = "ETH_USDC"\npools', 'market = "BTC_USDC"\npools'), "chain.market: found"),
    (("duration_s = 3_600", "duration_s = 3_600\nsample_ms = 700"), "do not divide 12 s"),
]


@pytest.mark.parametrize(("change", "said"), BAD)
def test_what_is_wrong_with_a_chain_is_told(change: tuple[str, str], said: str) -> None:
    assert change[0] in TEXT
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(TEXT.replace(*change))
    assert said in str(refused.value)


def test_droids_need_a_chain_and_names_of_their_own() -> None:
    without, droids = TEXT[: TEXT.index("[chain]")], TEXT[TEXT.index("[[droids]]") :]
    with pytest.raises(ScenarioError, match="no \\[chain\\] that they could be on"):
        parse_scenario(without + droids)
    with pytest.raises(ScenarioError, match="found two of one name"):
        parse_scenario(TEXT + droids)
