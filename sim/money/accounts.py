"""The money of many traders in one market, in arrays: the rules of position.py, one kernel.

A trader's account is split over its markets: each market keeps what happened to it there.
Equity is the capital plus the sum over markets of its `values`. All exact 64-bit integers.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.money import liquidation, rules
from sim.money.funding import funding_changes
from sim.money.liquidation import LIQUIDATION_FEE_PPM
from sim.money.rules import after_closing, after_fill, share_up
from sim.rows import columns, kernels, messages
from sim.rows import packed as packed_events
from sim.rows.columns import (
    EVENT_ACCOUNT,
    EVENT_CODES,
    EVENT_LOTS,
    EVENT_MAKER,
    EVENT_WORDS,
    flags_of,
    kind_of,
    price_of,
    side_of,
)
from sim.rows.kernels import Number, cached_kernel, inlined, prefetch
from sim.rows.messages import EventKind, OrderFlag, Rows, Side
from sim.rows.packed import CODES, LOTS, WHOSE, maker_of, owner_of
from sim.sums import VOLUME_ATOMS_MAX, exact_sum

Integers = npt.NDArray[np.int64]

POSITION, COST, REALIZED, FEES, VOLUME, TRANSFERS, FUNDING, LIQUIDATED = range(8)
"""Columns of an account, one cache line:

POSITION     lots, short below 0          COST        atoms, the sign of the position
REALIZED     atoms, before fees           FEES        atoms paid, rebates below 0
VOLUME       atoms traded                 TRANSFERS   atoms from the insurance fund, fees to it < 0
FUNDING      atoms received               LIQUIDATED  how many fills closed it by force
"""
COLUMNS = 8

TRADES, TRADED_LOTS, LIQUIDATION_TRADES, FEES_TAKEN, LIQUIDATION_FEES, BROKEN = range(6)
OPENED, HIGHEST, LOWEST = range(6, 9)
"""Places in the totals of a batch; BROKEN is not 0 where a cost, or what an account has earned or
paid, left the safe range. The last three are the price of the first trade, the highest and the
lowest, in ticks, 0 where there is no trade."""
COUNTS, TOTALS = 3, 9
"""How many of them are counts, which come first; how many there are."""

EVENTS_AHEAD = 12
"""How many events ahead the memory of an account is asked for."""

COST_ATOMS_MAX = 2**62
"""Of a position's cost, and of what an account has earned or paid: beyond it a run ends."""

TRADE, BUY, FORCED = int(EventKind.TRADE), int(Side.BUY), int(OrderFlag.FORCED)


@inlined
def fill(account: Integers, signed_lots: int, lot_price_atoms: int) -> None:
    """One side of a trade joins an account."""
    lots, cost, realized = after_fill(
        account[POSITION], account[COST], signed_lots, lot_price_atoms
    )
    account[POSITION], account[COST] = lots, cost
    account[REALIZED] += realized


@inlined
def settle_side(
    account: Integers, signed_lots: int, lot_price_atoms: int, notional: int, rate_ppm: int
) -> Number:
    """One side of a trade with all that it costs; answers its fee."""
    fee = share_up(notional, rate_ppm)
    fill(account, signed_lots, lot_price_atoms)
    account[FEES] += fee
    account[VOLUME] += min(notional, VOLUME_ATOMS_MAX - account[VOLUME])
    return fee


@inlined
def settle_forced(account: Integers, notional: int) -> Number:
    """What a taker who is closed by force pays besides; answers it."""
    fee = share_up(notional, LIQUIDATION_FEE_PPM)
    account[TRANSFERS] -= fee
    account[LIQUIDATED] += 1
    return fee


@inlined
def is_broken(account: Integers) -> Number:
    """Whether a number of the account has left the safe range."""
    return (
        abs(account[COST]) >= COST_ATOMS_MAX
        or abs(account[REALIZED]) >= COST_ATOMS_MAX
        or abs(account[FEES]) >= COST_ATOMS_MAX
    )


@inlined
def note_price(totals: Integers, price_ticks: int) -> None:
    """The price of one trade more, before it is counted."""
    if totals[TRADES] == 0:
        totals[OPENED] = totals[HIGHEST] = totals[LOWEST] = price_ticks
    elif price_ticks > totals[HIGHEST]:
        totals[HIGHEST] = price_ticks
    elif price_ticks < totals[LOWEST]:
        totals[LOWEST] = price_ticks


