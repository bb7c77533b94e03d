"""What the traders of a live strategy may still order: OrderMargin, on sums of their own.

In a simulation markets say at margin checks what each trader gained and holds. A live market knows
positions alone, so the strategy keeps the accounts of its traders: they begin with what is stored
when it enters a market, and every fill that it hears of joins them. So equity is exact in every
step, at the mark that the strategy saw last.

What it has sent and has no answer to binds margin until the answer, and where none comes until it
enters the market again, which withdraws all that rests there.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.money.accounts import (
    COLUMNS,
    COST,
    FEES,
    POSITION,
    REALIZED,
    account_told,
    value_accounts,
)
from sim.money.order_margin import OrderMargin
from sim.money.watch import add_market, free_of
from sim.rows.messages import Rows

Integers = npt.NDArray[np.int64]

HELD = (POSITION, COST, REALIZED)
"""What is stored of a trader in a market: lots, their cost, what was realised less fees."""


class TradersMargin:
    """The traders of one strategy, on its markets in their order."""

    def __init__(
        self, accounts: range, capital_atoms: int, specs: Sequence[MarketSpec], leverage: int
    ) -> None:
        traders = len(accounts)
        self._orders = OrderMargin(accounts, capital_atoms, specs, leverage)
        self._capital_atoms, self._leverage, self._specs = capital_atoms, leverage, list(specs)
        self._accounts = [np.zeros((traders, COLUMNS), np.int64) for _ in specs]
        self._marks_ticks = [0 for _ in specs]
        self._resting: Integers = np.zeros((len(specs), traders), np.int64)
        self._sent: Integers = np.zeros((len(specs), traders), np.int64)
        self._sums: Integers = np.zeros((traders, 4), np.int64)
        self._nobody_is_out: Integers = np.zeros(traders, np.int64)

    @property
    def refused(self) -> int:
        """Orders that equity did not carry."""
        return self._orders.refused

    @property
    def too_large(self) -> int:
        """Those of them that are worth more than any order may be."""
        return self._orders.too_large

    @property
    def free_atoms(self) -> Integers:
        """Equity less the margin of positions and of what has no answer yet: int64 (traders,)."""
        return self._orders.free_atoms

    def enter(self, market: int, held: Integers) -> None:
        """All orders there are withdrawn; what the traders hold there, int64 (traders, 3) of
        HELD."""
        self._accounts[market][:] = 0
        self._accounts[market][:, HELD] = held
        self._orders.begin_with(market, held[:, 0])
        resting = self._orders.resting_atoms
        resting -= self._resting[market]
        self._resting[market] = self._sent[market] = 0

    def learn(self, market: int, packed: Integers) -> None:
        """What happened to them there, as in rows/packed.py."""
        spec, resting = self._specs[market], self._orders.resting_atoms
        rates = (spec.atoms_per_tick_lot, spec.maker_fee_ppm, spec.taker_fee_ppm)
        account_told(self._accounts[market], packed, *rates)
        self._resting[market] -= resting
        self._orders.learn(market, packed)
        self._resting[market] += resting

    def answered(self, market: int) -> None:
        """What was sent there is applied, and what became of it is learned."""
        self._sent[market] = 0

    def reckon(self, marks_ticks: Sequence[int]) -> None:
        """Begin a step: what is free at the marks of all markets, 0 for one that is not seen."""
        for market, mark_ticks in enumerate(marks_ticks):
            self._marks_ticks[market] = mark_ticks or self._marks_ticks[market]
            spec, values = self._specs[market], self._values(market)
            rules = (spec.maintenance_margin_ppm, self._leverage, self._capital_atoms)
            add_market(values, *rules, market == 0, self._sums)
        free = self._orders.free_atoms
        free_of(self._sums, self._orders.most_atoms, free)
        free -= self._sent.sum(axis=0)

    def _values(self, market: int) -> Integers:
        """As MarketAccounts.margins; at cost while no mark was ever seen."""
        accounts, spec = self._accounts[market], self._specs[market]
        mark_ticks = 0 if spec.is_spot else self._marks_ticks[market]
        values = np.empty((2, len(accounts)), np.int64)
        value_accounts(accounts, mark_ticks * spec.atoms_per_tick_lot, values)
        if mark_ticks == 0 and not spec.is_spot:
            values[0] = accounts[:, REALIZED] - accounts[:, FEES]
            values[1] = np.abs(accounts[:, COST])
        return values

    def admit(self, market: int, rows: Rows, best_bid_ticks: int, mark_ticks: int) -> Rows:
        """What goes to a market of COMMAND rows, once in a step after `reckon`."""
        touch = (best_bid_ticks, mark_ticks)
        admitted, asked = self._orders.admit_alone(market, rows, touch, self._nobody_is_out)
        self._sent[market] = asked
        free = self._orders.free_atoms
        free -= asked
        return admitted
