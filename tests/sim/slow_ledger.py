"""The money of one simulated market from its events alone, in Python's integers and fractions.

Shares no code with what it checks: cash instead of cost bases, fractions instead of floors.
One market, and every event of it.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor, trunc

import numpy as np

from sim.populations.population import MarketView
from sim.rows.messages import EVENT, EventKind, OrderFlag, Rows, Side
from sim.scenario.scenario import Scenario

MILLION = 1_000_000
CAP_PPM = 3_750
WHOLE, FIFTH, NOT_YET = MILLION, MILLION // 5, 0

Told = dict[str, int]
"""An EVENT row by its columns."""


def told(events: Rows) -> list[Told]:
    return [dict(zip(EVENT.names or (), row, strict=True)) for row in events.tolist()]


def impact(levels: np.ndarray, worth: int) -> Fraction | None:
    bought, paid = Fraction(0), Fraction(0)
    for price, lots, _ in levels.tolist():
        here = min(Fraction(lots), (worth - paid) / price)
        bought, paid = bought + here, paid + here * price
        if paid == worth:
            return Fraction(worth / bought)
    return None


def premium_of(view: MarketView) -> int:
    """Of a market with leverage up to 20: 200 × 20 quote units are traded at once."""
    worth = 4_000 * MILLION // view.spec.atoms_per_tick_lot
    bid, ask = impact(view.bids, worth), impact(view.asks, worth)
    above = max(Fraction(0), bid - view.index_ticks) if bid else Fraction(0)
    below = max(Fraction(0), view.index_ticks - ask) if ask else Fraction(0)
    return trunc((above - below) * MILLION / view.index_ticks)


def rate_of(premiums: list[int]) -> int:
    average = trunc(Fraction(sum(premiums), len(premiums)))
    pulled = average + max(-500, min(100 - average, 500))
    return max(-CAP_PPM, min(pulled, CAP_PPM))


def rounded_up(atoms: int, rate_ppm: int) -> int:
    return ceil(Fraction(atoms * rate_ppm, MILLION))


@dataclass
class Trader:
    """cash: capital, less what was bought, fees, and whatever else moved, all in atoms."""

    cash: int
    lots: int = 0
    out_since: int | None = None
    fifth_at: int | None = None


@dataclass
class SlowLedger:
    """Feed it every step's events, then compare."""

    scenario: Scenario
    fund: int = field(init=False)
    fees: int = 0
    dust: int = 0
    takeovers: int = 0
    covered: int = 0
    mark: int = 0
    traders: dict[int, Trader] = field(init=False)
    premiums: list[int] = field(default_factory=list)
    closing: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fund, account = self.scenario.insurance_atoms, 1
        self.traders = {}
        for population in self.scenario.world.populations:
            for _ in range(population.heads):
                self.traders[account] = Trader(population.capital_atoms)
                account += 1
        self.traders[account] = Trader(0)
        self.outsider = account
        self.atoms = self.scenario.world.markets[0].spec.atoms_per_tick_lot

    def equity(self, account: int) -> int:
        one = self.traders[account]
        return one.cash + one.lots * self.mark * self.atoms

    def judge(self, step: int) -> None:
        """Before a step, on what the last one left: who is closed, who owes."""
        self.closing, pause = {}, 30 * MILLION // self.scenario.step_us
        for account, one in self.traders.items():
            if account != self.outsider:
                part = self._verdict(step, account, one, pause)
                if part:
                    self.closing[account] = part
        for account, one in self.traders.items():
            if account != self.outsider and one.lots == 0 and self.equity(account) < 0:
                paid = min(self.fund, -self.equity(account))
                self.fund, one.cash = self.fund - paid, one.cash + paid
                self.covered += paid
                assert self.fund == 0 or self.equity(account) == 0

    def _verdict(self, step: int, account: int, one: Trader, pause: int) -> int:
        equity, worth = self.equity(account), abs(one.lots) * self.mark * self.atoms
        if one.out_since is not None:
            return WHOLE if worth else NOT_YET
        if (worth == 0 and equity >= 0) or (worth and equity > rounded_up(worth, 5_000)):
            one.fifth_at = None
        elif worth > 100_000 * MILLION and one.fifth_at is None:
            one.fifth_at = step
            return FIFTH
        elif one.fifth_at is None or not worth or step - one.fifth_at >= pause:
            one.out_since = step
            return WHOLE if worth else NOT_YET
        return NOT_YET

    def step(self, step: int, events: Rows, view: MarketView) -> None:
        """All events of a step, and what the market showed after it."""
        rows = told(events)
        takeovers = [row for row in rows if row["event_seq"] == 0]
        for row in rows:
            if row["event_seq"] and row["kind"] == EventKind.TRADE:
                self._trade(row)
        self._take_over(takeovers)
        self.mark = view.mark_ticks
        self._fund(view)

    def _trade(self, row: Told) -> None:
        taker, maker = row["account_id"], row["maker_account_id"]
        lots, price = row["quantity_lots"], row["price_ticks"]
        worth, signed = lots * price * self.atoms, lots if row["side"] == Side.BUY else -lots
        for account, moved, rate in ((taker, signed, 500), (maker, -signed, 200)):
            fee, one = rounded_up(worth, rate), self.traders[account]
            one.lots, one.cash = one.lots + moved, one.cash - moved * price * self.atoms - fee
            self.fees += fee
        if is_forced(row):
            assert taker in self.closing
            within = (
                price * 1000 >= self.mark * 995
                if signed < 0
                else price * 1000 <= (self.mark * 1005)
            )
            assert within, "a position was closed beyond half a percent of mark"
            penalty = rounded_up(worth, 1_000)
            self.traders[taker].cash -= penalty
            self.fund += penalty

    def _take_over(self, rows: list[Told]) -> None:
        """Exactly those whose deficit the fund cannot pay lose their whole position."""
        whole = sorted(account for account, part in self.closing.items() if part == WHOLE)
        flat = [one for one in whole if self.traders[one].lots == 0]
        debts = sum(max(0, -self.equity(one)) for one in flat)
        assert debts <= self.fund, "a position was closed at a price that nobody can pay"
        fund = self.fund - debts
        todo = [one for one in whole if self.traders[one].lots and self.equity(one) < 0]
        able = {account: max(0, self.equity(account)) for account in self.traders}
        for account in todo:
            deficit = -self.equity(account)
            if deficit <= fund:
                fund -= deficit
                continue
            self.traders[account].cash += fund
            self.fund, deficit, fund = self.fund - fund, deficit - fund, 0
            taken = [row for row in rows if row["account_id"] == account]
            self._one_takeover(account, deficit, taken, able)
            rows = [row for row in rows if row["account_id"] != account]
        assert rows == [], "somebody lost a position without need"
        self.closing = {}

    def _one_takeover(
        self, account: int, deficit: int, rows: list[Told], able: dict[int, int]
    ) -> None:
        loser, size, before = self.traders[account], abs(self.traders[account].lots), 0
        for row in rows:
            other, lots = row["maker_account_id"], row["quantity_lots"]
            direction = 1 if loser.lots > 0 else -1
            winner = self.traders[other]
            assert lots <= -direction * winner.lots
            until = floor(Fraction(deficit * (before + lots), size))
            share = min(until - floor(Fraction(deficit * before, size)), able[other])
            able[other] -= share
            paid = direction * lots * self.mark * self.atoms + share
            loser.lots, winner.lots = loser.lots - direction * lots, winner.lots + direction * lots
            loser.cash, winner.cash = loser.cash + paid, winner.cash - paid
            before, self.takeovers = before + lots, self.takeovers + 1
        assert loser.lots == 0

    def _fund(self, view: MarketView) -> None:
        before_us = view.time_us - self.scenario.step_us
        if view.time_us // (5 * MILLION) > before_us // (5 * MILLION):
            self.premiums.append(premium_of(view))
        hours_us = view.spec.funding_interval_hours * 3600 * MILLION
        if view.time_us // hours_us > before_us // hours_us:
            rate = rate_of(self.premiums) * view.spec.funding_interval_hours
            self.premiums = []
            for one in self.traders.values():
                exact = -Fraction(one.lots * view.index_ticks * self.atoms * rate, 8 * MILLION)
                change = floor(exact) if exact > 0 else -ceil(-exact)
                one.cash, self.dust = one.cash + change, self.dust - change


def is_forced(row: Told) -> bool:
    """Whether the order of an EVENT row closes its trader's position by force."""
    return bool(row["flags"] & OrderFlag.FORCED)
