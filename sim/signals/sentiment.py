"""The sentiment agent: what headlines say, the newer the louder."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sim.signals.signal import Action, Signal, bounded, ratio, said, shown
from sim.signals.terms import SentimentTerms

HOUR_S = 3_600
WORD = re.compile(r"[a-z]+")
GOOD = frozenset(
    (
        *("adoption", "approval", "approved", "approves", "beats", "boom", "breakout", "bullish"),
        *("buys", "gain", "gains", "growth", "high", "inflows", "launch", "partnership", "profit"),
        *("rally", "record", "rise", "rises", "soars", "surge", "upgrade"),
    )
)
BAD = frozenset(
    (
        *("attack", "ban", "bankruptcy", "bearish", "breach", "collapse", "crash", "decline"),
        *("exploit", "fall", "falls", "fear", "fraud", "hack", "hacked", "lawsuit", "liquidation"),
        *("loss", "outflows", "plunge", "plunges", "probe", "scam", "selloff"),
    )
)


@dataclass(frozen=True)
class Headline:
    """One piece of news: its score, −1 to 1, or a text that is scored by its words."""

    time_s: float
    source_weight: float = 1.0
    text: str = ""
    score: float | None = None

    @property
    def mood(self) -> float | None:
        """None where no word says anything."""
        return score_of(self.text) if self.score is None else bounded(self.score, -1, 1)


def score_of(text: str) -> float | None:
    """Good words less bad words, of both."""
    words = WORD.findall(text.lower())
    good, bad = sum(word in GOOD for word in words), sum(word in BAD for word in words)
    return (good - bad) / (good + bad) if good + bad else None


def signal_of(headlines: Sequence[Headline], now_s: float, terms: SentimentTerms) -> Signal:
    """News from the future are not known yet."""
    reach_s = terms.forgotten_h * HOUR_S
    known = [one for one in headlines if 0 <= now_s - one.time_s <= reach_s]
    weighed = [
        (mood, one.source_weight * math.exp((one.time_s - now_s) / HOUR_S / terms.decay_h))
        for one in known
        if (mood := one.mood) is not None and one.source_weight > 0
    ]
    if not weighed:
        return _silent(terms)
    tilt = math.fsum(mood * weight for mood, weight in weighed)
    mean = bounded(ratio(tilt, math.fsum(weight for _, weight in weighed)), -1, 1)
    agreement = ratio(abs(tilt), math.fsum(abs(mood) * weight for mood, weight in weighed))
    return _judged(mean, bounded(agreement), len(weighed), terms)


def _judged(mean: float, agreement: float, count: int, terms: SentimentTerms) -> Signal:
    enough = bounded(count / terms.headlines_full)
    numbers = {"headlines": count, "mean_score": mean, "agreement": agreement}
    told = (
        f"The mean of {count} headlines is {shown(mean)} (−1 to 1), "
        f"and it speaks from {shown(terms.threshold)}.",
        f"They agree by {shown(agreement)}, and {terms.headlines_full} would be enough.",
    )
    if abs(mean) < terms.threshold:
        return said(Action.HOLD, 0.0, numbers, *told, "So it holds.")
    action = Action.BUY if mean > 0 else Action.SELL
    confidence = (0.5 + 0.5 * abs(mean)) * enough * agreement
    return said(action, confidence, numbers, *told, f"So it says {action}.")


def _silent(terms: SentimentTerms) -> Signal:
    numbers = {"headlines": 0.0}
    told = f"There are 0 headlines with an opinion in {shown(terms.forgotten_h)} hours."
    return said(Action.HOLD, 0.0, numbers, told, "Without news it holds.")
