"""Two orders of which a fill or the trigger of one cancels the other, told as tables.

A case: what the book was told before, the rows, what happens, and what rests behind it as
(order id, price, lots) in price-time order."""

import pytest

from sim.rows.messages import TimeInForce
from tests.sim.engine_rows import (
    BUY,
    SELL,
    Case,
    Engine,
    amend,
    cancel,
    happens_as_told,
    limit,
    linked,
    market,
    stop,
    until,
)

IOC = TimeInForce.IOC

ENTRY = [limit(8, 8, BUY, 9, 100), limit(1, 1, SELL, 9, 100), limit(7, 7, BUY, 9, 95)]
"""Account 8 is long, 1 is short; 100 was the last price."""
BRACKET = linked(limit(2, 8, SELL, 9, 110), stop(3, 8, SELL, 9, 96))
"""A profit that rests and a stop that waits."""

LINKS: dict[str, Case] = {
    "a fill of the one cancels the other": (
        [*ENTRY, *BRACKET],
        [limit(4, 4, BUY, 2, 110, IOC), limit(5, 4, BUY, 9, 110, IOC)],
        [
            ("TRADE", 2, 4, 2, 110),
            ("CANCELED", "LINKED", 3, 9, 0),
            ("TRADE", 2, 5, 7, 110),
            ("EXPIRED", "IOC_UNFILLED", 5, 2, 110),
        ],
        [(7, 95, 9)],
    ),
    "the trigger of the one cancels the other": (
        [*ENTRY, *BRACKET],
        [market(4, 4, SELL, 1)],
        [
            ("TRADE", 7, 4, 1, 95),
            ("TRIGGERED", "NONE", 3, 9, 0),
            ("CANCELED", "LINKED", 2, 9, 110),
            ("TRADE", 7, 3, 8, 95),
            ("EXPIRED", "MARKET_LIQUIDITY_EXHAUSTED", 3, 1, 0),
        ],
        [],
    ),
    "to cancel the one leaves the other": (
        [*ENTRY, *BRACKET],
        [cancel(2, 8), market(4, 4, SELL, 1)],
        [
            ("CANCELED", "REQUESTED", 2, 9, 110),
            ("TRADE", 7, 4, 1, 95),
            ("TRIGGERED", "NONE", 3, 9, 0),
            ("TRADE", 7, 3, 8, 95),
            ("EXPIRED", "MARKET_LIQUIDITY_EXHAUSTED", 3, 1, 0),
        ],
        [],
    ),
    "the second that trades as it comes cancels the first": (
        ENTRY,
        linked(limit(2, 8, BUY, 1, 94), limit(3, 8, SELL, 2, 95)),
        [
            ("RESTED", "NONE", 2, 1, 94),
            ("TRADE", 7, 3, 2, 95),
            ("CANCELED", "LINKED", 2, 1, 94),
        ],
        [(7, 95, 7)],
    ),
    "the second is refused where the first has traded as it came": (
        ENTRY,
        linked(limit(2, 8, SELL, 20, 95), stop(3, 8, SELL, 9, 90)),
        [
            ("TRADE", 7, 2, 9, 95),
            ("RESTED", "NONE", 2, 11, 95),
            ("REJECTED", "LINK_REFUSED", 3, 9, 0),
        ],
        [(2, 95, 11)],
    ),
    "the second is refused where the first is gone, another's, or has its second": (
        [*ENTRY, *BRACKET],
        [
            until(0, limit(4, 8, SELL, 9, 120), link_id=99),
            until(0, limit(4, 4, SELL, 9, 120), link_id=2),
            until(0, stop(4, 8, SELL, 9, 90), link_id=2),
            until(0, stop(4, 8, SELL, 9, 90), link_id=3),
        ],
        [
            ("REJECTED", "LINK_REFUSED", 4, 9, 120),
            ("REJECTED", "LINK_REFUSED", 4, 9, 120),
            ("REJECTED", "LINK_REFUSED", 4, 9, 0),
            ("REJECTED", "LINK_REFUSED", 4, 9, 0),
        ],
        [(7, 95, 9), (2, 110, 9)],
    ),
    "two that rest stand on two sides": (
        ENTRY,
        [
            *linked(limit(2, 8, SELL, 9, 110), limit(3, 8, SELL, 9, 111)),
            until(0, limit(4, 8, BUY, 9, 90), link_id=2),
            limit(5, 5, BUY, 1, 110, IOC),
        ],
        [
            ("RESTED", "NONE", 2, 9, 110),
            ("REJECTED", "LINK_REFUSED", 3, 9, 111),
            ("RESTED", "NONE", 4, 9, 90),
            ("TRADE", 2, 5, 1, 110),
            ("CANCELED", "LINKED", 4, 9, 90),
        ],
        [(7, 95, 9), (2, 110, 8)],
    ),
    "an amended order stays linked": (
        [*ENTRY, *BRACKET],
        [amend(2, 8, 0, 109), limit(4, 4, BUY, 1, 109, IOC)],
        [
            ("AMENDED", "NONE", 2, 9, 109),
            ("RESTED", "NONE", 2, 9, 109),
            ("TRADE", 2, 4, 1, 109),
            ("CANCELED", "LINKED", 3, 9, 0),
        ],
        [(7, 95, 9), (2, 109, 8)],
    ),
    "an amended order that trades at once cancels the other": (
        [*ENTRY, *BRACKET],
        [amend(2, 8, -8, 95)],
        [
            ("AMENDED", "NONE", 2, 1, 95),
            ("TRADE", 7, 2, 1, 95),
            ("CANCELED", "LINKED", 3, 9, 0),
        ],
        [(7, 95, 8)],
    ),
    "what does not stand is not linked": (
        ENTRY,
        linked(limit(2, 8, SELL, 9, 110, IOC), market(2, 8, SELL, 9)),
        [("REJECTED", "INVALID_COMMAND", 2, 9, 110), ("REJECTED", "INVALID_COMMAND", 2, 9, 0)],
        [(7, 95, 9)],
    ),
}


@pytest.mark.parametrize("case", LINKS)
def test_one_of_two_orders_leaves_with_the_other(engine: Engine, case: str) -> None:
    happens_as_told(engine, LINKS[case])


@pytest.mark.parametrize("case", LINKS)
def test_it_does_so_from_a_snapshot_too(engine: Engine, case: str) -> None:
    happens_as_told(engine, LINKS[case], kept=True)