@cached_kernel(columns, kernels, liquidation, messages, rules)
def account_trades(
    accounts: Integers,
    events: Integers,
    totals: Integers,
    atoms_per_tick_lot: int,
    maker_fee_ppm: int,
    taker_fee_ppm: int,
) -> None:
    """Every TRADE of EVENT rows, as (n, EVENT_WORDS) int64, joins `accounts`, (ids, 8) int64."""
    for row in range(len(events)):
        codes = events[row, EVENT_CODES]
        if row + EVENTS_AHEAD < len(events):
            prefetch(accounts, events[row + EVENTS_AHEAD, EVENT_ACCOUNT])
            prefetch(accounts, events[row + EVENTS_AHEAD, EVENT_MAKER])
        if kind_of(codes) != TRADE:
            continue
        lots, price_atoms = events[row, EVENT_LOTS], price_of(codes) * atoms_per_tick_lot
        notional = lots * price_atoms
        signed = lots if side_of(codes) == BUY else -lots
        taker, maker = accounts[events[row, EVENT_ACCOUNT]], accounts[events[row, EVENT_MAKER]]
        fees = settle_side(taker, signed, price_atoms, notional, taker_fee_ppm)
        note_price(totals, price_of(codes))
        fees += settle_side(maker, -signed, price_atoms, notional, maker_fee_ppm)
        totals[TRADES] += 1
        totals[TRADED_LOTS] += lots
        totals[FEES_TAKEN] += fees
        if flags_of(codes) & FORCED:
            totals[LIQUIDATION_FEES] += settle_forced(taker, notional)
            totals[LIQUIDATION_TRADES] += 1
        if is_broken(taker) or is_broken(maker):
            totals[BROKEN] += 1


@cached_kernel(columns, kernels, liquidation, messages, packed_events, rules)
def account_told(
    accounts: Integers,
    packed: Integers,
    atoms_per_tick_lot: int,
    maker_fee_ppm: int,
    taker_fee_ppm: int,
) -> None:
    """Every TRADE of packed events, (n, 4), joins the accounts of those told, (traders, 8)."""
    for row in range(len(packed)):
        codes, whose = packed[row, CODES], packed[row, WHOSE]
        if kind_of(codes) != TRADE:
            continue
        lots, price_atoms = packed[row, LOTS], price_of(codes) * atoms_per_tick_lot
        notional = lots * price_atoms
        signed = lots if side_of(codes) == BUY else -lots
        taker, maker = owner_of(whose), maker_of(whose)
        if taker >= 0:
            settle_side(accounts[taker], signed, price_atoms, notional, taker_fee_ppm)
            if flags_of(codes) & FORCED:
                settle_forced(accounts[taker], notional)
        if maker >= 0:
            settle_side(accounts[maker], -signed, price_atoms, notional, maker_fee_ppm)


@inlined
def close_part(account: Integers, lots: int, worth_atoms: int) -> None:
    """So many lots of a position are closed for so much in all, without fees."""
    left, cost, realized = after_closing(account[POSITION], account[COST], lots, worth_atoms)
    account[POSITION], account[COST] = left, cost
    account[REALIZED] += realized


@cached_kernel(kernels, rules)
def close_against(
    accounts: Integers, closed_id: int, opposite_id: int, lots: int, worth_atoms: int
) -> None:
    """Two opposite positions give up so many lots to each other; the first one by force."""
    close_part(accounts[closed_id], lots, worth_atoms)
    close_part(accounts[opposite_id], lots, worth_atoms)
    accounts[closed_id, LIQUIDATED] += 1


@cached_kernel()
def value_accounts(accounts: Integers, mark_atoms: int, values: Integers) -> None:
    """values[0]: what each account made or lost here, open positions at mark; values[1]: the
    worth of its position at mark. `mark_atoms` is the mark of a lot; values is (2, n) int64."""
    for place in range(len(accounts)):
        account = accounts[place]
        worth = account[POSITION] * mark_atoms
        settled = account[REALIZED] - account[FEES] + account[TRANSFERS] + account[FUNDING]
        values[0, place] = settled + worth - account[COST]
        values[1, place] = abs(worth)


