"""The rules of liquidation against their worked examples and models in fractions."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.market import BTC_PERP, MarketSpec
from sim.money.liquidation import (
    CLOSED,
    HEALTHY,
    LAST,
    LIQUIDATION_FEE_PPM,
    PARTIAL_ABOVE_ATOMS,
    PARTIAL_PPM,
    PARTLY_CLOSED,
    PAUSE_US,
    WAITS,
    bearable_price_ticks,
    borne_atoms,
    closing_cost_atoms,
    closing_price_ticks,
    deleveraging_order,
    deleveraging_scores,
    liquidation_price_ticks,
    verdict,
)
from sim.money.margin import Exposure, equity_atoms
from sim.money.position import FLAT, fill_position
from sim.money.rules import share_up
from sim.rows.messages import Side
from sim.units import PPM, format_atoms, format_steps, parse_atoms, parse_steps
from tests.markets import ETH_PERP


def signed_atoms(text: str) -> int:
    return -parse_atoms(text[1:]) if text.startswith("-") else parse_atoms(text)


def tiered(maintenance_ppm: int) -> MarketSpec:
    cent, lot = Decimal("0.01"), Decimal("0.001")
    return MarketSpec("X-PERP", "X", "Q", cent, lot, 10**9, maintenance_margin_ppm=maintenance_ppm)


@pytest.mark.parametrize(
    ("tmm", "upnl", "q", "ep", "mmr_ppm", "cum", "wanted"),
    [
        ("0", "0", "3683.979", "1456.84", 100_000, "135365.00", "1114.78"),
        ("0", "0", "109.488", "32481.98", 25_000, "16300.00", "18778.73"),
        ("71200.81", "-56354.57", "3683.979", "1456.84", 100_000, "135365", "1153.26"),
        ("356512.51", "-448192.89", "109.488", "32481.98", 25_000, "16300", "26316.89"),
    ],
    ids=["ETH isolated long", "BTC isolated long", "ETH cross long", "BTC cross long"],
)
def test_liquidation_prices_of_the_worked_examples(
    tmm: str, upnl: str, q: str, ep: str, mmr_ppm: int, cum: str, wanted: str
) -> None:
    spec = tiered(mmr_ppm)
    lots, ticks = parse_steps(q, spec.lot_size), parse_steps(ep, spec.tick_size)
    price = liquidation_price_ticks(
        spec,
        lots,
        spec.notional_atoms(ticks, lots),
        parse_atoms("1535443.01"),
        signed_atoms(upnl) - signed_atoms(tmm),
        parse_atoms(cum),
    )
    assert price is not None
    assert format_steps(price, spec.tick_size) == wanted


@given(
    st.integers(1, 10**6),
    st.integers(1_000, 10**6),
    st.integers(2, 20),
    st.sampled_from([1, -1]),
)
def test_at_the_liquidation_price_equity_meets_maintenance(
    lots: int, entry: int, leverage: int, direction: int
) -> None:
    cost = direction * ETH_PERP.notional_atoms(entry, lots)
    wallet = abs(cost) // leverage
    price = liquidation_price_ticks(ETH_PERP, direction * lots, cost, wallet)
    assert price is not None
    worth = ETH_PERP.notional_atoms(price, lots)
    apart = wallet + direction * worth - cost - share_up(worth, 5_000)
    assert abs(apart) <= ETH_PERP.notional_atoms(1, lots)


def test_a_long_that_its_wallet_carries_to_zero_has_no_liquidation_price() -> None:
    cost = ETH_PERP.notional_atoms(10_000, 100)
    assert liquidation_price_ticks(ETH_PERP, 100, cost, cost) is None
    assert liquidation_price_ticks(ETH_PERP, -100, -cost, cost) == 19_900


def test_one_eth_at_100_and_20x_is_closed_at_89_55_when_the_mark_is_90() -> None:
    position, _ = fill_position(FLAT, 100, 10_000, ETH_PERP.atoms_per_tick_lot)
    fee = share_up(ETH_PERP.notional_atoms(10_000, 100), ETH_PERP.taker_fee_ppm)
    wallet = parse_atoms("10") - fee
    worth = ETH_PERP.notional_atoms(9_000, 100)
    equity = equity_atoms(wallet, [Exposure(ETH_PERP, 9_000, position, 20)])
    needed = share_up(worth, ETH_PERP.maintenance_margin_ppm)
    assert (format_atoms(equity), format_atoms(needed)) == ("-0.05", "0.45")
    assert verdict(equity, worth, needed, HEALTHY, 0, PAUSE_US) == CLOSED
    price = closing_price_ticks(9_000, Side.SELL)
    assert format_steps(price, ETH_PERP.tick_size) == "89.55"
    shortfall = closing_cost_atoms(ETH_PERP, 9_000, Side.SELL, 100, price) - equity
    assert format_atoms(shortfall) == "0.634325"


def test_equity_equal_to_maintenance_is_too_little_and_nobody_flat_is_closed() -> None:
    assert verdict(100, 1, 100, HEALTHY, 0, PAUSE_US) == CLOSED
    assert verdict(101, 1, 100, HEALTHY, 0, PAUSE_US) == HEALTHY
    assert verdict(5, 0, 0, HEALTHY, 0, PAUSE_US) == HEALTHY


def test_who_is_flat_and_owes_is_out_and_who_is_out_stays_out() -> None:
    assert verdict(-5, 0, 0, HEALTHY, 0, PAUSE_US) == CLOSED
    assert verdict(5, 0, 0, CLOSED, 0, PAUSE_US) == WAITS
    assert verdict(10**9, 1, 100, CLOSED, 0, PAUSE_US) == CLOSED


def test_large_accounts_lose_a_fifth_first_and_the_rest_thirty_seconds_later() -> None:
    large = PARTIAL_ABOVE_ATOMS + 1
    assert verdict(0, PARTIAL_ABOVE_ATOMS, 1, HEALTHY, 0, PAUSE_US) == CLOSED
    assert verdict(0, large, 1, HEALTHY, 0, PAUSE_US) == PARTLY_CLOSED
    assert verdict(0, large, 1, PARTLY_CLOSED, PAUSE_US - 1, PAUSE_US) == WAITS
    assert verdict(0, large, 1, PARTLY_CLOSED, PAUSE_US, PAUSE_US) == CLOSED
    assert verdict(2, large, 1, PARTLY_CLOSED, 1, PAUSE_US) == HEALTHY
    assert (share_up(11, PARTIAL_PPM), share_up(10, PARTIAL_PPM)) == (3, 2)


def test_closing_prices_stay_within_half_a_percent_of_mark() -> None:
    assert closing_price_ticks(101, Side.SELL) == 101
    assert closing_price_ticks(101, Side.BUY) == 101
    assert closing_price_ticks(1_001, Side.SELL) == 996
    assert closing_price_ticks(1_001, Side.BUY) == 1_006


@given(
    st.sampled_from(list(Side)),
    st.integers(1, 10**6),
    st.integers(10, 10**6),
    st.integers(-200_000, 200_000),
)
def test_the_bearable_price_is_the_last_one_that_the_budget_carries(
    side: Side, lots: int, mark: int, budget_ppm: int
) -> None:
    worth = BTC_PERP.notional_atoms(mark, lots)
    budget = worth * budget_ppm // PPM
    price = bearable_price_ticks(BTC_PERP, mark, side, lots, budget)
    fees = Fraction(BTC_PERP.taker_fee_ppm + LIQUIDATION_FEE_PPM, PPM)

    def cost(ticks: int) -> Fraction:
        paid = Fraction(BTC_PERP.notional_atoms(ticks, lots))
        distance = worth - paid if side == Side.SELL else paid - worth
        return distance + paid * fees

    worse = price - 1 if side == Side.SELL else price + 1
    assert cost(price) <= budget < cost(worse)
    assert 0 <= closing_cost_atoms(BTC_PERP, mark, side, lots, price) - cost(price) < 2


@given(
    st.lists(
        st.tuples(
            st.integers(-(10**12), 10**12),
            st.integers(1, 10**12),
            st.integers(1, 10**12),
            st.integers(-(10**6), 10**12),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_the_most_profitable_and_most_leveraged_come_first(
    rows: list[tuple[int, int, int, int]],
) -> None:
    columns = [np.array(column, np.int64) for column in zip(*rows, strict=True)]
    found = deleveraging_scores(*columns).tolist()
    for (won, cost, worth, equity), score in zip(rows, found, strict=True):
        if equity <= 0:
            assert score == LAST
            continue
        ratios = [Fraction(abs(won), cost), Fraction(worth, equity)]
        floors = [min(one * 2**20 // 1, 2**30) for one in ratios]
        assert score == floors[0] * floors[1] * (1 if won > 0 else -1 if won < 0 else 0)
    order = deleveraging_order(np.array(found), np.arange(len(found))).tolist()
    assert order == sorted(range(len(found)), key=lambda place: (-found[place], place))


def test_scores_of_the_largest_accounts_do_not_overflow() -> None:
    huge = np.array([2**61, 2**61, 2**62 - 1], np.int64)
    scores = deleveraging_scores(huge, np.array([2**61, 2**60, 1]), huge, np.array([2**61, 1, 1]))
    assert scores.tolist() == [2**40, 2**21 * 2**30, 2**60]


@given(st.integers(0, 2**62), st.lists(st.integers(1, 10**6), min_size=1, max_size=30))
def test_those_who_take_over_bear_the_whole_deficit_in_proportion(
    deficit: int, parts: list[int]
) -> None:
    size, before, borne = sum(parts), 0, []
    for lots in parts:
        borne.append(borne_atoms(deficit, before, lots, size))
        assert abs(borne[-1] - Fraction(deficit * lots, size)) < 1
        before += lots
    assert sum(borne) == deficit


@given(st.integers(0, 2**62), st.integers(1, PPM))
def test_maintenance_is_rounded_up(notional: int, rate_ppm: int) -> None:
    exact = Fraction(notional * rate_ppm, PPM)
    assert 0 <= share_up(notional, rate_ppm) - exact < 1
