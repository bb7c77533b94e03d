"""Indicators beside their textbooks, and where these leave them undefined."""

import pytest

from sim.signals import indicators
from tests.sim import plain_indicators as plain
from tests.sim.agents_markets import candles_of, scaled, wandering

SEEDS = (1, 2, 3)
NEAR = 1e-7


@pytest.mark.parametrize("seed", SEEDS)
def test_rsi_is_wilders(seed: int) -> None:
    candles = wandering(seed)
    for period in (2, 14, 28):
        found = indicators.rsi(candles, period)
        assert found == pytest.approx(plain.rsi(candles.close.tolist(), period), rel=NEAR)


@pytest.mark.parametrize("seed", SEEDS)
def test_macd_is_told_in_percent_of_price(seed: int) -> None:
    candles = wandering(seed)
    histogram = plain.macd_histogram(candles.close.tolist(), 12, 26, 9)
    found = indicators.macd_histogram_pct(candles, 12, 26, 9)
    assert found == pytest.approx(100 * histogram / candles.last_close, rel=NEAR)


@pytest.mark.parametrize("seed", SEEDS)
def test_bands_are_bollingers(seed: int) -> None:
    candles = wandering(seed)
    lower, middle, upper = plain.bands(candles.close.tolist(), 20, 2)
    found = indicators.bands(candles, 20, 2)
    last = candles.last_close
    told = [one * last for one in (found.lower, found.middle, found.upper)]
    assert told == pytest.approx([lower, middle, upper], rel=NEAR)
    assert found.place == pytest.approx((last - middle) / (upper - middle), rel=1e-5)
    assert found.width == pytest.approx((upper - lower) / middle, rel=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_means_and_adx_are_the_textbooks(seed: int) -> None:
    candles = wandering(seed)
    closes = candles.close.tolist()
    gap = plain.ema(closes, 9)[-1] / plain.ema(closes, 50)[-1] - 1
    assert indicators.ema_gap_pct(candles, 9, 50) == pytest.approx(100 * gap, rel=NEAR)
    expected = plain.adx(candles.high.tolist(), candles.low.tolist(), closes, 14)
    assert indicators.adx(candles, 14) == pytest.approx(expected, rel=NEAR)


def test_a_price_that_stands_still_says_nothing() -> None:
    for closes in ([0.1] * 100, [*(100 + place for place in range(60)), *([160.3] * 60)]):
        candles = candles_of(closes)
        assert indicators.rsi(candles, 14) == 50
        assert indicators.bands(candles, 20, 2).half_width == 0
        assert indicators.bands(candles, 20, 2).place == 0
    assert indicators.adx(candles_of([0.1] * 100), 14) == 0
    assert indicators.ema_gap_pct(candles_of([0.1] * 100), 9, 50) == 0


def test_few_candles_are_enough_and_one_less_is_not() -> None:
    closes = wandering(4).close.tolist()
    assert indicators.rsi(candles_of(closes[: indicators.rsi_candles(14)]), 14) >= 0
    assert indicators.adx(candles_of(closes[: indicators.adx_candles(14)]), 14) >= 0
    enough = closes[: indicators.macd_candles(26, 9)]
    assert abs(indicators.macd_histogram_pct(candles_of(enough), 12, 26, 9)) >= 0
    short = indicators.macd_histogram_pct(candles_of(enough[1:]), 12, 26, 9)
    assert short != short, "TA-Lib has no number yet"


def test_volume_is_told_in_means_of_what_was_before() -> None:
    assert indicators.volume_ratio(candles_of([1.0] * 6, volumes=[1, 2, 3, 4, 5, 7]), 5) == 7 / 3
    assert indicators.volume_ratio(candles_of([1.0] * 6, volumes=[0, 0, 0, 0, 0, 7]), 5) == 0


def test_no_indicator_depends_on_the_price_of_a_market() -> None:
    candles = wandering(5)
    for by in (1e-9, 0.37, 1e7):
        other = scaled(candles, by)
        assert indicators.rsi(other, 14) == pytest.approx(indicators.rsi(candles, 14))
        assert indicators.adx(other, 14) == pytest.approx(indicators.adx(candles, 14))
        assert indicators.bands(other, 20, 2).place == pytest.approx(
            indicators.bands(candles, 20, 2).place, rel=1e-5
        )