@cached_kernel()
def add_standings(accounts: Integers, mark_atoms: int, high: Integers, low: Integers) -> None:
    """Add the upper and the lower 32 bits of gain, fees, funding, volume and position: (5,)."""
    for place in range(len(accounts)):
        account = accounts[place]
        fees, funding, held = account[FEES], account[FUNDING], account[POSITION]
        gain = account[REALIZED] - fees + account[TRANSFERS] + funding
        gain += held * mark_atoms - account[COST]
        high[0] += gain >> 32
        low[0] += gain & 0xFFFFFFFF
        high[1] += fees >> 32
        low[1] += fees & 0xFFFFFFFF
        high[2] += funding >> 32
        low[2] += funding & 0xFFFFFFFF
        high[3] += account[VOLUME] >> 32
        low[3] += account[VOLUME] & 0xFFFFFFFF
        high[4] += held >> 32
        low[4] += held & 0xFFFFFFFF


@cached_kernel()
def add_columns(accounts: Integers, high: Integers, low: Integers) -> None:
    """Add the upper and the lower 32 bits of every column of (n, 8) int64; high, low: (8,)."""
    for place in range(len(accounts)):
        for column in range(COLUMNS):
            high[column] += accounts[place, column] >> 32
            low[column] += accounts[place, column] & 0xFFFFFFFF


def column_sums(accounts: Integers) -> list[int]:
    """The exact sum of each column, which may itself be longer than 64 bits."""
    high, low = np.zeros(COLUMNS, np.int64), np.zeros(COLUMNS, np.int64)
    add_columns(accounts, high, low)
    return joined_halves(high, low)


def joined_halves(high: Integers, low: Integers) -> list[int]:
    """Sums from those of the upper and those of the lower 32 bits."""
    return [(above << 32) + below for above, below in zip(high.tolist(), low.tolist(), strict=True)]


