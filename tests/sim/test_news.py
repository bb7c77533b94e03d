"""Seeded news: the same for everybody who asks, some ten a day, and what they do to an index."""

from itertools import pairwise

import numpy as np

from sim.prices.headlines import GivenNews, Headline, moved_ticks
from sim.prices.news import DELAY_S_MAX, DELAY_S_MIN, MOVES_PPM_MAX, SeededNews
from sim.units import PPM

SEED = 20_260_101
T0_US = 1_767_225_600_000_000
SECOND_US, DAY_US = 1_000_000, 86_400_000_000
A_DAY = 10


def news(seed: int = SEED, a_day: int = A_DAY) -> SeededNews:
    return SeededNews(seed, ("BTC", "ETH"), a_day)


def strongest() -> Headline:
    """Of one asset, alone for a while before and after it."""
    days = SeededNews(SEED, ("BTC",), 1).public(T0_US, T0_US + 200 * DAY_US)
    times = np.array([one.at_us for one in days])
    alone = np.minimum(np.diff(times)[:-1], np.diff(times)[1:]) > DAY_US // 2
    strong = [one for one, is_alone in zip(days[1:-1], alone, strict=True) if is_alone]
    return max(strong, key=lambda one: one.score_ppm * one.weight_ppm)


def test_each_asset_has_some_ten_headlines_a_day_at_any_time_of_it() -> None:
    found = news().public(T0_US, T0_US + 100 * DAY_US)
    for asset in ("BTC", "ETH"):
        times = [one.at_us for one in found if one.asset == asset]
        assert 900 < len(times) < 1_100
        by_quarter = np.bincount([at % DAY_US * 4 // DAY_US for at in times])
        assert min(by_quarter) > 180
    scores = np.array([one.score_ppm for one in found])
    assert abs(scores.mean()) < PPM // 20
    assert -PPM <= scores.min() < -PPM // 2 < PPM // 2 < scores.max() <= PPM
    assert all(one.asset in one.text and 0 < one.weight_ppm <= PPM for one in found)


def test_what_is_told_does_not_depend_on_when_it_is_asked_for() -> None:
    whole = news().public(T0_US, T0_US + DAY_US)
    cuts = [T0_US + number * DAY_US // 7 for number in range(8)]
    pieces = [news().public(*pair) for pair in pairwise(cuts)]
    assert [one for piece in pieces for one in piece] == whole
    assert whole == sorted(whole, key=lambda one: (one.at_us, one.asset))
    assert news(SEED + 1).public(T0_US, T0_US + DAY_US) != whole
    assert news(a_day=0).public(T0_US, T0_US + DAY_US) == []


def test_an_index_follows_a_good_headline_after_a_delay_and_comes_back() -> None:
    headline = strongest()
    seconds = np.arange(-60, 8 * 3_600)
    times_us = headline.at_us + seconds * SECOND_US
    moves = SeededNews(SEED, ("BTC",), 1).moves_ppm("BTC", times_us)
    began = seconds[np.flatnonzero(moves)[0]]
    assert DELAY_S_MIN <= began <= DELAY_S_MAX + 2
    highest = seconds[moves.argmax()]
    assert 250 < highest - began <= 300
    assert 500 < moves.max() <= 3_000
    assert moves[-1] == 0
    assert np.abs(np.diff(moves)).max() < 50, "no jump from one second to the next"


def test_all_headlines_together_move_an_index_within_bounds() -> None:
    times_us = T0_US + np.arange(0, 20 * DAY_US, 60 * SECOND_US)
    usual = news().moves_ppm("BTC", times_us)
    assert 0 < np.abs(usual).max() < 10_000
    most = news(a_day=1_440).moves_ppm("BTC", times_us)
    assert np.abs(most).max() <= MOVES_PPM_MAX
    assert not news().moves_ppm("SOL", times_us).any()


def test_an_instant_is_moved_as_in_a_whole_path() -> None:
    times_us = T0_US + np.arange(0, DAY_US // 4, 30 * SECOND_US)
    alone = [int(news().moves_ppm("ETH", times_us[at : at + 1])[0]) for at in range(len(times_us))]
    assert news().moves_ppm("ETH", times_us).tolist() == alone


def test_a_moved_price_stays_a_price() -> None:
    ticks, moves = np.array([1, 1_000_000, 2**31 - 1]), np.array([-20_000, -20_000, 20_000])
    assert moved_ticks(ticks, moves, 2**31 - 1).tolist() == [1, 980_000, 2**31 - 1]


def test_collected_headlines_are_told_in_their_order_and_move_nothing() -> None:
    late = Headline(T0_US + 5, "BTC", "late", PPM, "me")
    early = Headline(T0_US, "BTC", "early", -PPM, "me")
    given = GivenNews([late, early])
    assert given.public(T0_US, T0_US + 6) == [early, late]
    assert given.public(T0_US, T0_US + 5) == [early]
    assert given.moves_ppm("BTC", np.array([T0_US + 400 * SECOND_US])).tolist() == [0]
