"""Orders that wait for a trigger, as far as money is concerned. Integers, no I/O.

Mark will be about where the trigger is when it is met, so an order is judged there: its limit lies
within the band around the trigger, and what becomes MARKET trades no further from it than a MARKET
order does from mark. But a trade may meet a trigger while mark stands elsewhere, so what an order
may lose is reckoned against mark, as far as the market's band lets it trade: see `order_loss_ticks`
in margin.py.
"""

from typing import NamedTuple

from sim.market import MarketSpec
from sim.money.rules import MARKET_BAND_PPM
from sim.orders import PlaceOrder
from sim.price_band import highest_purchase_ticks, lowest_sale_ticks
from sim.rows.messages import OrderType, Side
from sim.rows.order_types import LIMIT, is_stop, type_when_triggered


class Prices(NamedTuple):
    """Of a market at this moment, in ticks; the last two are 0 where there is none."""

    mark_ticks: int
    last_ticks: int
    best_bid_ticks: int


def followed_ticks(order: PlaceOrder, prices: Prices) -> int:
    """The price that an order waits for, as it stands; mark where nothing has traded yet."""
    return prices.mark_ticks if order.terms.on_mark else prices.last_ticks or prices.mark_ticks


def nearest_trigger_ticks(order: PlaceOrder, prices: Prices) -> int:
    """The price at which an order is triggered: where its trigger is met already, the price now.
    Of a TRAILING one, if the price turned now; from here on that only moves to where it sells
    dearer and buys cheaper."""
    ticks, followed = order.terms.trigger_ticks, followed_ticks(order, prices)
    if order.order_type == OrderType.TRAILING:
        return followed + ticks if order.side == Side.BUY else followed - ticks
    rises_to_it = (order.side == Side.BUY) == is_stop(order.order_type)
    return max(ticks, followed) if rises_to_it else min(ticks, followed)


def furthest_offset_ticks(order: PlaceOrder, prices: Prices) -> int:
    """The longest distance at which a TRAILING order has a trigger that is a price."""
    followed = followed_ticks(order, prices)
    return order.spec.max_price_ticks - followed if order.side == Side.BUY else followed - 1


def worst_ticks(order: PlaceOrder, prices: Prices) -> int:
    """The worst price that an order which waits may trade at."""
    if type_when_triggered(order.order_type) == LIMIT:
        return order.price_ticks
    return worst_behind_ticks(nearest_trigger_ticks(order, prices), order.side, order.spec)


def worst_behind_ticks(trigger_ticks: int, side: Side, spec: MarketSpec) -> int:
    """The worst price of what becomes MARKET where it is triggered at a price."""
    if side == Side.SELL:
        return lowest_sale_ticks(trigger_ticks, MARKET_BAND_PPM)
    return min(highest_purchase_ticks(trigger_ticks, MARKET_BAND_PPM), spec.max_price_ticks)


def bid_when_triggered_ticks(order: PlaceOrder, prices: Prices) -> int:
    """What a sale meets about when it is triggered, as a plain one meets the best bid now; never
    less than its trigger."""
    if order.order_type == OrderType.TRAILING:
        return max(followed_ticks(order, prices), prices.best_bid_ticks)
    trigger_ticks = nearest_trigger_ticks(order, prices)
    if is_stop(order.order_type):
        return trigger_ticks
    return max(trigger_ticks, prices.best_bid_ticks)
