"""How much of a market an account can open at once: by the rules that accept orders."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim.money.margin import Exposure, OrderTerms, lacking, market_order_limit, order_need
from sim.money.rules import MARKET_SLACK_PPM, reserve_ticks
from sim.rows.messages import Side


def affordable_lots(
    money: tuple[int, int],
    held: Sequence[Exposure],
    here: Exposure,
    side: Side,
    opposite: npt.NDArray[np.int64],
) -> int:
    """The most lots that a MARKET order of the account may be for.

    money      total and locked atoms of the collateral
    here       what it has in the market; one of `held`, where it has anything there
    opposite   int64 (n, 3) of ticks, lots and orders that it would trade with, best first
    """
    low, high = 0, here.spec.max_quantity_lots
    while low < high:
        lots = (low + high + 1) // 2
        if _is_carried(money, held, here, side, opposite, lots):
            low = lots
        else:
            high = lots - 1
    return low


def _is_carried(
    money: tuple[int, int],
    held: Sequence[Exposure],
    here: Exposure,
    side: Side,
    opposite: npt.NDArray[np.int64],
    lots: int,
) -> bool:
    slack_ppm = MARKET_SLACK_PPM
    limit_ticks = market_order_limit(side, lots, opposite, here.mark_ticks, slack_ppm)
    if limit_ticks is None:
        return False
    bid_ticks = int(opposite[0, 0]) if side == Side.SELL else 0
    reckoned = reserve_ticks(side == Side.SELL, limit_ticks, bid_ticks, False)
    terms = OrderTerms(side, lots, limit_ticks, reckoned, False, False, False)
    return lacking(*money, held, order_need(here, terms)) is None
