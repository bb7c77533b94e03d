"""Profit that is not realised backs positions, and neither buys anything nor leaves."""

from sim.market import BTC_PERP
from sim.money.margin import (
    Exposure,
    OrderTerms,
    available_atoms,
    join_orders,
    lacking,
    order_need,
    withdrawable_atoms,
)
from sim.money.position import Position
from sim.rows.messages import Side
from tests.markets import ETH_PERP, ETH_SPOT

MARK = 6_000
WALLET = 10**9
LOT = ETH_SPOT.notional_atoms(MARK, 1)


def winner(profit_atoms: int) -> Exposure:
    """Ten lots that have won so much, or lost below 0."""
    lots, worth = 10, BTC_PERP.notional_atoms(MARK, 10)
    return Exposure(BTC_PERP, MARK, Position(lots, worth - profit_atoms), 20)


def purchase(lots: int) -> OrderTerms:
    return OrderTerms(Side.BUY, lots, MARK, MARK, may_rest=True)


def test_while_a_purchase_is_open_only_the_wallet_bears_losses() -> None:
    buys, trades = Exposure(ETH_SPOT, MARK), Exposure(ETH_PERP, MARK, leverage=20)
    held = [winner(10 * WALLET), buys, trades]
    order = OrderTerms(Side.BUY, 10_000, MARK, MARK)
    need = order_need(trades, order)
    assert lacking(WALLET, 0, held, need) is None
    bought = purchase(WALLET // LOT * 998 // 1_000)
    paid = order_need(buys, bought)
    assert lacking(WALLET, 0, held, paid) is None
    join_orders(buys, bought)
    short = lacking(WALLET, paid.reserved_atoms, held, need)
    assert short is not None
    assert not short.of_margin
    assert short.there_is_atoms == WALLET - buys.at_stake_atoms < need.at_stake_atoms
    assert available_atoms(WALLET, paid.reserved_atoms, held) > need.reserved_atoms


def test_what_one_position_has_lost_is_not_paid_with_what_another_has_won() -> None:
    held = [winner(3 * WALLET), Exposure(ETH_PERP, MARK, Position(1, LOT * 10 + WALLET // 2), 20)]
    lost = -held[1].unrealized_atoms
    assert lost > WALLET // 4
    assert withdrawable_atoms(WALLET, 0, held) == WALLET - lost
    buys = Exposure(ETH_SPOT, MARK)
    for lots, is_taken in ((WALLET // LOT // 4, True), (WALLET // LOT * 9 // 10, False)):
        need = order_need(buys, purchase(lots))
        assert (lacking(WALLET, 0, [*held, buys], need) is None) is is_taken
