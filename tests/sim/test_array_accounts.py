import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.market import BTC_PERP, ETH_PERP
from sim.money.accounts import (
    COST,
    COST_ATOMS_MAX,
    FEES,
    FUNDING,
    POSITION,
    REALIZED,
    TRANSFERS,
    VOLUME,
    MarketAccounts,
    fee_of,
)
from sim.money.position import FLAT, Position, fee_atoms, fill_position, unrealized_pnl_atoms
from sim.rows.messages import EVENT, EventKind, Rows, Side
from sim.stepping.arrivals import forced_ids
from sim.sums import exact_sum, saturated_sum
from sim.units import PPM

ACCOUNTS = 6

trades = st.tuples(
    st.integers(1, ACCOUNTS),
    st.integers(1, ACCOUNTS),
    st.sampled_from([int(side) for side in Side]),
    st.one_of(st.integers(1, 50), st.integers(1, 1_000_000)),
    st.integers(1, 3_000_000),
)


def events_of(rows: list[tuple[int, int, int, int, int]]) -> Rows:
    events = np.zeros(len(rows), EVENT)
    events["kind"] = EventKind.TRADE
    columns = ("account_id", "maker_account_id", "side", "quantity_lots", "price_ticks")
    for place, name in enumerate(columns):
        events[name] = [row[place] for row in rows]
    return events


class Ledger:
    """The same fills by sim.money.position, one at a time."""

    def __init__(self) -> None:
        self.positions = [FLAT] * (ACCOUNTS + 1)
        self.realized, self.fees = [0] * (ACCOUNTS + 1), [0] * (ACCOUNTS + 1)

    def fill(self, account: int, signed: int, ticks: int, rate_ppm: int) -> None:
        position, realized = fill_position(
            self.positions[account], signed, ticks, BTC_PERP.atoms_per_tick_lot
        )
        self.positions[account] = position
        self.realized[account] += realized
        self.fees[account] += fee_atoms(BTC_PERP.notional_atoms(ticks, abs(signed)), rate_ppm)


@given(st.lists(trades, min_size=1, max_size=60))
def test_arrays_hold_what_positions_hold_fill_by_fill(
    rows: list[tuple[int, int, int, int, int]],
) -> None:
    accounts, ledger = MarketAccounts(BTC_PERP, ACCOUNTS + 1), Ledger()
    for row in rows:
        taker, maker, side, lots, ticks = row
        signed = lots if side == Side.BUY else -lots
        ledger.fill(taker, signed, ticks, BTC_PERP.taker_fee_ppm)
        ledger.fill(maker, -signed, ticks, BTC_PERP.maker_fee_ppm)
        accounts.apply(events_of([row]))
        held = accounts.accounts
        assert held[:, POSITION].tolist() == [one.quantity_lots for one in ledger.positions]
        assert held[:, COST].tolist() == [one.cost_atoms for one in ledger.positions]
        assert held[:, REALIZED].tolist() == ledger.realized
        assert held[:, FEES].tolist() == ledger.fees
    accounts.check()
    together = MarketAccounts(BTC_PERP, ACCOUNTS + 1)
    together.apply(events_of(rows))
    assert np.array_equal(together.accounts, accounts.accounts)


