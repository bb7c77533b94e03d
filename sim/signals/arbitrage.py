"""The arbitrage agent: the perpetual against other venues of its base asset, beyond both fees."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sim.signals.signal import Action, Numbers, Signal, bounded, said, shown
from sim.signals.terms import ArbitrageTerms


@dataclass(frozen=True)
class Venue:
    """Where the base asset is traded, as it was seen `age_s` ago.

    bid, ask        best prices; of a pool, its price for a small trade without the fee
    taker_fee       a part of 1
    liquidity       what lies at the best prices, the smaller side, in quote units
    """

    name: str
    bid: float
    ask: float
    taker_fee: float
    liquidity: float
    age_s: float


@dataclass(frozen=True)
class Chance:
    """Buying the perpetual and selling elsewhere, or the other way round.

    profit_pct   beyond both taker fees, in % of what is bought
    """

    action: Action
    other: Venue
    profit_pct: float


def signal_of(perpetual: Venue | None, others: Sequence[Venue], terms: ArbitrageTerms) -> Signal:
    if perpetual is None or not _is_usable(perpetual, terms):
        return _silent("There is no fresh price of the perpetual.")
    usable = sorted((one for one in others if _is_usable(one, terms)), key=lambda one: one.name)
    if not usable:
        return _silent("There is no fresh price at another venue.")
    chances = [chance for other in usable for chance in chances_at(perpetual, other)]
    best = max(chances, key=lambda one: one.profit_pct)
    score = score_of(best, perpetual, terms)
    numbers: Numbers = {"profit_pct": best.profit_pct, "score": score, "venue": best.other.name}
    told = (
        told_of(best),
        f"Its score of profit, liquidity and freshness is {shown(score)}, "
        f"and {shown(terms.score_min)} is asked.",
    )
    if best.profit_pct <= terms.profit_min_pct or score < terms.score_min:
        return said(Action.HOLD, 0.0, numbers, *told, "So it holds.")
    return said(best.action, score, numbers, *told, f"So it says {best.action} of the perpetual.")


def told_of(best: Chance) -> str:
    """What the best chance comes to, as a sentence."""
    profit, name = f"{shown(best.profit_pct)} %", best.other.name
    if best.profit_pct < 0:
        return (
            f"The best difference, to {name}, is {profit} after both taker fees, and pays nobody."
        )
    cheap = "cheap" if best.action is Action.BUY else "dear"
    return f"The perpetual is {cheap} against {name} by {profit} beyond both taker fees."


def chances_at(perpetual: Venue, other: Venue) -> tuple[Chance, Chance]:
    fees = perpetual.taker_fee + other.taker_fee
    return (
        Chance(Action.BUY, other, 100 * (other.bid / perpetual.ask - 1 - fees)),
        Chance(Action.SELL, other, 100 * (perpetual.bid / other.ask - 1 - fees)),
    )


def score_of(chance: Chance, perpetual: Venue, terms: ArbitrageTerms) -> float:
    """0 to 1: nothing without a profit, however liquid and fresh."""
    if chance.profit_pct <= 0:
        return 0.0
    profit = 1 - math.exp(-chance.profit_pct / terms.profit_scale_pct)
    liquidity = min(perpetual.liquidity, chance.other.liquidity) / terms.liquidity_full
    freshness = 1 - max(perpetual.age_s, chance.other.age_s) / terms.stale_s
    return bounded(
        terms.profit_weight * profit
        + terms.liquidity_weight * bounded(liquidity)
        + terms.freshness_weight * bounded(freshness)
    )


def _is_usable(venue: Venue, terms: ArbitrageTerms) -> bool:
    return venue.bid > 0 and venue.ask > 0 and venue.age_s < terms.stale_s


def _silent(why: str) -> Signal:
    return said(Action.HOLD, 0.0, {}, why, "Without two prices it holds.")
