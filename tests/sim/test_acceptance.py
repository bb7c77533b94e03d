"""The rules that an order is accepted by, without who asks."""

from contextlib import nullcontext

import numpy as np
import pytest

from sim.money.acceptance import MarginAccount, MarketNow, carried, check_size, exposure
from sim.orders import PlaceOrder
from sim.refusals import Refused
from sim.rows.messages import MarketStatus, OrderType, Side, TimeInForce
from tests.markets import ETH_SPOT

LOT = 100_000
"""A thousandth of an ETH, in hundred-millionths."""


def sale(lots: int) -> PlaceOrder:
    """At the least price there is."""
    return PlaceOrder(
        account_id=1_000,
        spec=ETH_SPOT,
        side=Side.SELL,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity_lots=lots,
        price_ticks=1,
        leverage=None,
        reduce_only=False,
        post_only=False,
        client_order_id=None,
        body_hash=b"body",
    )


def test_an_order_locks_no_more_than_can_be_stored() -> None:
    """At the least price, 10**14 lots are worth what an order may be, and 10**19 atoms of ETH."""
    none = np.empty((0, 3), np.int64)
    account = MarginAccount(0, 0, free_atoms={"ETH": 10**20})
    market = MarketNow(ETH_SPOT, MarketStatus.ACTIVE, 1, 1, 0, 0, none, none)
    for lots, is_taken in ((2**63 // LOT, True), (10**14, False)):
        exposure(sale(lots), market, account)
        terms, need = carried(sale(lots), market, account, at_us=0)
        assert need.reserved_atoms == lots * LOT
        with nullcontext() if is_taken else pytest.raises(Refused, match=r"at most 92233720368\.5"):
            check_size(sale(lots), account, terms.reserve_ticks)
