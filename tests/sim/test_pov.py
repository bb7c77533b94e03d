import numpy as np

from tests.sim.volume_curve import DURATION, HEADS, SEED, executed

LARGE = {"parent_quote": 10_000_000, "sell_ppm": 0}


def test_the_participation_rate_is_kept_in_thin_and_in_thick_times() -> None:
    print(f"seed {SEED}")
    ran = executed("pov", participation_ppm=25_000, **LARGE)
    wanted = HEADS * 0.025
    for until in (DURATION // 2, DURATION * 3 // 4, DURATION):
        rate = ran.agents[until - 1] / ran.market[until - 1]
        print(f"after {until} steps: {rate:.4f} of the volume")
        assert abs(rate - wanted) < 0.1 * wanted
    last = slice(DURATION * 3 // 4, DURATION)
    assert abs(np.ptp(ran.agents[last]) / np.ptp(ran.market[last]) - wanted) < 0.15 * wanted


def test_an_order_that_is_done_is_done() -> None:
    ran = executed("pov", participation_ppm=100_000, parent_quote=2_000, sell_ppm=0)
    whole = ran.whole_lots
    assert np.array_equal(ran.traders.holdings[0].positions_lots, whole)
    assert ran.agents[DURATION // 2] == whole.sum()


def test_a_part_of_the_volume_below_one_lot_is_waited_for() -> None:
    ran = executed("pov", participation_ppm=1, parent_quote=10_000, sell_ppm=0)
    assert ran.agents[-1] == 0
