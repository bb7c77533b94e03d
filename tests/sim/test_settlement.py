"""What a market's events do to an order that is stored."""

import numpy as np
import pytest

from sim.money.amending import Amendment, ChangedTerms
from sim.money.settlement import OrderState, Settlement
from sim.orders import OrderStatus
from sim.rows.messages import EVENT, EventKind, Reason, Rows, Side
from tests.markets import ETH_PERP

ACCOUNT, ORDER, OTHER = 1_000, 7, -8
FEES, CLEARING = 1, 2
MONEY = (ACCOUNT, "USDC")


def settled(order: OrderState, *events: Rows) -> Settlement:
    settlement = Settlement(ETH_PERP, FEES, CLEARING, {ORDER: order}, {})
    for batch_no, rows in enumerate(events, 1):
        settlement.apply(batch_no, rows)
    return settlement


def event(kind: EventKind, lots: int, reason: Reason = Reason.NONE) -> Rows:
    row = np.zeros(1, EVENT)
    row["kind"], row["quantity_lots"], row["reason"] = kind, lots, reason
    row["order_id"], row["account_id"], row["side"] = ORDER, ACCOUNT, Side.SELL
    row["price_ticks"], row["time_us"] = 5_991, 5
    return row


def taken(lots: int) -> Rows:
    """A simulated trader buys from the order."""
    row = event(EventKind.TRADE, lots)
    row["maker_order_id"], row["maker_account_id"] = ORDER, ACCOUNT
    row["order_id"], row["account_id"], row["side"] = OTHER, 10**9, Side.BUY
    return row


CUT = Reason.REDUCE_ONLY_EXCESS


def open_order() -> OrderState:
    return OrderState(ACCOUNT, 10, 0, 0, 1_003, OrderStatus.PENDING)


def test_a_cut_takes_its_share_of_the_reservation_and_the_order_goes_on() -> None:
    """1,003 reserved for 10: 4 go with 401, 2 of the 6 left fill with 200, 1 of 4 goes with 100."""
    order = open_order()
    events = [event(EventKind.REDUCED, 4, CUT), event(EventKind.RESTED, 6), taken(2)]
    done = settled(order, *events, event(EventKind.REDUCED, 1, CUT))
    assert (order.quantity_lots, order.filled_lots, order.reserved_atoms) == (5, 2, 302)
    assert (order.status, order.reason) == (OrderStatus.PARTIALLY_FILLED, Reason.NONE)
    assert (
        done.changes[MONEY].locked_atoms,
        done.changes[MONEY].open_orders,
    ) == (-701, 0)
    assert done.touched_orders == {ORDER: order}


def test_what_is_left_after_a_cut_fills_it() -> None:
    order = open_order()
    done = settled(order, event(EventKind.RESTED, 10), event(EventKind.REDUCED, 7, CUT), taken(3))
    assert (order.quantity_lots, order.filled_lots, order.reserved_atoms) == (3, 3, 0)
    assert order.status == OrderStatus.FILLED
    assert (
        done.changes[MONEY].locked_atoms,
        done.changes[MONEY].open_orders,
    ) == (-1_003, -1)


def test_an_order_cut_to_nothing_is_canceled_with_the_reason_and_locks_nothing() -> None:
    order = open_order()
    events = [event(EventKind.RESTED, 10), event(EventKind.REDUCED, 7, CUT)]
    done = settled(order, *events, event(EventKind.CANCELED, 3, CUT))
    assert (order.quantity_lots, order.filled_lots, order.reserved_atoms) == (3, 0, 0)
    assert (order.status, order.reason) == (OrderStatus.CANCELED, CUT)
    assert (
        done.changes[MONEY].locked_atoms,
        done.changes[MONEY].open_orders,
    ) == (-1_003, -1)


def test_what_the_price_band_ends_is_canceled_with_its_reason() -> None:
    order = open_order()
    settled(order, taken(4), event(EventKind.CANCELED, 6, Reason.PRICE_BAND))
    assert (order.status, order.reason) == (OrderStatus.CANCELED, Reason.PRICE_BAND)
    assert (order.filled_lots, order.reserved_atoms) == (4, 0)


def test_an_order_that_waits_and_is_triggered_is_open() -> None:
    order = open_order()
    done = settled(order, event(EventKind.WAITING, 10))
    assert (order.status, order.reserved_atoms) == (OrderStatus.OPEN, 1_003)
    settled(order, event(EventKind.TRIGGERED, 10), taken(10))
    assert (order.status, order.reserved_atoms) == (OrderStatus.FILLED, 0)
    assert done.touched_orders == {ORDER: order}


@pytest.mark.parametrize(
    ("kind", "reason", "status"),
    [
        (EventKind.EXPIRED, Reason.TIME, OrderStatus.EXPIRED),
        (EventKind.CANCELED, Reason.LINKED, OrderStatus.CANCELED),
    ],
)
def test_what_ends_one_that_waits_is_its_reason(
    kind: EventKind, reason: Reason, status: OrderStatus
) -> None:
    order = open_order()
    done = settled(order, event(EventKind.WAITING, 10), event(kind, 10, reason))
    assert (order.status, order.reason, order.reserved_atoms) == (status, reason, 0)
    assert done.changes[MONEY].open_orders == -1


def test_an_amended_order_counts_from_what_is_filled_and_gives_back_what_less_of_it_reserved() -> (
    None
):
    """4 of 10 are filled for 401; of the 6 left 3 go, with 301 of 602."""
    order = open_order()
    amended = event(EventKind.AMENDED, 3)
    done = settled(
        order, event(EventKind.RESTED, 10), taken(4), amended, event(EventKind.RESTED, 3)
    )
    assert (order.quantity_lots, order.filled_lots, order.reserved_atoms) == (7, 4, 301)
    assert order.status == OrderStatus.PARTIALLY_FILLED
    assert done.changes[MONEY].locked_atoms == -702
    settled(order, event(EventKind.AMENDED, 8))
    assert (order.quantity_lots, order.reserved_atoms) == (12, 301)


@pytest.mark.parametrize("may_open", [None, True, False])
def test_an_order_may_open_from_where_the_market_has_amended_it_or_not_if_it_has_refused(
    may_open: bool | None,
) -> None:
    for event_of_it, told in (
        (event(EventKind.AMENDED, 10), may_open),
        (event(EventKind.AMEND_REJECTED, 0, Reason.POST_ONLY_WOULD_TAKE), None),
    ):
        amendment = Amendment(0, 101, 0, 7, 800, 10, may_open)
        order = open_order()
        done = Settlement(ETH_PERP, FEES, CLEARING, {ORDER: order}, {}, {ORDER: amendment})
        done.apply(1, event_of_it)
        ((_, changed),) = done.changed_terms
        assert changed.may_open is told
        assert done.amended == [ORDER]


def test_an_amendment_that_is_refused_changes_nothing_of_an_order_open_or_ended() -> None:
    order = open_order()
    refused = event(EventKind.AMEND_REJECTED, 0, Reason.POST_ONLY_WOULD_TAKE)
    late = refused.copy()
    late["time_us"] = 9
    done = settled(order, event(EventKind.RESTED, 10), refused, taken(10), late)
    assert (order.status, order.reason, order.quantity_lots) == (OrderStatus.FILLED, 0, 10)
    assert (order.updated_at_us, done.changes[MONEY].open_orders) == (5, -1)
    told = ChangedTerms(amend_reason=Reason.POST_ONLY_WOULD_TAKE, updated_at_us=9)
    assert done.changed_terms[-1] == (ORDER, told)
