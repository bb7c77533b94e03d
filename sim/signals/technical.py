"""The technical agent: RSI, MACD, Bollinger's bands, two means and volume, weighed."""

from sim.signals import indicators
from sim.signals.candles import Candles
from sim.signals.signal import Part, Signal, leaning, mixed, quiet, shown, warming_up
from sim.signals.terms import TechnicalTerms


def signal_of(candles: Candles, terms: TechnicalTerms) -> Signal:
    needed = candles_needed(terms)
    if len(candles) < needed:
        return warming_up(len(candles), needed)
    rsi = indicators.rsi(candles, terms.rsi_period)
    macd_pct = indicators.macd_histogram_pct(
        candles, terms.macd_fast, terms.macd_slow, terms.macd_signal
    )
    bands = indicators.bands(candles, terms.bollinger_period, terms.bollinger_deviations)
    gap_pct = indicators.ema_gap_pct(candles, terms.ema_fast, terms.ema_slow)
    volume = indicators.volume_ratio(candles, terms.volume_period)
    body = float(candles.close[-1] - candles.open[-1])
    parts = [
        rsi_part(rsi, terms),
        macd_part(macd_pct, terms),
        bands_part(bands.place, terms),
        trend_part(gap_pct, terms),
        volume_part(volume, body, terms),
    ]
    numbers = {
        "rsi_value": rsi,
        "macd_histogram_pct": macd_pct,
        "bands_place": bands.place,
        "ema_gap_pct": gap_pct,
        "volume_ratio": volume,
    }
    return mixed(parts, numbers, _sentences(numbers, terms))


def candles_needed(terms: TechnicalTerms) -> int:
    return max(
        indicators.rsi_candles(terms.rsi_period),
        indicators.macd_candles(terms.macd_slow, terms.macd_signal),
        terms.bollinger_period,
        terms.ema_slow,
        terms.volume_period + 1,
    )


def rsi_part(rsi: float, terms: TechnicalTerms) -> Part:
    """The louder, the deeper it is beyond its level."""
    if rsi < terms.rsi_low:
        depth = (terms.rsi_low - rsi) / terms.rsi_low
    elif rsi > terms.rsi_high:
        depth = (rsi - terms.rsi_high) / (100 - terms.rsi_high)
    else:
        return quiet("rsi", terms.rsi_weight)
    return leaning("rsi", terms.rsi_weight, terms.rsi_low - rsi, 0.5 + 0.5 * depth)


def macd_part(histogram_pct: float, terms: TechnicalTerms) -> Part:
    if abs(histogram_pct) < 100 * indicators.FLAT:
        return quiet("macd", terms.macd_weight)
    full = abs(histogram_pct) / terms.macd_full_pct
    return leaning("macd", terms.macd_weight, histogram_pct, full)


def bands_part(place: float, terms: TechnicalTerms) -> Part:
    """Beyond a band it is expected back."""
    if abs(place) < 1:
        return quiet("bollinger", terms.bollinger_weight)
    return leaning("bollinger", terms.bollinger_weight, -place, 0.5 * abs(place))


def trend_part(gap_pct: float, terms: TechnicalTerms) -> Part:
    if gap_pct == 0:
        return quiet("trend", terms.trend_weight)
    return leaning("trend", terms.trend_weight, gap_pct, max(0.5, 0.5 * abs(gap_pct)))


def volume_part(volume_ratio: float, body: float, terms: TechnicalTerms) -> Part:
    """Much volume confirms the way of its candle."""
    if volume_ratio < terms.volume_surge or body == 0:
        return quiet("volume", terms.volume_weight)
    return leaning("volume", terms.volume_weight, body, 0.5 * volume_ratio / terms.volume_surge)


def _sentences(numbers: dict[str, float], terms: TechnicalTerms) -> tuple[str, ...]:
    rsi, macd, place, gap, volume = map(shown, numbers.values())
    return (
        f"RSI is {rsi} (levels {shown(terms.rsi_low)} and {shown(terms.rsi_high)}), "
        f"the MACD histogram {macd} % of price.",
        f"The close lies at {place} between the bands (−1 lower, 1 upper).",
        f"The gap of EMA {terms.ema_fast} over EMA {terms.ema_slow} is {gap} %, "
        f"volume is {volume} of its mean.",
    )
