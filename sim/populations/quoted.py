"""When a market counts as quoted: somebody makes it."""

from sim.units import PPM

QUOTED_PPM = 5_000
"""How far from the index a best quote may stand, as a part of it: both are within 1 % then."""


def is_quoted(
    index_ticks: int, best_bid_ticks: int, best_ask_ticks: int, within_ppm: int = QUOTED_PPM
) -> bool:
    """Whether both best quotes stand around the index: so near to it, or within a tick.

    A bid and an ask that are close to one another, but not to the index, are no quotes. Each price
    is 0 where there is none.
    """
    if min(index_ticks, best_bid_ticks, best_ask_ticks) < 1:
        return False
    reach_ticks = max(1, index_ticks * within_ppm // PPM)
    return index_ticks - reach_ticks <= best_bid_ticks < best_ask_ticks <= index_ticks + reach_ticks
