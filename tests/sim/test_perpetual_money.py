"""The worked examples of perpetuals, to the last digit, and properties of closing."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.market import MarketSpec
from sim.money.margin import (
    Exposure,
    OrderTerms,
    available_atoms,
    bearable_terms,
    equity_atoms,
    market_order_limit,
    order_need,
    released_atoms,
    withdrawable_atoms,
)
from sim.money.position import FLAT, Position, entry_price_text, fill_position
from sim.money.rules import reservation_atoms, share_up
from sim.rows.messages import Side
from sim.units import format_atoms, parse_atoms, parse_steps
from tests.markets import ETH_PERP

FINE = MarketSpec("FINE-PERP", "FINE", "USDC", Decimal("0.01"), Decimal("0.1"), 10**9)


def ticks(text: str) -> int:
    return parse_steps(text, FINE.tick_size)


def test_fees_of_one_at_59_91() -> None:
    notional = FINE.notional_atoms(ticks("59.91"), 10)
    assert format_atoms(share_up(notional, 200)) == "0.011982"
    assert format_atoms(share_up(notional, 500)) == "0.029955"


def test_a_long_from_59_91_to_99_23_ends_at_the_documented_wallet() -> None:
    wallet = parse_atoms("10000")
    position, realized = fill_position(FLAT, 10, ticks("59.91"), FINE.atoms_per_tick_lot)
    wallet += realized - share_up(FINE.notional_atoms(ticks("59.91"), 10), 500)
    assert format_atoms(wallet) == "9999.970045"
    position, realized = fill_position(position, -10, ticks("99.23"), FINE.atoms_per_tick_lot)
    wallet += realized - share_up(FINE.notional_atoms(ticks("99.23"), 10), 500)
    assert format_atoms(wallet) == "10039.24043"
    assert position == FLAT


def test_a_tenth_at_59_91_and_3x_reserves_each_part_rounded_up_to_the_atom() -> None:
    # The exact value is 1.9999955; an atom is 0.000001 and a reservation rounds up.
    worth = FINE.notional_atoms(ticks("59.91"), 1)
    assert format_atoms(reservation_atoms(worth, worth, 3, FINE.taker_fee_ppm)) == "1.999996"


@given(
    st.sampled_from(Side),
    st.integers(900, 1_100),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(1, 50),
    st.integers(0, 700_000),
)
def test_what_waits_and_closes_goes_as_far_as_can_be_borne_and_not_a_tick_further(
    side: Side, trigger: int, distance: int, bid: int, lots: int, bearable: int
) -> None:
    """Mark is at 1,000 ticks, and the band ends at 900 and 1,100."""
    held, way = Exposure(ETH_PERP, 1_000), 1 if side == Side.BUY else -1

    def at(limit: int) -> OrderTerms:
        reserved_at = limit if side == Side.BUY else max(limit, trigger + bid)
        return OrderTerms(side, lots, limit, reserved_at, True, True, True)

    limits = range(trigger, trigger + way * (distance + 1), way)
    borne = [one for one in limits if order_need(held, at(one)).at_stake_atoms <= bearable]
    assert bearable_terms(held, at(limits[-1]), trigger, bearable) == at([trigger, *borne][-1])
    assert borne == list(limits[: len(borne)])


def test_a_broken_long_has_the_documented_equity() -> None:
    position = Position(100, ETH_PERP.notional_atoms(10_000, 100))
    held = Exposure(ETH_PERP, 9_000, position, 20)
    assert format_atoms(equity_atoms(parse_atoms("9.95"), [held])) == "-0.05"


def test_profit_that_is_not_realised_cannot_be_withdrawn() -> None:
    position = Position(100, ETH_PERP.notional_atoms(10_000, 100))
    held = [Exposure(ETH_PERP, 20_000, position, 20)]
    assert available_atoms(parse_atoms("20"), 0, held) == parse_atoms("110")
    assert withdrawable_atoms(parse_atoms("20"), parse_atoms("1"), held) == parse_atoms("19")


@given(
    st.lists(
        st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 10_000)),
        min_size=1,
        max_size=30,
    )
)
def test_cash_plus_cost_explains_every_trade(fills: list[tuple[int, int]]) -> None:
    position, realized_sum, cash = FLAT, 0, 0
    for lots, price in fills:
        position, realized = fill_position(position, lots, price, 100)
        realized_sum += realized
        cash -= lots * price * 100
    assert position.quantity_lots == sum(lots for lots, _ in fills)
    assert realized_sum == cash + position.cost_atoms
    assert position.quantity_lots or position == FLAT


@given(st.integers(1, 1_000), st.integers(1, 10_000), st.data())
def test_closing_in_slices_realises_what_closing_at_once_does(
    size: int, price: int, data: st.DataObject
) -> None:
    opened, _ = fill_position(FLAT, size, 777, 100)
    opened, _ = fill_position(opened, 1, 12_345, 100)
    _, at_once = fill_position(opened, -(size + 1), price, 100)
    left, sliced, position = size + 1, 0, opened
    while left:
        part = data.draw(st.integers(1, left))
        position, realized = fill_position(position, -part, price, 100)
        sliced, left = sliced + realized, left - part
    assert (sliced, position) == (at_once, FLAT)


@given(st.integers(1, 10**15), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_partial_fills_release_the_whole_reservation_and_never_more(
    reserved: int, fills: list[int]
) -> None:
    left, open_lots = reserved, sum(fills)
    for lots in fills:
        share = released_atoms(left, lots, open_lots)
        assert 0 <= share <= left
        assert share <= Fraction(left * lots, open_lots)
        left, open_lots = left - share, open_lots - lots
    assert left == 0


def test_crossing_zero_opens_the_rest_at_the_fill_price() -> None:
    position, realized = fill_position(Position(10, 10 * 100 * 100), -15, 120, 100)
    assert realized == 10 * 20 * 100
    assert position == Position(-5, -5 * 120 * 100)


def test_the_average_entry_price_is_for_people() -> None:
    position, _ = fill_position(FLAT, 10, ticks("59.91"), FINE.atoms_per_tick_lot)
    assert entry_price_text(position, FINE) == "59.91"
    position, _ = fill_position(position, 20, ticks("60"), FINE.atoms_per_tick_lot)
    assert entry_price_text(position, FINE) == "59.97"
    assert entry_price_text(FLAT, FINE) == "0"


def test_a_market_order_trades_little_further_than_the_depth_that_completes_it() -> None:
    asks = np.array([[1_000, 5, 1], [1_050, 5, 1], [1_051, 5, 1]], dtype=np.int64)
    assert market_order_limit(Side.BUY, 5, asks, 1_000) == 1_005
    assert market_order_limit(Side.BUY, 10, asks, 1_000) == 1_050  # and not 1,055
    assert market_order_limit(Side.BUY, 11, asks, 1_000) is None  # 5 % from mark is the most
    assert market_order_limit(Side.BUY, 16, asks, 2_000) is None  # more than anybody offers
    bids = np.array([[1_000, 5, 1], [950, 5, 1], [949, 5, 1]], dtype=np.int64)
    assert market_order_limit(Side.SELL, 5, bids, 1_000) == 995
    assert market_order_limit(Side.SELL, 10, bids, 1_000) == 950
    assert market_order_limit(Side.SELL, 11, bids, 1_000) is None