class MarketAccounts:
    """All accounts of a scenario in one market, its fees, its insurance fund and its dust.

    accounts     int64 (ids, COLUMNS); row 0 is nobody's, an account's id is its row
    dust_atoms   what rounding leaves over when funding is paid
    traders      the accounts that may ever trade here, all where None
    inventory_lots, inventory_atoms   what all of them began with in a spot market, and what it was
                                      worth then
    """

    def __init__(
        self,
        spec: MarketSpec,
        ids: int,
        insurance_atoms: int = 0,
        traders: Sequence[range] | None = None,
    ) -> None:
        self.spec, self._traders = spec, [range(ids)] if traders is None else list(traders)
        self.accounts: Integers = np.zeros((ids, COLUMNS), np.int64)
        self.fees_atoms = self.dust_atoms = 0
        self.insurance_atoms = self.insurance_start_atoms = insurance_atoms
        self.inventory_lots = self.inventory_atoms = 0
        self._given_lots = [0 for _ in self._traders]

    def give(self, place: int, lots: int, price_ticks: int) -> None:
        """The traders in a place of `traders` begin with so many lots each, paid for at a price."""
        ids, worth = self._traders[place], self.spec.notional_atoms(price_ticks, lots)
        rows = self.accounts[ids.start : ids.stop]
        rows[:, POSITION], rows[:, COST] = lots, worth
        self._given_lots[place] = lots
        self.inventory_lots += len(ids) * lots
        self.inventory_atoms += len(ids) * worth

    def apply(self, events: Rows) -> Integers:
        """Account for a batch of EVENT rows; its totals, int64 (TOTALS,)."""
        totals = np.zeros(TOTALS, np.int64)
        words = events.view(np.int64).reshape(len(events), EVENT_WORDS)
        spec = self.spec
        rates = (spec.atoms_per_tick_lot, spec.maker_fee_ppm, spec.taker_fee_ppm)
        account_trades(self.accounts, words, totals, *rates)
        told = f"{spec.market_id}: a position, a profit or fees of more than 2**62 atoms"
        assert totals[BROKEN] == 0, told
        self.fees_atoms += int(totals[FEES_TAKEN])
        self.insurance_atoms += int(totals[LIQUIDATION_FEES])
        return totals

    def cover(self, account_id: int, shortfall_atoms: int) -> int:
        """The fund pays what it can of a shortfall; what it paid."""
        paid = max(0, min(shortfall_atoms, self.insurance_atoms))
        self.accounts[account_id, TRANSFERS] += paid
        self.insurance_atoms -= paid
        return paid

    def rows(self) -> list[Integers]:
        """The accounts of those who may trade here, in order."""
        return [self.accounts[ids.start : ids.stop] for ids in self._traders]

    def holders(self) -> Integers:
        """Ids of accounts with a position, of a spot market with another one than their inventory,
        in order."""
        given = zip(self._traders, self.rows(), self._given_lots, strict=True)
        held = [np.flatnonzero(rows[:, POSITION] != lots) + ids.start for ids, rows, lots in given]
        found: Integers = np.concatenate(held)
        return found

    def traded_lots(self, ids: Integers) -> Integers:
        """What accounts have bought less what they have sold, int64 (n,)."""
        lots: Integers = self.accounts[ids, POSITION]
        for traders, given in zip(self._traders, self._given_lots, strict=True):
            lots[(ids >= traders.start) & (ids < traders.stop)] -= given
        return lots

    def pay_funding(self, index_ticks: int, rate_ppm: int) -> None:
        """Every position pays or receives on its worth at index; the dust is kept."""
        ids = self.holders()
        worth = self.accounts[ids, POSITION] * (index_ticks * self.spec.atoms_per_tick_lot)
        changes = funding_changes(worth, rate_ppm, self.spec.funding_interval_hours)
        self.accounts[ids, FUNDING] += changes
        told = f"{self.spec.market_id}: more than 2**62 atoms of funding"
        assert (np.abs(self.accounts[ids, FUNDING]) < COST_ATOMS_MAX).all(), told
        self.dust_atoms -= exact_sum(changes)

    def values(
        self, first: int, stop: int, mark_ticks: int, room: Integers | None = None
    ) -> Integers:
        """Gain here and worth of the position at mark, of accounts first to stop − 1: (2, n).

        room   int64 (2, n) to write them to; new memory where None
        """
        values = np.empty((2, stop - first), np.int64) if room is None else room
        mark_atoms = mark_ticks * self.spec.atoms_per_tick_lot
        value_accounts(self.accounts[first:stop], mark_atoms, values)
        return values

    def margins(
        self, first: int, stop: int, mark_ticks: int, room: Integers | None = None
    ) -> Integers:
        """What counts towards margins: `values`; of a spot market what was paid and got, for what
        is held there backs nothing."""
        return self.values(first, stop, 0 if self.spec.is_spot else mark_ticks, room)

    def revaluation_atoms(self, mark_ticks: int) -> int:
        """What the inventories that accounts began with have become worth more."""
        return self.spec.notional_atoms(mark_ticks, self.inventory_lots) - self.inventory_atoms

    @property
    def house_atoms(self) -> int:
        """What the house has gained: fees, dust, and the growth of the fund."""
        return self.fees_atoms + self.dust_atoms + self.insurance_atoms - self.insurance_start_atoms

    def standings(self, first: int, stop: int, mark_ticks: int) -> list[int]:
        """Sums over accounts first to stop − 1: gain here at mark, fees, funding, volume in
        atoms, and lots held; in one pass, exact, save volume beyond VOLUME_ATOMS_MAX."""
        high, low = np.zeros(5, np.int64), np.zeros(5, np.int64)
        mark_atoms = mark_ticks * self.spec.atoms_per_tick_lot
        add_standings(self.accounts[first:stop], mark_atoms, high, low)
        gain, fees, funding, volume, held = joined_halves(high, low)
        return [gain, fees, funding, min(volume, VOLUME_ATOMS_MAX), held]

    def values_of(self, ids: Integers, mark_ticks: int) -> Integers:
        """The same for some accounts: int64 (2, n)."""
        values = np.empty((2, len(ids)), np.int64)
        value_accounts(self.accounts[ids], mark_ticks * self.spec.atoms_per_tick_lot, values)
        return values

    def check(self) -> None:
        """Nothing is made and nothing lost: raises AssertionError where that does not hold.

        Σ positions = 0, in a spot market the inventories; and what all accounts gained, fees, dust
        and the fund's growth sum to what these are worth more, at whatever mark.
        """
        parts = [column_sums(rows) for rows in self.rows()]
        total = [sum(columns) for columns in zip(*parts, strict=True)]
        gained = total[REALIZED] - total[COST] - total[FEES] + total[TRANSFERS] + total[FUNDING]
        market_id = self.spec.market_id
        beyond = total[POSITION] - self.inventory_lots
        assert beyond == 0, f"{market_id}: positions sum to {beyond} lots"
        left = gained + self.inventory_atoms + self.house_atoms
        assert left == 0, f"{market_id}: {left} atoms came from nowhere"
