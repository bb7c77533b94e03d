"""What traders see of a market: one maker of views, live and in simulations."""

from sim.book.engine import MarketEngine
from sim.populations.population import Integers, MarketView
from sim.units import PPM

VIEW_LEVELS = 20
"""Levels of a side that traders see."""

Levels = tuple[Integers, Integers]
"""Bids and asks as in MarketView."""

Range = tuple[int, int, int]
"""The first, the highest and the lowest price in ticks of some trades."""

NO_TRADES: Range = (0, 0, 0)


def levels_of(engine: MarketEngine) -> Levels:
    """The levels that traders see of a book now."""
    return engine.depth(VIEW_LEVELS)


def view_of(
    engine: MarketEngine,
    levels: Levels,
    time_us: int,
    prices_ticks: tuple[int, int],
    volume_lots: int,
    activity_ppm: int = PPM,
    traded_ticks: Range = NO_TRADES,
) -> MarketView:
    """The market at a time.

    levels        of `levels_of`, which a book that has not changed need not be asked for again
    prices_ticks  index and mark
    traded_ticks  of the trades since the view before
    """
    return MarketView(
        engine.spec,
        engine.event_seq,
        time_us,
        *prices_ticks,
        engine.best_bid_ticks,
        engine.best_ask_ticks,
        engine.last_price_ticks,
        *levels,
        volume_lots,
        activity_ppm,
        *traded_ticks,
    )
