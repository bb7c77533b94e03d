"""The trend agent: two means that part while ADX calls it a trend."""

from sim.signals import indicators
from sim.signals.candles import Candles
from sim.signals.signal import Action, Signal, bounded, said, shown, warming_up
from sim.signals.terms import TrendTerms


def signal_of(candles: Candles, terms: TrendTerms) -> Signal:
    needed = max(terms.ema_slow, indicators.adx_candles(terms.adx_period))
    if len(candles) < needed:
        return warming_up(len(candles), needed)
    gap_pct = indicators.ema_gap_pct(candles, terms.ema_fast, terms.ema_slow)
    adx = indicators.adx(candles, terms.adx_period)
    reward_to_risk = terms.take_profit / terms.stop_loss
    confidence = confidence_of(adx, gap_pct, terms)
    numbers = {"ema_gap_pct": gap_pct, "adx": adx, "reward_to_risk": reward_to_risk}
    told = (
        f"The gap of EMA {terms.ema_fast} over EMA {terms.ema_slow} is {shown(gap_pct)} %.",
        f"ADX is {shown(adx)}, and a trend begins at {shown(terms.adx_min)}.",
        f"Reward to risk is {shown(reward_to_risk)}, "
        f"and {shown(terms.reward_to_risk_min)} is asked.",
    )
    if adx < terms.adx_min or gap_pct == 0 or reward_to_risk < terms.reward_to_risk_min:
        return said(Action.HOLD, 0.0, numbers, *told, "So it holds.")
    action = Action.BUY if gap_pct > 0 else Action.SELL
    return said(action, confidence, numbers, *told, f"It follows the trend: {action}.")


def confidence_of(adx: float, gap_pct: float, terms: TrendTerms) -> float:
    """Of the strength of the trend and of the gap, each up to its full scale."""
    strength = bounded(adx / terms.adx_full)
    return terms.adx_weight * strength + terms.gap_weight * bounded(
        abs(gap_pct) / terms.gap_full_pct
    )
