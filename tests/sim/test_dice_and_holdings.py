import numpy as np
import pytest

from sim.populations.dice import BLOCK_TRADERS, UNIT, Dice
from sim.populations.holdings import Holdings
from sim.rows.messages import EVENT, EventKind, Rows, Side
from tests.sim.simulated_market import told

SEED = 11
FIRST = 5_000_000_000


def event(kind: EventKind, account: int = 0, order: int = -1, lots: int = 10, **more: int) -> Rows:
    row = np.zeros(1, EVENT)
    row["kind"], row["account_id"], row["order_id"] = kind, FIRST + account, order
    row["quantity_lots"], row["side"], row["price_ticks"] = lots, Side.BUY, 100
    for name, value in more.items():
        row[name] = value
    return row


def holdings(*events: Rows) -> Holdings:
    held = Holdings(range(FIRST, FIRST + 3))
    held.learn(told(np.concatenate(events), held.accounts))
    return held


def test_a_trader_draws_the_same_whoever_computes_it() -> None:
    whole = Dice(SEED, 1, 2 * BLOCK_TRADERS + 10).draw(0, 3, 7, 2)
    part = Dice(SEED, 1, 10, first_trader=2 * BLOCK_TRADERS).draw(0, 3, 7, 2)
    assert np.array_equal(whole[2 * BLOCK_TRADERS :], part)


@pytest.mark.parametrize(
    ("seed", "stream", "market", "life", "step"),
    [(12, 1, 0, 1, 1), (11, 2, 0, 1, 1), (11, 1, 1, 1, 1), (11, 1, 0, 2, 1), (11, 1, 0, 1, 2)],
)
def test_another_seed_strategy_market_life_or_step_draws_differently(
    seed: int, stream: int, market: int, life: int, step: int
) -> None:
    one = Dice(SEED, 1, 50).draw(0, 1, 1, 2)
    assert not np.array_equal(one, Dice(seed, stream, 50).draw(market, life, step, 2))


def test_draws_are_uniform() -> None:
    draws = Dice(SEED, 1, 100_000).draw(0, 1, 1, 2)
    assert draws.min() >= 0
    assert draws.max() < UNIT
    assert np.all(np.abs(draws.mean(axis=0) - UNIT / 2) < 300)
    assert np.abs(np.corrcoef(draws.T) - np.eye(8)).max() < 0.02
    buckets = np.bincount(draws.reshape(-1) >> 8, minlength=256)
    assert np.abs(buckets / 3_125 - 1).max() < 0.1


