"""Indicators as their textbooks have them, in plain Python: Wilder's RSI and ADX, Appel's MACD,
Bollinger's bands. Means begin at the first value, so only long courses are compared."""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt


def ema(values: Sequence[float], period: int) -> list[float]:
    found = [sum(values[:period]) / period]
    for value in values[period:]:
        found.append(found[-1] + 2 / (period + 1) * (value - found[-1]))
    return found


def wilder(values: Sequence[float], period: int) -> list[float]:
    found = [sum(values[:period]) / period]
    for value in values[period:]:
        found.append((found[-1] * (period - 1) + value) / period)
    return found


def rsi(closes: Sequence[float], period: int) -> float:
    changes = [after - before for before, after in pairwise(closes)]
    gain = wilder([max(change, 0) for change in changes], period)[-1]
    loss = wilder([max(-change, 0) for change in changes], period)[-1]
    return 100 - 100 / (1 + gain / loss) if loss else 100.0


def macd_histogram(closes: Sequence[float], fast: int, slow: int, signal: int) -> float:
    slower = ema(closes, slow)
    faster = ema(closes, fast)[-len(slower) :]
    line = [one - other for one, other in zip(faster, slower, strict=True)]
    return line[-1] - ema(line, signal)[-1]


def bands(closes: Sequence[float], period: int, deviations: float) -> tuple[float, float, float]:
    last = closes[-period:]
    middle = sum(last) / period
    deviation = sqrt(sum((close - middle) ** 2 for close in last) / period)
    return middle - deviations * deviation, middle, middle + deviations * deviation


def adx(
    highs: Sequence[float], lows: Sequence[float], closes: Sequence[float], period: int
) -> float:
    ranges, ups, downs = [], [], []
    for at in range(1, len(closes)):
        up, down = highs[at] - highs[at - 1], lows[at - 1] - lows[at]
        ups.append(up if up > down and up > 0 else 0.0)
        downs.append(down if down > up and down > 0 else 0.0)
        before = closes[at - 1]
        ends = highs[at] - lows[at], abs(highs[at] - before), abs(lows[at] - before)
        ranges.append(max(ends))
    true = wilder(ranges, period)
    plus = [one / all_ for one, all_ in zip(wilder(ups, period), true, strict=True)]
    minus = [one / all_ for one, all_ in zip(wilder(downs, period), true, strict=True)]
    moves = [100 * abs(p - m) / (p + m) for p, m in zip(plus, minus, strict=True)]
    return wilder(moves, period)[-1]
