"""What a droid does as blocks go by: its plans, and what keeps it from them."""

from decimal import Decimal

from sim.droid.acts import Act, CloseRung, MintRung, SwapExactIn
from sim.droid.signal import MEMORY_S
from sim.droid.states import Active, Note, Status
from tests.sim.droid_facts import calm
from tests.sim.droid_world import BLOCK_S, GWEI, World


def placed(**settings: object) -> World:
    """A droid that has placed its ladder."""
    world = World(calm(**settings))
    world.until_quiet()
    return world


def kinds(acts: list[Act]) -> list[type]:
    return [type(act) for act in acts]


def test_a_ladder_is_placed_by_one_swap_and_its_mints_in_one_block() -> None:
    world = World()
    assert kinds(world.block()) == [SwapExactIn]
    assert kinds(world.block()) == [MintRung] * 5
    assert world.block() == []
    assert sorted(world.rungs) == [323, 324, 325, 326, 327]
    assert (world.state.completed, world.state.note) == (1, None)
    assert world.state.live_signal.reference == 3215.5


def test_nothing_is_done_while_the_signal_is_within_its_band() -> None:
    world = placed()
    sent = len(world.sent)
    for price in ("3300", "3370", "3130", "3215.5"):
        assert world.block(price) == []
    assert len(world.sent) == sent


def test_a_signal_that_leaves_its_band_rolls_the_ladder() -> None:
    world = placed()
    acts = world.block("3500")
    assert [(type(act), act.bucket) for act in acts if not isinstance(act, SwapExactIn)] == [
        (CloseRung, 327),
    ]
    world.until_quiet()
    assert sorted(world.rungs) == [322, 323, 324, 325, 326]
    assert world.state.completed == 2


def test_a_price_over_all_rungs_in_one_block_makes_one_plan() -> None:
    world = placed()
    assert kinds(world.block("4500")) == [CloseRung] * 5
    assert kinds(world.block()) == [SwapExactIn]
    assert set(kinds(world.block())) == {MintRung}
    assert world.block() == []
    assert world.state.completed == 2


def test_a_price_outside_the_bounds_costs_nothing_until_it_returns() -> None:
    world = placed()
    fees = len(world.fees_wei)
    for price in ("6001", "6500", "6200"):
        assert world.block(price) == []
        assert world.state.note is Note.OUT_OF_BOUNDS
    assert len(world.fees_wei) == fees
    assert CloseRung in kinds(world.block("3800"))
    assert world.state.note is None


def test_a_droid_that_starts_outside_its_bounds_places_on_return() -> None:
    world = World(price="6100")
    world.blocks(5)
    assert (world.rungs, world.state.note) == ({}, Note.OUT_OF_BOUNDS)
    world.block("4500")
    world.until_quiet()
    assert len(world.rungs) == 5


def test_the_same_range_is_kept_and_becomes_the_reference() -> None:
    world = placed(max_bots=1, rising_trigger=Decimal("0.01"))
    rungs = dict(world.rungs)
    assert world.block("3260") == []
    assert (world.rungs, world.state.completed) == (rungs, 2)
    assert round(world.state.live_signal.reference, 6) == 3260


def test_gas_above_the_cap_defers_and_the_plan_is_made_at_the_price_of_then() -> None:
    world = placed()
    world.base_fee_wei = 50 * GWEI
    assert world.block("3500") == []
    assert world.state.note is Note.GAS_PRICE
    world.base_fee_wei = 49 * GWEI
    acts = world.block("2950")
    assert [act.bucket for act in acts if isinstance(act, CloseRung)] == [323, 324]


def test_gas_above_the_cap_matters_no_more_when_the_signal_is_back() -> None:
    world = placed()
    world.base_fee_wei = 51 * GWEI
    world.block("3500")
    world.base_fee_wei = 12 * GWEI
    assert world.block("3216") == []
    assert world.state.note is None


def test_a_base_fee_that_rises_before_the_block_drops_what_was_sent() -> None:
    world = placed()
    assert world.block("3500")
    standing = dict(world.rungs)
    world.base_fee_wei = 60 * GWEI
    assert world.block() == []
    assert (world.rungs, world.state.note, world.state.failures) == (standing, Note.GAS_PRICE, 0)
    world.base_fee_wei = 12 * GWEI
    world.until_quiet()
    assert world.state.completed >= 2
    assert len(world.rungs) == 5


def test_a_budget_is_never_passed_even_by_the_worst_case() -> None:
    world = World(calm(gas_budget_usd=Decimal(60)))
    for _ in range(12):
        world.block()
        assert world.state.gas_spent <= 60 * 10**6
    assert world.state.note is Note.GAS_BUDGET
    before = len(world.sent)
    world.blocks(5, "3300")
    assert len(world.sent) == before


def test_the_documents_budget_is_enough_for_its_ladder() -> None:
    world = World(calm(gas_budget_usd=Decimal(100)))
    world.until_quiet()
    assert len(world.rungs) == 5
    assert world.state.gas_spent <= 100 * 10**6


def test_a_ladder_that_the_budget_left_unfinished_is_placed_when_it_is_raised() -> None:
    world = World(calm(gas_budget_usd=Decimal(60)))
    world.blocks(12)
    assert (len(world.rungs) < 5, world.state.note) == (True, Note.GAS_BUDGET)
    world.config = calm(gas_budget_usd=Decimal(500))
    world.until_quiet()
    assert (len(world.rungs), world.state.note) == (5, None)


def test_closing_does_not_mind_the_budget() -> None:
    world = World(calm(gas_budget_usd=Decimal(60)))
    world.blocks(12)
    assert 0 < len(world.rungs) < 5
    assert world.state.note is Note.GAS_BUDGET
    spent = world.state.gas_spent
    world.active = Active.CLOSE
    world.until_quiet()
    assert (world.rungs, world.state.status) == ({}, Status.STOPPED)
    assert world.state.gas_spent == spent


