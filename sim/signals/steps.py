"""What a session does with a consensus, and at which prices a position of it is left."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from sim.market import MarketSpec
from sim.rows.messages import OrderType
from sim.signals.signal import Action
from sim.signals.terms import RiskTerms
from sim.units import ceil_div


class Step(StrEnum):
    """A position is closed before one of the other side is opened, in a later cycle."""

    NOTHING = "NOTHING"
    OPEN_LONG = "OPEN_LONG"
    OPEN_SHORT = "OPEN_SHORT"
    CLOSE_LONG = "CLOSE_LONG"
    CLOSE_SHORT = "CLOSE_SHORT"

    @property
    def opens(self) -> bool:
        return self in (Step.OPEN_LONG, Step.OPEN_SHORT)

    @property
    def is_sale(self) -> bool:
        return self in (Step.OPEN_SHORT, Step.CLOSE_LONG)


class ExitReason(StrEnum):
    """Why a position was closed."""

    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    SIGNAL = "signal"
    SESSION_STOPPED = "session_stopped"
    LIQUIDATED = "liquidated"
    MANUAL = "manual"


@dataclass(frozen=True)
class Exits:
    """Prices at which a position is left; None where there is no such price in the market."""

    stop_ticks: int | None
    take_ticks: int | None


def step_of(action: Action, position_lots: int) -> Step:
    """Of a session whose position is so many lots, below zero when short."""
    if action is Action.BUY and position_lots <= 0:
        return Step.CLOSE_SHORT if position_lots else Step.OPEN_LONG
    if action is Action.SELL and position_lots >= 0:
        return Step.CLOSE_LONG if position_lots else Step.OPEN_SHORT
    return Step.NOTHING


def exits_of(entry_ticks: int, is_long: bool, market: MarketSpec, terms: RiskTerms) -> Exits:
    """Stop loss and take profit of a position that was entered at a price.

    Both are rounded in the session's favour, up for a long and down for a short: it never loses
    more or wins less than it set, but for the fill. Neither is the entry itself.
    """
    loss, profit = exact(terms.default_stop_loss), exact(terms.default_take_profit)
    if is_long:
        stop = min(ceil_ticks(entry_ticks * (1 - loss)), entry_ticks - 1)
        take = max(ceil_ticks(entry_ticks * (1 + profit)), entry_ticks + 1)
    else:
        stop = max(floor_ticks(entry_ticks * (1 + loss)), entry_ticks + 1)
        take = min(floor_ticks(entry_ticks * (1 - profit)), entry_ticks - 1)
    return Exits(_in_market(stop, market), _in_market(take, market))


def lacking_exits(
    held: tuple[int, int, int],
    left_lots: Mapping[OrderType, int],
    market: MarketSpec,
    terms: RiskTerms,
) -> Iterator[tuple[OrderType, int, int]]:
    """Of what leaves an open position by itself that which is missing: STOP or TAKE_PROFIT, the
    price in ticks that it waits for, and its lots.

    held        lots, their direction (1 LONG, -1 SHORT), and the mean price of the entry in ticks
    left_lots   what waits already
    """
    lots, direction, entry_ticks = held
    exits = exits_of(entry_ticks, direction > 0, market, terms)
    both = ((OrderType.STOP, exits.stop_ticks), (OrderType.TAKE_PROFIT, exits.take_ticks))
    for kind, ticks in both:
        missing = min(lots - left_lots.get(kind, 0), market.max_quantity_lots)
        if ticks is not None and missing >= market.min_quantity_lots:
            yield kind, ticks, missing


def exact(value: float) -> Fraction:
    """The decimal that somebody wrote, not the double it was kept in."""
    return Fraction(repr(value))


def floor_ticks(ticks: Fraction) -> int:
    return ticks.numerator // ticks.denominator


def ceil_ticks(ticks: Fraction) -> int:
    return ceil_div(ticks.numerator, ticks.denominator)


def _in_market(ticks: int, market: MarketSpec) -> int | None:
    return ticks if 1 <= ticks <= market.max_price_ticks else None
