"""The reversion agent: a price at the edge of its bands is expected back, unless there is a trend.

Its confidences are the original's: 0.7 and 0.8 for a band, 0.7 and 0.9 for RSI.
"""

from sim.signals import indicators
from sim.signals.candles import Candles
from sim.signals.indicators import Bands
from sim.signals.signal import Action, Signal, bounded, said, shown, warming_up
from sim.signals.terms import ReversionTerms

TOUCH, BEYOND, NARROW_MORE = 0.7, 0.8, 0.1
LOW, VERY_LOW = 0.7, 0.9
AGREED_MORE, ALONE = 0.1, 0.8
IN_CONFLICT = 0.3

Word = tuple[Action, float]
NO_WORD: Word = (Action.HOLD, 0.0)


def signal_of(candles: Candles, terms: ReversionTerms) -> Signal:
    needed = max(
        terms.bollinger_period,
        indicators.rsi_candles(terms.rsi_period),
        indicators.adx_candles(terms.adx_period),
    )
    if len(candles) < needed:
        return warming_up(len(candles), needed)
    bands = indicators.bands(candles, terms.bollinger_period, terms.bollinger_deviations)
    rsi = indicators.rsi(candles, terms.rsi_period)
    adx = indicators.adx(candles, terms.adx_period)
    numbers = {"bands_place": bands.place, "bands_width": bands.width, "rsi": rsi, "adx": adx}
    told = (
        f"The close lies at {shown(bands.place)} between bands (−1 lower, 1 upper) "
        f"that are {shown(bands.width)} of price apart.",
        f"RSI is {shown(rsi)}, and ADX is {shown(adx)} where {shown(terms.adx_max)} is a trend.",
    )
    if adx >= terms.adx_max:
        return said(Action.HOLD, 0.0, numbers, *told, "A trend is left alone.")
    action, confidence, why = joined(_band_word(bands, terms), _rsi_word(rsi, terms))
    return said(action, confidence, numbers, *told, why, f"So it says {action}.")


def _band_word(bands: Bands, terms: ReversionTerms) -> Word:
    place = bands.place
    if abs(place) < 1 - terms.touch or not bands.half_width:
        return NO_WORD
    confidence = BEYOND if abs(place) > 1 else TOUCH
    confidence += NARROW_MORE if bands.width < terms.narrow else 0.0
    return (Action.SELL if place > 0 else Action.BUY), confidence


def _rsi_word(rsi: float, terms: ReversionTerms) -> Word:
    if terms.rsi_low <= rsi <= terms.rsi_high:
        return NO_WORD
    is_loud = rsi < terms.rsi_very_low or rsi > terms.rsi_very_high
    action = Action.BUY if rsi < terms.rsi_low else Action.SELL
    return action, VERY_LOW if is_loud else LOW


def joined(band: Word, rsi: Word) -> tuple[Action, float, str]:
    """What both say together, and why."""
    spoken = [word for word in (band, rsi) if word[0] is not Action.HOLD]
    if not spoken:
        return Action.HOLD, 0.0, "Neither the bands nor RSI see an extreme."
    if len(spoken) == 1:
        which = "the bands see" if spoken[0] is band else "RSI sees"
        return spoken[0][0], spoken[0][1] * ALONE, f"Only {which} an extreme."
    if band[0] is not rsi[0]:
        return Action.HOLD, IN_CONFLICT, "The bands and RSI contradict each other."
    confidence = bounded((band[1] + rsi[1]) / 2 + AGREED_MORE)
    return band[0], confidence, "The bands and RSI see the same extreme."
