"""Orders that equity does not carry are not placed: rules, and a slow model order by order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
import pytest

from sim.market import BTC_PERP
from sim.money.liquidation import CLOSED
from sim.money.order_margin import OrderMargin
from sim.populations.command_rows import places
from sim.populations.population import Integers
from sim.rows.columns import kind_of, price_of, side_of
from sim.rows.messages import EVENT, CommandKind, EventKind, OrderFlag, Reason, Rows, Side
from sim.rows.packed import CODES, LOTS, ORDER, WHOSE
from sim.scenario.world import ScenarioError
from sim.stepping.world import SimulatedWorld
from sim.units import ATOMS_PER_UNIT
from tests.markets import ETH_PERP
from tests.sim.scenario_texts import BTC, ETH, GAMBLERS, MAKERS, scenario_of, world_of
from tests.sim.simulated_market import told

CAPITAL = 1_000 * ATOMS_PER_UNIT
TOUCHES = [(650_000, 660_000), (340_000, 350_000)]
EVERYBODY_IN = np.zeros(3, np.int64)
ORDER_NO = -77
ACCOUNTS = range(11, 14)


def margin_of(leverage: int = 10, capital_atoms: int = CAPITAL) -> OrderMargin:
    return OrderMargin(ACCOUNTS, capital_atoms, [BTC_PERP, ETH_PERP], leverage)


def orders(*rows: tuple[int, int, int]) -> Rows:
    accounts, prices, lots = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return places(accounts, np.full(len(rows), Side.BUY), prices, lots)


def none() -> Rows:
    return orders((11, 1, 1))[:0]


def event(kind: EventKind, account: int, price: int, lots: int, **more: int) -> Rows:
    rows = np.zeros(1, EVENT)
    rows["kind"], rows["account_id"], rows["order_id"] = kind, account, ORDER_NO
    rows["price_ticks"], rows["quantity_lots"] = price, lots
    for name, value in more.items():
        rows[name] = value
    return rows


def admitted(margin: OrderMargin, *sent: Rows) -> list[int]:
    return [len(rows) for rows in margin.admit(sent, TOUCHES, EVERYBODY_IN)]


def largest(leverage: int) -> int:
    """Lots of BTC at 66,000 that 1,000 carries: margin and a fee of 5 in 10,000."""
    return int(1_000 / (66 * (1 / leverage + 0.0005)))


@pytest.mark.parametrize("leverage", [1, 3, 10, 20])
def test_an_order_needs_its_margin_and_the_takers_fee(leverage: int) -> None:
    most = largest(leverage)
    assert admitted(margin_of(leverage), orders((11, 660_000, most)), none()) == [1, 0]
    refusing = margin_of(leverage)
    assert admitted(refusing, orders((11, 660_000, most + 1)), none()) == [0, 0]
    assert refusing.refused == 1


def test_a_sale_reserves_at_the_better_of_its_limit_and_the_best_bid() -> None:
    """And for what it loses at its limit, no further from mark than the market's band."""
    at_bid, at_edge = (int(1_000 / (65 * (1 / 10 + 0.0005) + loss)) for loss in (1, 6.6))
    for price, lots, count in (
        (650_000, at_bid, 1),
        (650_000, at_bid + 1, 0),
        (1, at_edge, 1),
        (1, at_edge + 1, 0),
    ):
        rows = orders((11, price, lots))
        rows["side"] = Side.SELL
        assert admitted(margin_of(), rows, none()) == [count, 0]


def test_a_sale_that_only_rests_reserves_at_its_own_limit() -> None:
    """As a client's does: it is refused where it would trade at the bid."""
    rows = orders((11, 594_000, int(1_000 / (59.4 * (1 / 10 + 0.0005) + 6.6))))
    rows["side"], rows["flags"] = Side.SELL, OrderFlag.POST_ONLY
    assert admitted(margin_of(), rows, none()) == [1, 0]


