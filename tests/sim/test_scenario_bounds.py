"""Seeds, times and amounts at and beyond their bounds; what a shorter run leaves out."""

from dataclasses import replace

import pytest

from sim.scenario.fields import ScenarioError
from sim.scenario.scenario import SCALE_PPM_MAX, Scenario, parse_scenario
from sim.scenario.unreached import unreached
from sim.scenario.world import SEED_MAX, parse_world
from tests.sim.scenario_texts import BTC, ETH, HEAD, MAKERS, NOISE, world_of

SHORT = BTC + ETH + MAKERS + NOISE.replace("heads = 5000", "heads = 30")
SHOCK = """
[[shocks]]
market = "BTC-PERP"
kind = "sell"
at_s = {at_s}
quantity = "1"
over_s = {over_s}
"""
JUMP = """
[[shocks]]
market = "{market}-PERP"
kind = "index"
at_s = {at_s}
jump_ppm = {jump_ppm}
"""
HALT = """
[[halts]]
market = "ETH-PERP"
at_s = {at_s}
for_s = {for_s}
"""


def parsed(more: str = "", seed: int | None = None, duration_s: int | None = None) -> Scenario:
    return parse_scenario(HEAD.format(seed=1, duration_s=10) + SHORT + more, seed, duration_s)


@pytest.mark.parametrize("seed", [0, SEED_MAX])
def test_the_least_and_the_greatest_seed_run(seed: int) -> None:
    world = world_of(parsed(seed=seed, duration_s=1))
    world.run()
    assert world.orders > 0
    assert parse_scenario(HEAD.format(seed=seed, duration_s=1) + SHORT).world.seed == seed


@pytest.mark.parametrize("seed", [-1, SEED_MAX + 1, 2**64, 10**40])
def test_a_seed_beyond_is_refused_wherever_it_comes_in(seed: int) -> None:
    said = rf"^seed: found {seed}, allowed is a whole number from 0 to {SEED_MAX}"
    with pytest.raises(ScenarioError, match=said):
        parsed(seed=seed)
    for parse in (parse_scenario, parse_world):
        with pytest.raises(ScenarioError, match=said):
            parse(HEAD.format(seed=seed, duration_s=1).replace("duration_s = 1", "") + SHORT)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (SHOCK.format(at_s=9, over_s=1), ""),
        (SHOCK.format(at_s=10, over_s=0), "shocks[0].at_s: found 10, allowed is a whole number"),
        (SHOCK.format(at_s=9, over_s=2), "shocks[0].over_s: found 2, allowed is a whole number"),
        (JUMP.format(market="BTC", at_s=900, jump_ppm=1), "from 0 to 9"),
        (HALT.format(at_s=9, for_s=5), ""),
        (HALT.format(at_s=11, for_s=5), "halts[0].at_s: found 11, allowed is a whole number"),
    ],
)
def test_what_would_befall_it_after_its_end_is_refused(more: str, sentence: str) -> None:
    if not sentence:
        assert parsed(more).happenings
        return
    with pytest.raises(ScenarioError) as refused:
        parsed(more)
    assert sentence in str(refused.value)


def test_a_shorter_run_says_what_it_leaves_out_and_a_whole_one_nothing() -> None:
    more = SHOCK.format(at_s=2, over_s=5) + HALT.format(at_s=6, for_s=2)
    more += JUMP.format(market="ETH", at_s=7, jump_ppm=5_000)
    whole, short = parsed(more), parsed(more, duration_s=4)
    assert unreached(whole.happenings, whole.steps, whole.step_us) == []
    assert unreached(short.happenings, short.steps, short.step_us) == [
        "the sell shock of BTC-PERP from 2 s to 7 s is cut short: the run ends after 4 s",
        "the halt of ETH-PERP at 6 s is left out: the run ends after 4 s",
        "the jump of the index of ETH-PERP at 7 s is left out: the run ends after 4 s",
    ]


def test_jumps_that_together_leave_no_room_for_a_price_are_refused() -> None:
    most = [JUMP.format(market="BTC", at_s=at_s, jump_ppm=9_000_000) for at_s in (1, 2, 3)]
    world = world_of(parsed("".join(most)))
    world.run()
    assert world.fills > 0
    with pytest.raises(ScenarioError) as refused:
        parsed("".join(most) + JUMP.format(market="BTC", at_s=4, jump_ppm=9_000_000))
    allowed = SCALE_PPM_MAX * 10**6 // 10**9 - 10**6
    assert f"shocks[3].jump_ppm: found 9000000, allowed is {allowed} at most" in str(refused.value)
    parsed("".join(most) + JUMP.format(market="BTC", at_s=4, jump_ppm=allowed))
    parsed("".join(most) + JUMP.format(market="ETH", at_s=4, jump_ppm=9_000_000))


@pytest.mark.parametrize(("amount", "allowed"), [("0.0000001", "six decimals"), ("9" * 60, "12.5")])
def test_money_that_is_no_amount_is_refused(amount: str, allowed: str) -> None:
    with pytest.raises(ScenarioError, match=f"insurance: found .*{allowed}"):
        parse_scenario(f'insurance = "{amount}"' + HEAD.format(seed=1, duration_s=1) + SHORT)


def test_a_simulation_without_traders_is_refused_and_a_market_without_any_runs() -> None:
    with pytest.raises(ScenarioError, match="populations: found nothing, allowed is from 1"):
        parse_scenario(HEAD.format(seed=1, duration_s=1) + BTC)
    with_nobody = parsed(SHOCK.format(at_s=1, over_s=2))
    lonely = tuple(
        replace(one, markets=("ETH-PERP",), inventory_lots=(0,))
        for one in with_nobody.world.populations
    )
    world = world_of(replace(with_nobody, world=replace(with_nobody.world, populations=lonely)))
    world.run()
    assert world.fills > 0
