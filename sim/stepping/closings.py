"""Closing by force in one market of a simulation, and taking over what nobody can pay for.

Within a step: the orders of those who are closed are withdrawn; what they hold is sent to the
book as reduce-only IOC orders within 0.5 % of mark; after the step's trades, whoever still holds
a position, has less than nothing and finds the fund too small for it is deleveraged.

Nobody is closed at a price that nobody pays for. What stands behind a closing is the account's
equity and what the fund has left after the closings before it; where that does not carry the
price at the end of the band, the order's limit is the price that it carries. So after a closing
the fund can pay what is missing, and a deficit that it cannot pay has a position left, which is
auto-deleveraged at the price that leaves nothing. A counterparty bears no more than its own
equity; what it could not bear stays owed and the fund is asked for it again.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.money.accounts import COST, POSITION, MarketAccounts, close_against
from sim.money.liquidation import (
    bearable_price_ticks,
    borne_atoms,
    closing_cost_atoms,
    closing_price_ticks,
    deleveraging_order,
    deleveraging_scores,
)
from sim.money.rules import share_up
from sim.rows.messages import (
    EVENT,
    CommandKind,
    EventKind,
    OrderFlag,
    OrderType,
    Rows,
    Side,
    TimeInForce,
)
from sim.rows.messages import empty_commands as empty
from sim.rows.order_ids import ids_of_traders
from sim.stepping.arrivals import ROWS_OF_A_TRADER_MAX
from sim.sums import exact_sum
from sim.units import PPM

Integers = npt.NDArray[np.int64]
Equities = Callable[[Integers, Integers], Integers]
"""Equity of accounts, int64 (n,), from their ids and what each gained in this market."""


class Closings:
    """What is closed in a step, from `rows` to `settle`."""

    def __init__(self, accounts: MarketAccounts) -> None:
        self._accounts, self._spec = accounts, accounts.spec
        self._whole = self._backing = self._gains_before = np.empty(0, np.int64)
        self._mark_ticks = 0

    def withdrawals(self, closings: Integers) -> Rows:
        """CANCEL_ALL for each of these accounts."""
        rows = empty(len(closings))
        rows["kind"], rows["account_id"] = CommandKind.CANCEL_ALL, closings[:, 0]
        return rows

    def rows(self, step: int, closings: Integers, mark_ticks: int) -> Rows:
        """A forced order, reduce-only and IOC, for what each holds.

        closings   int64 (n, 3) as in Batch, by account
        """
        self._mark_ticks = mark_ticks
        ids, ppm, backing = closings.T
        self._remember(ids[ppm == PPM], backing[ppm == PPM])
        positions = self._accounts.accounts[ids, POSITION]
        held = positions != 0
        ids, ppm, backing, positions = ids[held], ppm[held], backing[held], positions[held]
        size = np.abs(positions)
        lots = np.minimum(share_up(size, ppm), self._spec.max_quantity_lots)
        sides = np.where(positions > 0, Side.SELL, Side.BUY).astype(np.int64)
        prices = self._prices(sides, lots, np.where(ppm == PPM, backing, np.iinfo(np.int64).max))
        rows = empty(len(ids))
        rows["kind"], rows["order_type"] = CommandKind.PLACE, OrderType.LIMIT
        rows["time_in_force"] = TimeInForce.IOC
        rows["flags"] = OrderFlag.REDUCE_ONLY | OrderFlag.FORCED
        rows["account_id"], rows["order_id"] = ids, ids_of_traders(step, ids, ROWS_OF_A_TRADER_MAX)
        rows["side"], rows["quantity_lots"], rows["price_ticks"] = sides, lots, prices
        return rows[prices > 0]

    def _remember(self, ids: Integers, backing: Integers) -> None:
        self._whole, self._backing = ids, backing
        self._gains_before = self._accounts.values_of(ids, self._mark_ticks)[0]

    def _prices(self, sides: Integers, lots: Integers, backing: Integers) -> Integers:
        """A limit for each order: the end of the band, or what can be paid; 0 for no order."""
        ends = [self._band_end(side) for side in (Side.BUY, Side.SELL)]
        prices = np.where(sides == Side.SELL, ends[1], ends[0]).astype(np.int64)
        missing = self._cost(sides, lots, prices) - backing
        if exact_sum(np.maximum(missing, 0)) <= self._accounts.insurance_atoms:
            return prices
        fund = self._accounts.insurance_atoms
        for place in np.flatnonzero(missing > 0).tolist():
            side, size = Side(int(sides[place])), int(lots[place])
            behind = int(backing[place])
            prices[place] = self._carried(side, size, behind + fund, int(prices[place]))
            if prices[place]:
                cost = int(self._cost(side, size, int(prices[place])))
                fund = max(0, fund - max(0, cost - behind))
        return prices

    def _cost(self, sides: Any, lots: Any, prices: Any) -> Any:
        return closing_cost_atoms(self._spec, self._mark_ticks, sides, lots, prices)

    def _band_end(self, side: Side) -> int:
        return min(closing_price_ticks(self._mark_ticks, side), self._spec.max_price_ticks)

    def _carried(self, side: Side, lots: int, budget: int, end_ticks: int) -> int:
        """The end of the band or the worst price a budget carries, 0 where none can be ordered."""
        worst = bearable_price_ticks(self._spec, self._mark_ticks, side, lots, budget)
        price = max(worst, end_ticks) if side == Side.SELL else min(worst, end_ticks)
        return price if 1 <= price <= self._spec.max_price_ticks else 0

    def forget(self) -> None:
        """Nothing is taken over in this step."""
        self._whole = np.empty(0, np.int64)

    def settle(self, time_us: int, equities: Equities) -> Rows:
        """After the step's trades: the fund pays and positions are taken over where it cannot.

        Answers EVENT rows of kind TRADE, one for each counterparty, which is the maker, all of
        event_seq and order ids 0: what happened to positions, at the price to the nearest tick.
        """
        ids, accounts = self._whole, self._accounts
        if len(ids) == 0:
            return np.empty(0, EVENT)
        self.forget()
        gains = accounts.values_of(ids, self._mark_ticks)[0] - self._gains_before
        left = self._backing + gains
        held = accounts.accounts[ids, POSITION] != 0
        flat_debts = exact_sum(np.maximum(-left[~held], 0))
        fund = max(0, accounts.insurance_atoms - flat_debts)
        taking = _Takeover(accounts, self._mark_ticks, time_us, equities)
        for place in np.flatnonzero(held & (left < 0)).tolist():
            account_id, deficit = int(ids[place]), -int(left[place])
            if deficit <= fund:
                fund -= deficit
                continue
            paid = accounts.cover(account_id, fund)
            fund -= paid
            taking.take_over(account_id, deficit - paid)
        return taking.events


class _Takeover:
    """Positions that go to opposite ones, at one mark."""

    def __init__(
        self, accounts: MarketAccounts, mark_ticks: int, time_us: int, equities: Equities
    ) -> None:
        self._accounts, self._mark_ticks, self._time_us = accounts, mark_ticks, time_us
        self._mark_atoms = mark_ticks * accounts.spec.atoms_per_tick_lot
        self._equities_of = equities
        self._queues: dict[int, list[int]] = {}
        self._able: dict[int, int] = {}
        self._events: list[tuple[int, ...]] = []

    def take_over(self, account_id: int, deficit_atoms: int) -> None:
        """The whole position goes, in the order of the ranking, and with it the deficit."""
        table = self._accounts.accounts
        size = abs(int(table[account_id, POSITION]))
        direction = 1 if table[account_id, POSITION] > 0 else -1
        queue = self._queue(-direction)
        gone = 0
        while gone < size:
            opposite = queue[-1]
            there = max(0, -direction * int(table[opposite, POSITION]))
            lots = min(there, size - gone)
            if lots > 0:
                share = borne_atoms(deficit_atoms, gone, lots, size)
                self._take(account_id, opposite, direction, lots, share)
            if lots == there:
                queue.pop()
            gone += lots

    def _take(
        self, account_id: int, opposite: int, direction: int, lots: int, share_atoms: int
    ) -> None:
        able = max(0, self._able.get(opposite, 0))
        borne = min(share_atoms, able)
        self._able[opposite] = able - borne
        worth = lots * self._mark_atoms + direction * borne
        close_against(self._accounts.accounts, account_id, opposite, lots, worth)
        per_tick = lots * self._accounts.spec.atoms_per_tick_lot
        ticks = min(max(1, (2 * worth + per_tick) // (2 * per_tick)), 2**31 - 1)
        side = Side.SELL if direction > 0 else Side.BUY
        self._events.append((account_id, opposite, lots, ticks, int(side)))

    def _queue(self, direction: int) -> list[int]:
        """Accounts that hold the direction as the step's trades left them, the first one last."""
        if direction not in self._queues:
            table = self._accounts.accounts
            ids = self._accounts.holders()
            ids = ids[table[ids, POSITION] * direction > 0]
            gains, worths = self._accounts.values_of(ids, self._mark_ticks)
            costs = table[ids, COST] * direction
            equities = self._equities_of(ids, gains)
            won = table[ids, POSITION] * self._mark_atoms - table[ids, COST]
            scores = deleveraging_scores(won, costs, worths, equities)
            order = deleveraging_order(scores, ids)
            self._able.update(zip(ids.tolist(), equities.tolist(), strict=True))
            self._queues[direction] = ids[order][::-1].tolist()
        return self._queues[direction]

    @property
    def events(self) -> Rows:
        """One TRADE row for each take."""
        rows = np.zeros(len(self._events), EVENT)
        columns = ("account_id", "maker_account_id", "quantity_lots", "price_ticks", "side")
        for name, values in zip(columns, zip(*self._events, strict=True), strict=False):
            rows[name] = values
        rows["kind"], rows["time_us"] = EventKind.TRADE, self._time_us
        rows["flags"] = OrderFlag.REDUCE_ONLY
        return rows


def equities_of(
    beyond: Sequence[tuple[range, int | Integers]], ids: Integers, gains: Integers
) -> Integers:
    """Gains here and what accounts have beyond this market, by part; an outsider has nothing."""
    equities = gains.copy()
    for accounts, atoms in beyond:
        mine = (ids >= accounts.start) & (ids < accounts.stop)
        own = ids[mine] - accounts.start
        equities[mine] += atoms if isinstance(atoms, int) else atoms[own]
    return equities


def joined(closings: Sequence[Integers]) -> Integers:
    """Closings of all parts, by account."""
    pairs = np.concatenate(closings)
    return pairs[np.argsort(pairs[:, 0], kind="stable")]