def test_an_order_without_a_limit_reserves_at_the_edge_of_the_band() -> None:
    """Mark 17 and 10 % are 18.7: it buys at 18 at most, and loses 1 then."""
    spec = replace(BTC_PERP, taker_fee_ppm=0)
    capital = spec.notional_atoms(18 + 1, 1_000)
    for lots, count in ((1_000, 1), (1_001, 0)):
        margin = OrderMargin(ACCOUNTS, capital, [spec], 1)
        assert [
            len(one) for one in margin.admit([orders((11, 0, lots))], [(6, 17)], EVERYBODY_IN)
        ] == [count]


def test_twenty_orders_that_each_need_1_005_on_a_balance_of_10_are_nine() -> None:
    margin = margin_of(1, 10 * ATOMS_PER_UNIT)
    sent = orders(*[(11, 10_000, 1)] * 20)
    eth = ETH_PERP.notional_atoms(10_000, 1)
    assert eth + eth * 5 // 10_000 == 1_000_500
    assert admitted(margin, none(), sent) == [0, 9]
    assert margin.refused == 11


def test_orders_of_one_step_add_up_over_markets_and_are_forgotten_after_it() -> None:
    margin, half = margin_of(), largest(10) // 2 + 2
    assert admitted(margin, orders((11, 660_000, half)), orders((11, 660_000, 10 * half))) == [1, 0]
    assert admitted(margin, orders((11, 660_000, half)), orders((12, 6_600, half))) == [1, 1]


def test_what_rests_is_reserved_until_it_trades_or_is_withdrawn() -> None:
    margin, most = margin_of(), largest(10)
    margin.learn(0, told(event(EventKind.RESTED, 11, 660_000, most), ACCOUNTS))
    assert admitted(margin, orders((11, 660_000, 2)), none()) == [0, 0]
    margin.learn(0, told(event(EventKind.CANCELED, 11, 660_000, most - 10), ACCOUNTS))
    assert admitted(margin, orders((11, 660_000, most - 10)), none()) == [1, 0]
    taken = event(EventKind.TRADE, 99, 660_000, 10, maker_order_id=ORDER_NO, maker_account_id=11)
    margin.learn(0, told(taken, ACCOUNTS))
    assert margin.resting_atoms.tolist() == [0, 0, 0]
    assert admitted(margin, orders((11, 660_000, most)), none()) == [0, 0]
    assert admitted(margin, orders((11, 660_000, most - 10)), none()) == [1, 0]


def test_what_the_price_band_cancels_takes_nothing_off_what_rests() -> None:
    margin = margin_of()
    margin.learn(0, told(event(EventKind.RESTED, 11, 660_000, 10), ACCOUNTS))
    rests = margin.resting_atoms.tolist()
    never_rested = event(EventKind.CANCELED, 11, 660_000, 5, reason=Reason.PRICE_BAND)
    margin.learn(0, told(never_rested, ACCOUNTS))
    assert margin.resting_atoms.tolist() == rests
    margin.learn(0, told(event(EventKind.CANCELED, 11, 660_000, 10), ACCOUNTS))
    assert margin.resting_atoms.tolist() == [0, 0, 0]


def test_a_takers_fill_uses_what_is_free_until_the_next_check() -> None:
    margin = margin_of()
    margin.learn(0, told(event(EventKind.TRADE, 11, 660_000, 100, maker_account_id=99), ACCOUNTS))
    used = 660_000_000 + 3_300_000
    assert margin.free_atoms.tolist() == [CAPITAL - used, CAPITAL, CAPITAL]


