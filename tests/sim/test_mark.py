import pytest

from sim.money.mark import Quotes, book_price, next_mark

INDEX = 660_000


@pytest.mark.parametrize(
    ("touch", "expected"),
    [
        ((100, 104, 101), 101),
        ((100, 104, 90), 100),
        ((100, 104, 200), 104),
        ((100, 105, 0), 102),
        ((100, 0, 110), 105),
        ((0, 104, 0), 104),
        ((0, 0, 99), 99),
        ((0, 0, 0), INDEX),
    ],
)
def test_the_book_s_price_is_the_median_of_what_exists(
    touch: tuple[int, int, int], expected: int
) -> None:
    assert book_price(*touch, INDEX) == expected


def test_an_empty_market_is_marked_at_the_index() -> None:
    mark = next_mark(INDEX, Quotes(0, 0, 0), 0, 250_000)
    assert (mark.mark_ticks, mark.basis_ema_q20) == (INDEX, 0)


def test_one_wild_moment_hardly_moves_the_mark() -> None:
    mark = next_mark(INDEX, Quotes(726_000, 726_010, 726_005), 0, 250_000)
    assert INDEX < mark.mark_ticks < INDEX + 120


def test_a_lasting_premium_is_followed_with_a_time_constant_of_150_s() -> None:
    ema, premium = 0, 1_000
    for _ in range(600):
        mark = next_mark(INDEX, Quotes(INDEX + 999, INDEX + 1_001, INDEX + premium), ema, 250_000)
        ema = mark.basis_ema_q20
    assert 628 <= mark.mark_ticks - INDEX <= 636  # 1 − 1/e of it after 150 s
    for _ in range(12_000):
        mark = next_mark(INDEX, Quotes(INDEX + 999, INDEX + 1_001, INDEX + premium), ema, 250_000)
        ema = mark.basis_ema_q20
    assert mark.mark_ticks == INDEX + premium


def test_the_average_goes_back_to_nothing_while_a_side_is_missing() -> None:
    quotes, mark = Quotes(0, INDEX + 900, INDEX + 400), next_mark(INDEX, Quotes(0, 0, 0), 0, 0)
    ema = 500 << 20
    for _ in range(600):
        mark = next_mark(INDEX, quotes, ema, 250_000)
        ema = mark.basis_ema_q20
    assert 181 <= mark.mark_ticks - INDEX <= 186  # 1/e of it after 150 s


@pytest.mark.parametrize("way", [1, -1])
def test_nobody_quotes_mark_further_than_5_percent_from_the_index(way: int) -> None:
    ema, far = 0, INDEX + way * INDEX // 2
    for _ in range(100_000):
        mark = next_mark(INDEX, Quotes(far - 1, far + 1, far), ema, 250_000)
        ema = mark.basis_ema_q20
    assert abs(mark.mark_ticks - INDEX) == INDEX // 20 - 1  # to the tick below it
    spoken = next_mark(INDEX, Quotes(INDEX - 1, INDEX + 1, INDEX), ema, 250_000)
    assert spoken.mark_ticks in (INDEX, INDEX - 1, INDEX + 1)


def test_the_mark_is_never_outside_its_three_candidates() -> None:
    for last in range(-3_000, 3_000, 97):
        quotes = Quotes(INDEX - 50, INDEX + 50, INDEX + last)
        mark = next_mark(INDEX, quotes, -(300 << 20), 250_000)
        assert INDEX - 301 <= mark.mark_ticks <= INDEX + 50


def test_a_clock_that_goes_back_and_a_long_pause_do_no_harm() -> None:
    quotes = Quotes(INDEX + 999, INDEX + 1_001, INDEX + 1_000)
    assert next_mark(INDEX, quotes, 0, -5_000_000).basis_ema_q20 == 0
    hour = next_mark(INDEX, quotes, 0, 3_600_000_000)
    assert hour == next_mark(INDEX, quotes, 0, 10_000_000)


def test_a_mark_is_at_least_one_tick() -> None:
    assert next_mark(1, Quotes(0, 0, 0), -(900 << 20), 250_000).mark_ticks == 1
