"""Whether the WAITING rows of a snapshot can be the terms of its orders."""

import numpy as np
import numpy.typing as npt

from sim.book.damage import PRICE_TICKS_MAX, SEQUENCE_MAX, all_differ, refuse_unless, within
from sim.market import QUANTITY_LOTS_MAX
from sim.rows.messages import OrderFlag, OrderType, Side, TimeInForce

Records = npt.NDArray[np.void]

FLAGS = int(OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY | OrderFlag.TRIGGER_ON_MARK)
TRIGGERS = [int(one) for one in OrderType if one > OrderType.MARKET]


def check_terms(terms: Records, orders: Records, input_seq: int) -> None:
    """Raises DamagedState. `orders` are the RESTING rows, which were found to be sound."""
    rests = terms["order_type"] == 0
    accepted = terms["accepted_seq"]
    refuse_unless((accepted[1:] > accepted[:-1]).all(), "its terms do not stand by age")
    refuse_unless(within(terms["expires_us"], 0, SEQUENCE_MAX), "an order ends at no time")
    _check_resting(terms[rests], orders)
    _check_waiting(terms[~rests], orders, input_seq)
    _check_due(terms)
    _check_links(terms)


def _check_resting(terms: Records, orders: Records) -> None:
    """Each is of an order that rests, and says something that its row does not."""
    rows = np.flatnonzero(np.isin(orders["order_id"], terms["order_id"]))
    rows = rows[np.argsort(orders["accepted_seq"][rows])]
    for name in ("order_id", "accepted_seq"):
        same = np.array_equal(orders[name][rows], terms[name])
        refuse_unless(same, "its terms are of no order that rests")
    said = (terms["expires_us"] != 0) | (terms["link_id"] != 0)
    refuse_unless(said.all(), "an order has terms that say nothing")
    for name in ("account_id", "remaining_lots", "price_ticks", "side", "flags", "best_ticks"):
        refuse_unless(not terms[name].any(), "an order that rests has too many terms")
    for name in ("time_in_force", "trigger_ticks", "due_no"):
        refuse_unless(not terms[name].any(), "an order that rests waits")


def _check_waiting(terms: Records, orders: Records, input_seq: int) -> None:
    """Each for itself, and that none rests as well."""
    accepted, ids = terms["accepted_seq"], terms["order_id"]
    refuse_unless(np.isin(terms["side"], [Side.BUY, Side.SELL]).all(), "an order has no side")
    lots, flags = terms["remaining_lots"], terms["flags"]
    refuse_unless(within(lots, 1, QUANTITY_LOTS_MAX), "an order has an impossible quantity")
    refuse_unless(not (flags & ~np.uint8(FLAGS)).any(), "an order has an unknown flag")
    refuse_unless(np.isin(terms["order_type"], TRIGGERS).all(), "an order waits for nothing")
    forces = [int(one) for one in TimeInForce]
    refuse_unless(np.isin(terms["time_in_force"], forces).all(), "an order has no time in force")
    for name, least in (("price_ticks", 0), ("trigger_ticks", 1), ("best_ticks", 0)):
        refuse_unless(within(terms[name], least, PRICE_TICKS_MAX), f"{name} are impossible")
    refuse_unless(within(accepted, 1, input_seq), "an order comes from no command")
    refuse_unless(terms["account_id"].all(), "an order is nobody's")
    every = np.concatenate([ids, orders["order_id"]])
    refuse_unless(every.all() and all_differ(every), "two orders have one id")
    every = np.concatenate([accepted, orders["accepted_seq"]])
    refuse_unless(all_differ(every), "two orders come from one command")


def _check_due(terms: Records) -> None:
    due = np.sort(terms["due_no"][terms["due_no"] != 0])
    refuse_unless(np.array_equal(due, np.arange(1, len(due) + 1)), "orders are due in no order")


def _check_links(terms: Records) -> None:
    """Of two linked orders each names the other."""
    links = {row["order_id"]: row["link_id"] for row in terms if row["link_id"]}
    mutual = all(links.get(other) == order for order, other in links.items())
    refuse_unless(mutual, "an order is linked with one that is not linked with it")