def test_who_is_fully_invested_may_leave_and_not_turn_round() -> None:
    """1,000 carry 15 lots at 66,000 and leverage 1; what is left carries no order that opens."""
    margin = margin_of(1)
    bought = event(EventKind.TRADE, 11, 660_000, 15, maker_account_id=99, side=Side.BUY)
    margin.learn(0, told(bought, ACCOUNTS))
    sales = orders((11, 660_000, 10), (11, 660_000, 6), (11, 660_000, 5))
    sales["side"] = Side.SELL
    assert margin.admit([sales, none()], TOUCHES, EVERYBODY_IN)[0]["quantity_lots"].tolist() == [
        10,
        5,
    ]
    assert margin.admit([sales[:1], none()], TOUCHES, EVERYBODY_IN)[0].size == 1
    assert admitted(margin, orders((11, 660_000, 1)), none()) == [0, 0]
    low = orders((11, 594_000, 15))
    low["side"] = Side.SELL
    poor = margin_of(20, 66 * ATOMS_PER_UNIT)
    poor.learn(0, told(bought, ACCOUNTS))
    assert admitted(poor, low, none()) == [0, 0]  # 99 below mark, of an equity of 65


def test_reduce_only_orders_and_cancellations_need_nothing() -> None:
    margin = margin_of()
    margin.free_atoms[:] = -1
    rows = orders((11, 660_000, 1), (11, 660_000, 1))
    rows["flags"][0], rows["kind"][1] = OrderFlag.REDUCE_ONLY, CommandKind.CANCEL
    assert admitted(margin, rows, none()) == [2, 0]


def test_nobody_who_is_out_places_anything() -> None:
    margin = margin_of()
    stages = np.array([0, CLOSED, 0], np.int64)
    rows = orders((11, 660_000, 1), (12, 660_000, 1), (13, 660_000, 1))
    kept = margin.admit([rows, none()], TOUCHES, stages)[0]
    assert kept["account_id"].tolist() == [11, 13]


def test_a_scenario_says_the_leverage_within_what_its_markets_allow() -> None:
    assert scenario_of().world.populations[0].leverage == 10
    assert scenario_of(BTC + GAMBLERS).world.populations[0].leverage == 20
    wrong = GAMBLERS.replace("leverage = 20", "leverage = 21")
    said = r"populations\[0\].leverage: found 21, allowed is a whole number from 1 to 20"
    with pytest.raises(ScenarioError, match=said):
        scenario_of(BTC + wrong)
    low = BTC.replace("price =", "max_leverage = 3\nprice =")
    assert scenario_of(low + MAKERS).world.populations[0].leverage == 3


