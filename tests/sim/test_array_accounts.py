import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.market import BTC_PERP
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
)
from sim.money.position import FLAT, Position, fill_position, unrealized_pnl_atoms
from sim.money.rules import share_up
from sim.rows.messages import EVENT, EventKind, OrderFlag, Rows, Side
from sim.sums import exact_sum, saturated_sum
from sim.units import PPM
from tests.markets import ETH_PERP
from tests.sim.plain_fills import PlainAccount, plain_fee

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


@given(st.lists(trades, min_size=1, max_size=60))
def test_arrays_and_positions_hold_what_plain_books_hold_fill_by_fill(
    rows: list[tuple[int, int, int, int, int]],
) -> None:
    accounts = MarketAccounts(BTC_PERP, ACCOUNTS + 1)
    plain = [PlainAccount() for _ in range(ACCOUNTS + 1)]
    positions, atoms = [FLAT] * (ACCOUNTS + 1), BTC_PERP.atoms_per_tick_lot
    for row in rows:
        taker, maker, side, lots, ticks = row
        signed = lots if side == Side.BUY else -lots
        for account, moved, rate_ppm in (
            (taker, signed, BTC_PERP.taker_fee_ppm),
            (maker, -signed, BTC_PERP.maker_fee_ppm),
        ):
            plain[account].fill(moved, ticks * atoms, rate_ppm)
            positions[account], _ = fill_position(positions[account], moved, ticks, atoms)
        accounts.apply(events_of([row]))
        held = accounts.accounts
        assert held[:, POSITION].tolist() == [one.lots for one in plain]
        assert held[:, COST].tolist() == [one.cost for one in plain]
        assert held[:, REALIZED].tolist() == [one.realized for one in plain]
        assert held[:, FEES].tolist() == [one.fees for one in plain]
        assert positions == [Position(one.lots, one.cost) for one in plain]
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
    atoms = ETH_PERP.atoms_per_tick_lot
    first, second = min(first, 2**61 // size // atoms), min(second, 2**61 // closed // atoms)
    accounts, plain = MarketAccounts(ETH_PERP, 3), PlainAccount()
    accounts.apply(events_of([(1, 2, Side.BUY, size, first), (1, 2, Side.SELL, closed, second)]))
    position, realized = FLAT, 0
    for signed, ticks in ((size, first), (-closed, second)):
        plain.fill(signed, ticks * atoms)
        position, gained = fill_position(position, signed, ticks, atoms)
        realized += gained
    row = accounts.accounts[1]
    assert (row[POSITION], row[COST], row[REALIZED]) == (plain.lots, plain.cost, plain.realized)
    assert (position, realized) == (Position(plain.lots, plain.cost), plain.realized)


def test_positions_beyond_64_bits_are_exact_in_python() -> None:
    """What a kernel must never see, a journal of years may: costs of more than 2**63 atoms."""
    plain, position = PlainAccount(), FLAT
    for signed in (2**45, 2**44 + 1, -(2**43) - 7, -(2**46)):
        plain.fill(signed, 2**33)
        position, _ = fill_position(position, signed, 2**33, 1)
        assert position == Position(plain.lots, plain.cost)


def test_values_are_gain_and_worth_at_mark() -> None:
    accounts = MarketAccounts(BTC_PERP, 3)
    accounts.apply(events_of([(1, 2, Side.SELL, 500, 660_000)]))
    gains, worth = accounts.values(1, 3, 650_000)
    short = Position(-500, -500 * 660_000 * 100)
    notional = BTC_PERP.notional_atoms(660_000, 500)
    fee = plain_fee(notional, BTC_PERP.taker_fee_ppm)
    assert gains[0] == unrealized_pnl_atoms(short, 650_000, BTC_PERP) - fee
    assert worth.tolist() == [BTC_PERP.notional_atoms(650_000, 500)] * 2
    assert accounts.accounts[1, VOLUME] == notional


def test_a_forced_close_pays_its_fee_to_the_fund_and_the_fund_pays_what_it_can() -> None:
    accounts = MarketAccounts(BTC_PERP, 3)
    events = events_of([(1, 2, Side.SELL, 500, 660_000)])
    events["order_id"], events["flags"] = -1023, OrderFlag.REDUCE_ONLY
    unforced = MarketAccounts(BTC_PERP, 3)
    unforced.apply(events)
    assert unforced.insurance_atoms == 0
    events["flags"] = OrderFlag.REDUCE_ONLY | OrderFlag.FORCED
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
    assert share_up(notional, rate_ppm) == wanted


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