@given(
    st.integers(1, 2**40),
    st.integers(1, 2**40),
    st.integers(1, 2**31 - 1),
    st.integers(1, 2**31 - 1),
)
def test_closing_a_large_position_is_exact(size: int, closed: int, first: int, second: int) -> None:
    """Cost × closed passes 64 bits here; the products that must fit are kept below 2**62."""
    first = min(first, 2**61 // size // ETH_PERP.atoms_per_tick_lot)
    second = min(second, 2**61 // closed // ETH_PERP.atoms_per_tick_lot)
    accounts = MarketAccounts(ETH_PERP, 3)
    accounts.apply(events_of([(1, 2, Side.BUY, size, first), (1, 2, Side.SELL, closed, second)]))
    wanted: Position = FLAT
    realized = 0
    for signed, ticks in ((size, first), (-closed, second)):
        wanted, gained = fill_position(wanted, signed, ticks, ETH_PERP.atoms_per_tick_lot)
        realized += gained
    row = accounts.accounts[1]
    assert (row[POSITION], row[COST]) == (wanted.quantity_lots, wanted.cost_atoms)
    assert row[REALIZED] == realized


def test_values_are_gain_and_worth_at_mark() -> None:
    accounts = MarketAccounts(BTC_PERP, 3)
    accounts.apply(events_of([(1, 2, Side.SELL, 500, 660_000)]))
    gains, worth = accounts.values(1, 3, 650_000)
    short = Position(-500, -500 * 660_000 * 100)
    notional = BTC_PERP.notional_atoms(660_000, 500)
    fee = fee_atoms(notional, BTC_PERP.taker_fee_ppm)
    assert gains[0] == unrealized_pnl_atoms(short, 650_000, BTC_PERP) - fee
    assert worth.tolist() == [BTC_PERP.notional_atoms(650_000, 500)] * 2
    assert accounts.accounts[1, VOLUME] == notional


def test_a_forced_close_pays_its_fee_to_the_fund_and_the_fund_pays_what_it_can() -> None:
    accounts = MarketAccounts(BTC_PERP, 3)
    events = events_of([(1, 2, Side.SELL, 500, 660_000)])
    events["order_id"] = forced_ids(9, np.array([1]))
    accounts.apply(events)
    earned = BTC_PERP.notional_atoms(660_000, 500) // 1000
    assert accounts.insurance_atoms == earned == -accounts.accounts[1, TRANSFERS]
    assert accounts.cover(2, 10 * earned) == earned
    assert accounts.insurance_atoms == 0
    accounts.check()


def test_money_from_nowhere_stops_the_run() -> None:
    accounts = MarketAccounts(BTC_PERP, 3)
    accounts.apply(events_of([(1, 2, Side.SELL, 500, 660_000)]))
    accounts.accounts[1, REALIZED] += 1
    with pytest.raises(AssertionError, match="came from nowhere"):
        accounts.check()


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=50))
def test_sums_are_exact_beyond_64_bits(values: list[int]) -> None:
    assert exact_sum(np.array(values, np.int64)) == sum(values)


@given(st.integers(0, 2**62), st.integers(1, PPM))
def test_maintenance_is_rounded_up(notional: int, rate_ppm: int) -> None:
    wanted = -(-notional * rate_ppm // PPM)
    assert fee_of(notional, rate_ppm) == wanted


def test_a_volume_beyond_64_bits_is_told_as_far_as_they_go() -> None:
    accounts = MarketAccounts(BTC_PERP, ACCOUNTS + 1)
    accounts.accounts[1:3, VOLUME] = 2**63 - 1_000
    accounts.apply(events_of([(1, 2, int(Side.BUY), 1, 10)]))
    assert accounts.accounts[1:3, VOLUME].tolist() == [2**63 - 1] * 2
    assert accounts.standings(1, ACCOUNTS + 1, 10)[3] == 2**63 - 1
    volumes = [accounts.accounts[:, VOLUME]] * 3
    assert saturated_sum(volumes)[:3].tolist() == [0, 2**63 - 1, 2**63 - 1]


@pytest.mark.parametrize("column", [REALIZED, FEES, COST])
def test_a_run_ends_before_money_leaves_64_bits(column: int) -> None:
    accounts = MarketAccounts(BTC_PERP, ACCOUNTS + 1)
    accounts.accounts[1, column] = COST_ATOMS_MAX
    with pytest.raises(AssertionError, match="more than 2"):
        accounts.apply(events_of([(1, 2, int(Side.BUY), 1, 10)]))


def test_funding_ends_a_run_before_it_leaves_64_bits() -> None:
    accounts = MarketAccounts(BTC_PERP, ACCOUNTS + 1)
    accounts.apply(events_of([(1, 2, int(Side.BUY), 1, 10)]))
    accounts.accounts[2, FUNDING] = COST_ATOMS_MAX - 1
    with pytest.raises(AssertionError, match="of funding"):
        accounts.pay_funding(10, 100_000)