class SlowMargin:
    """The same decisions for one part, one order at a time, in Python's integers."""

    def __init__(self, world: SimulatedWorld, part: int) -> None:
        self._world, self._ids = world, world.parts[part].population.accounts
        about = world.scenario.world.populations[part]
        self._capital, self._leverage = about.capital_atoms, about.leverage
        self._free = dict.fromkeys(self._ids, about.capital_atoms)
        self._open: dict[tuple[int, int], list[int]] = {}
        self._lots: Counter[tuple[int, int]] = Counter()
        self.touches = [(0, 0), (0, 0)]

    def need(self, market: int, price: int, lots: int, fee_ppm: int, opens: int) -> int:
        """Margin for what opens, and the fee."""
        lot = price * self._world.markets[market].spec.atoms_per_tick_lot
        return -(-lot * opens // self._leverage) + ceil(lot * lots * fee_ppm / 1_000_000)

    def fill(self, market: int, owner: int, price: int, signed: int, fee_ppm: int) -> None:
        before = self._lots[market, owner]
        after = self._lots[market, owner] = before + signed
        opens = max(0, abs(after) - abs(before)) if before * after >= 0 else abs(after)
        self._free[owner] -= self.need(market, price, abs(signed), fee_ppm, opens)

    def check(self) -> None:
        for account in self._ids:
            free = self._capital
            for market in self._world.markets:
                row = [int(one) for one in market.accounts.accounts[account]]
                view = market.replies[0].view
                worth = row[0] * view.mark_ticks * market.spec.atoms_per_tick_lot
                free += row[2] - row[3] + row[5] + row[6] + worth - row[1]
                free -= -(-abs(worth) // self._leverage)
            self._free[account] = free

    def learn(self, market: int, packed: Integers) -> None:
        for row in packed.tolist():
            order, whose, lots, codes = row[ORDER], row[WHOSE], row[LOTS], row[CODES]
            maker, owner = (place + self._ids.start - 1 for place in divmod(whose, 2**32))
            price, kind = price_of(codes), kind_of(codes)
            if kind == EventKind.RESTED and owner in self._free:
                self._open[market, order] = [owner, price, lots]
            elif kind == EventKind.CANCELED:
                self._open.pop((market, order), None)
            elif kind == EventKind.TRADE:
                signed = lots if side_of(codes) == Side.BUY else -lots
                if owner in self._free:
                    self.fill(market, owner, price, signed, 500)
                if maker in self._free:
                    self.fill(market, maker, price, -signed, 200)
                    self._open[market, order][2] -= lots

    def kept(self, sent: Sequence[Rows], stages: list[int]) -> list[list[bool]]:
        held = dict.fromkeys(self._ids, 0)
        for (market, _), (owner, price, lots) in self._open.items():
            spec = self._world.markets[market].spec
            held[owner] += price * lots * spec.atoms_per_tick_lot
        self._resting = {
            account: -(-worth // self._leverage) + ceil(worth * 500 / 1_000_000)
            for account, worth in held.items()
        }
        self._asked, self._closing = Counter[int](), Counter[tuple[int, int]]()
        return [
            [self._decide(market, row, stages) for row in rows.tolist()]
            for market, rows in enumerate(sent)
        ]

    def _decide(self, market: int, row: tuple[Any, ...], stages: list[int]) -> bool:
        account, lots, price, kind, side = row[3:8]
        if kind != CommandKind.PLACE:
            return True
        bid, mark = self.touches[market]
        limit = (
            max(price, ceil(mark * 9 / 10)) if side == Side.SELL else min(price, mark * 11 // 10)
        )
        held = self._lots[market, account] * (1 if side == Side.SELL else -1)
        closes = lots <= held - self._closing[market, account]
        worst = max(limit, bid) if side == Side.SELL else limit
        need = self.need(market, worst, lots, 500, 0 if closes else lots)
        loss, atoms = mark - limit, self._world.markets[market].spec.atoms_per_tick_lot
        need += max(0, loss if side == Side.SELL else -loss) * lots * atoms
        if stages[account - self._ids.start] == CLOSED:
            return False
        left = self._free[account] - self._asked[account]
        if closes:
            left += -(-held * mark * atoms // self._leverage)
            self._closing[market, account] += lots
        else:
            left -= self._resting[account]
        if need > left:
            return False
        self._asked[account] += need
        return True


def test_a_slow_model_places_and_refuses_the_same_orders() -> None:
    world = world_of(scenario_of(BTC + ETH + MAKERS + GAMBLERS, seed=4, duration_s=12))
    model, part = SlowMargin(world, 1), world.parts[1]
    act, sent = part.population.act, list[Rows]()

    def listening(step: int, views: Any) -> list[Rows]:
        rows = act(step, views)
        sent[:] = [one.copy() for one in rows]
        return rows

    part.population.act = listening  # type: ignore[method-assign]
    refused = placed = 0
    for step in range(1, world.scenario.steps + 1):
        if step % world.scenario.margin_steps == 1 and step > 1:
            model.check()
        before = part.orders_refused, part.rows_sent
        seen = [stepped.replies[1].view for stepped in world.markets]
        model.touches = [(view.best_bid_ticks, view.mark_ticks) for view in seen]
        world.step()
        keeps = [one for rows in model.kept(sent, part.watch.stages.tolist()) for one in rows]
        refused, placed = refused + keeps.count(False), placed + keeps.count(True)
        counted = part.orders_refused - before[0], part.rows_sent - before[1]
        assert counted == (keeps.count(False), keeps.count(True)), step
        for market, stepped in enumerate(world.markets):
            model.learn(market, stepped.replies[1].events)
    assert refused > 50
    assert placed > 200