def test_without_ether_nothing_is_sent() -> None:
    world = World(ether_wei=10**15)
    assert world.block() == []
    assert world.state.note is Note.NO_ETH
    world.ether_wei = 2 * 10**17
    world.until_quiet()
    assert len(world.rungs) == 5


def test_what_ether_does_not_cover_in_one_block_comes_in_the_next() -> None:
    world = World(ether_wei=5 * 10**16)
    world.block()
    assert kinds(world.block()) == [MintRung] * 2
    world.until_quiet()
    assert 2 < len(world.rungs) <= 5


def test_other_bounds_close_what_is_outside_them() -> None:
    world = placed()
    world.patch(min_price=3300, max_price=4000)
    assert world.block() == []
    assert world.state.note is Note.OUT_OF_BOUNDS
    acts = world.block("3330")
    assert [act.bucket for act in acts if isinstance(act, CloseRung)] == [325, 326, 327]
    world.until_quiet()
    eligible = world.config.eligible(world.terms)
    assert world.rungs
    assert all(bucket in eligible for bucket in world.rungs)


def test_fewer_rungs_are_closed_from_the_farthest() -> None:
    world = placed()
    world.patch(max_bots=2)
    world.block()
    world.until_quiet()
    assert sorted(world.rungs) == [325, 326]


def test_more_funding_places_the_whole_ladder_anew_and_less_waits() -> None:
    world = placed()
    world.patch(funding_usd=30_000)
    assert world.block() == []
    world.patch(funding_usd=40_000)
    assert kinds(world.block()) == [CloseRung] * 5
    world.until_quiet()
    assert len(world.rungs) == 5
    assert world.state.highest_funding_usd == 50_000
    world.patch(funding_usd=60_000)
    world.fund(10_000 * 10**6)
    world.block()
    world.until_quiet()
    assert world.state.highest_funding_usd == 60_000
    assert world.terms.base_and_quote(world.wallet)[1] < 10_000 * 10**6


def test_two_droids_share_buckets_and_each_has_its_own_positions() -> None:
    first = placed()
    second = World(calm(), owner=b"\3" * 20)
    second.pool, second.time_s, second.others = first.pool, first.time_s, first.others
    second.tokens = second.counted()
    second.until_quiet()
    assert set(first.rungs) == set(second.rungs)
    second.active = Active.CLOSE
    second.until_quiet()
    assert second.rungs == {}
    first.time_s, first.others, first.active = second.time_s, second.others, Active.CLOSE
    first.tokens = first.counted()
    first.until_quiet()
    assert first.rungs == {}


def test_a_signal_on_an_edge_belongs_to_the_bucket_above_the_tick() -> None:
    """That is where tick 195600 is the lower one: the same as the pool's own price."""
    world = World(calm(max_bots=1), price="3203.499390227805")
    assert world.pool.state.tick == 195600
    world.until_quiet()
    assert sorted(world.rungs) == [326]


def test_a_mint_that_fails_is_computed_anew_and_the_third_failure_pauses() -> None:
    world = placed()
    world.block("4500")
    world.fails = lambda act: isinstance(act, MintRung)
    world.blocks(2)
    for failures in (1, 2):
        assert set(kinds(world.block())) == {MintRung}
        assert world.state.failures == failures
    assert world.block() == []
    assert (world.state.status, world.state.note) == (Status.PAUSED, Note.FAILED)
    assert (world.active, world.rungs) == (Active.PAUSE, {})
    world.fails = lambda _: False
    assert world.block() == []
    world.active = Active.RUN
    world.until_quiet()
    assert len(world.rungs) == 5
    assert world.state.note is None


def test_one_mint_of_a_block_that_fails_comes_alone_in_the_next() -> None:
    world = World()
    world.fails = lambda act: act.label == "1/1/mint/2/325"
    world.blocks(2)
    acts = world.block()
    assert [act.label for act in acts] == ["1/1/mint/3/325"]
    world.until_quiet()
    assert sorted(world.rungs) == [323, 324, 325, 326, 327]


def test_a_price_that_moves_too_far_before_the_block_makes_the_swap_fail() -> None:
    world = World()
    world.block()
    acts = world.block(price_before="3255")
    assert kinds(acts) == [SwapExactIn]
    assert world.state.failures == 1
    world.until_quiet()
    assert (len(world.rungs), world.state.failures) == (5, 0)


def test_a_fast_signal_waits_and_is_noted() -> None:
    world = World(calm(derivative_threshold=Decimal("0.05")))
    world.until_quiet()
    assert world.block("3500") == []
    assert world.state.note is Note.SPEED
    world.blocks(49)
    assert world.state.note is Note.SPEED
    acts = world.block() or world.block()
    assert acts
    assert world.state.note is None


def test_a_signal_that_stays_fast_is_waited_for_so_long_and_no_longer() -> None:
    world = World(calm(derivative_threshold=Decimal("0.00001")))
    world.until_quiet()
    price, waited = 3400, 0
    while not world.block(str(price)):
        assert world.state.note is Note.SPEED
        price, waited = price + 1, waited + 1
    assert waited * BLOCK_S == 12 * MEMORY_S


def test_the_other_pool_has_the_same_ladder_from_the_other_side() -> None:
    world = World(pool_id=43)
    world.until_quiet()
    assert sorted(world.rungs) == [-328, -327, -326, -325, -324]
    world.block("3500")
    world.until_quiet()
    assert world.state.completed == 2
    assert sorted(world.rungs) == [-327, -326, -325, -324, -323]