@pytest.mark.parametrize("activity_ppm", [0, 100, 5_000, 300_000, 999_999, 1_000_000])
def test_everybody_wakes_with_the_same_chance_and_on_its_own(activity_ppm: int) -> None:
    dice, steps, traders = Dice(SEED, 1, 5_000), 400, 5_000
    times = np.zeros(traders)
    together = 0
    for step in range(steps):
        places = dice.awake(0, 1, step, activity_ppm)
        assert np.all(np.diff(places) > 0)
        times[places] += 1
        together += int((np.diff(places) == 1).sum())
    chance = activity_ppm / 1_000_000
    pairs = steps * traders
    assert abs(times.sum() - pairs * chance) <= 5 * (pairs * chance * (1 - chance)) ** 0.5 + 1
    assert abs(together - pairs * chance**2) <= 6 * (pairs * chance**2) ** 0.5 + 1
    half = times[: traders // 2].sum() - times[traders // 2 :].sum()
    assert abs(half) <= 5 * (pairs * chance * (1 - chance)) ** 0.5


def test_whoever_wakes_does_so_in_a_part_too_and_draws_what_all_draw() -> None:
    traders = 2 * BLOCK_TRADERS + 10
    whole = Dice(SEED, 1, traders)
    part = Dice(SEED, 1, traders - BLOCK_TRADERS, first_trader=BLOCK_TRADERS)
    for step in range(50):
        places, draws = whole.wake(0, 3, step, 2_000, 2)
        theirs, drawn = part.wake(0, 3, step, 2_000, 2)
        second = places >= BLOCK_TRADERS
        assert np.array_equal(places[second], theirs + BLOCK_TRADERS)
        assert np.array_equal(draws[second], drawn)
        assert np.array_equal(whole.draw(0, 3, step, 2)[places], draws)


@pytest.mark.parametrize(("traders", "activity_ppm"), [(9_000, 20), (3, 20_000), (1, 0)])
def test_the_next_step_in_which_anybody_wakes_is_known(traders: int, activity_ppm: int) -> None:
    dice, after = Dice(SEED, 1, traders), 0
    woken = [step for step in range(1, 3_000) if len(dice.awake(0, 1, step, activity_ppm))]
    found = []
    while (after := dice.next_awake(0, 1, after, activity_ppm)) < 3_000:
        found.append(after)
    assert found == woken


def test_a_part_of_a_population_begins_at_a_block() -> None:
    with pytest.raises(ValueError, match="block"):
        Dice(SEED, 1, 10, first_trader=5)


def test_an_order_that_rested_was_filled_in_part_and_then_cancelled_is_gone() -> None:
    rested = event(EventKind.RESTED, account=1, order=-9)
    fill = event(EventKind.TRADE, account=-77, order=-3, lots=4, maker_order_id=-9, side=Side.SELL)
    fill["maker_account_id"] = FIRST + 1
    held = holdings(rested, fill)
    assert held.orders.remaining_lots.tolist() == [6]
    assert held.positions_lots.tolist() == [0, 4, 0]
    held.learn(told(event(EventKind.CANCELED, account=1, order=-9, lots=6), held.accounts))
    assert len(held.orders) == 0


def test_an_order_that_was_cut_goes_on_with_the_rest() -> None:
    held = holdings(
        event(EventKind.RESTED, account=1, order=-9),
        event(EventKind.REDUCED, account=1, order=-9, lots=3),
        event(EventKind.REDUCED, account=1, order=-77, lots=3),
    )
    assert held.orders.remaining_lots.tolist() == [7]
    fill = event(EventKind.TRADE, account=-77, order=-3, lots=7, maker_order_id=-9, side=Side.SELL)
    fill["maker_account_id"] = FIRST + 1
    held.learn(told(fill, held.accounts))
    assert len(held.orders) == 0


def test_a_trade_between_two_own_traders_moves_both() -> None:
    fill = event(EventKind.TRADE, account=0, lots=5, maker_account_id=FIRST + 2)
    assert holdings(fill).positions_lots.tolist() == [5, 0, -5]


def test_the_whole_life_of_an_order_in_one_batch_leaves_nothing() -> None:
    fill = event(EventKind.TRADE, account=-7, order=5, maker_order_id=-4, side=Side.SELL)
    fill["maker_account_id"] = FIRST
    held = holdings(event(EventKind.RESTED, order=-4), fill)
    assert len(held.orders) == 0
    assert held.positions_lots.tolist() == [10, 0, 0]


def test_an_order_that_cannot_be_cancelled_is_forgotten() -> None:
    held = holdings(event(EventKind.RESTED, order=-4), event(EventKind.CANCEL_REJECTED, order=-4))
    assert len(held.orders) == 0


def test_events_of_others_and_of_forgotten_orders_are_passed_over() -> None:
    held = holdings(event(EventKind.RESTED, account=50, order=-4))
    held.learn(told(event(EventKind.CANCELED, order=-123), held.accounts))
    assert len(held.orders) == 0
    assert not held.positions_lots.any()


def test_entering_forgets_orders_and_takes_positions_as_told() -> None:
    held = holdings(event(EventKind.RESTED, order=-4))
    held.enter(None)
    assert len(held.orders) == 0
    held.enter(np.array([1, -2, 3]))
    assert held.positions_lots.tolist() == [1, -2, 3]


def test_room_counts_the_position_and_what_is_open_on_that_side() -> None:
    held = holdings(event(EventKind.RESTED, account=0, order=-4, lots=30))
    held.positions_lots = np.array([20, 0, 0])
    who, buy, sell = np.array([0]), np.array([int(Side.BUY)]), np.array([int(Side.SELL)])
    assert held.room_lots(buy, who, 100).tolist() == [50]
    assert held.room_lots(sell, who, 100).tolist() == [120]
    assert held.room_lots(buy, who, 40).tolist() == [0]
