"""Closing by force in one market: the limit of an order, and who takes over what."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from sim.market import BTC_PERP
from sim.money.accounts import COST, POSITION, Integers, MarketAccounts
from sim.money.liquidation import bearable_price_ticks, closing_cost_atoms
from sim.rows.columns import kind_of
from sim.rows.messages import (
    EVENT,
    CommandKind,
    EventKind,
    OrderFlag,
    Side,
    TimeInForce,
    empty_commands,
)
from sim.rows.order_ids import ids_of_traders
from sim.rows.packed import CODES, LOTS, ORDER
from sim.stepping.closings import Closings
from sim.stepping.part import Batch
from sim.units import PPM
from tests.sim.engine_rows import BUY, SELL, limit
from tests.sim.scenario_texts import BTC, NOISE, scenario_of, world_of

MARK = 600_000
LOST, FIRST, SECOND, THIRD, FLAT = range(1, 6)
ATOM = BTC_PERP.notional_atoms(1, 1)


def accounts_of(fund: int, *trades: tuple[int, int, int, int]) -> MarketAccounts:
    """After trades of buyer, seller, lots and price."""
    accounts, events = MarketAccounts(BTC_PERP, 7, fund), np.zeros(len(trades), EVENT)
    events["kind"], events["side"] = EventKind.TRADE, Side.BUY
    names = ("account_id", "maker_account_id", "quantity_lots", "price_ticks")
    for name, values in zip(names, zip(*trades, strict=True), strict=True):
        events[name] = values
    accounts.apply(events)
    return accounts


def three_shorts(fund: int = 0) -> MarketAccounts:
    """LOST is long 100 from 660,000, against three shorts of unlike profit."""
    return accounts_of(
        fund,
        (LOST, FIRST, 30, 660_000),
        (LOST, SECOND, 50, 640_000),
        (LOST, THIRD, 20, 610_000),
    )


def closing(account: int, atoms: int, ppm: int = PPM) -> Integers:
    return np.array([[account, ppm, atoms]], np.int64)


def equities_of(**named: int) -> Callable[[Integers, Integers], Integers]:
    numbers = {"first": FIRST, "second": SECOND, "third": THIRD, "lost": LOST}
    known = {numbers[name]: atoms for name, atoms in named.items()}
    return lambda ids, gains: np.array([known.get(one, 10**12) for one in ids.tolist()], np.int64)


def limit_of(fund: int, backing: int, ppm: int = PPM) -> int | None:
    accounts = three_shorts()
    accounts.insurance_atoms = fund
    rows = Closings(accounts).rows(7, closing(LOST, backing, ppm), MARK)
    return int(rows["price_ticks"][0]) if len(rows) else None


def test_what_is_held_goes_by_a_reduce_only_ioc_order_at_the_end_of_the_band() -> None:
    accounts = three_shorts()
    closings = Closings(accounts)
    (withdrawn,) = closings.withdrawals(closing(LOST, 10**12))
    assert (withdrawn["kind"], withdrawn["account_id"]) == (CommandKind.CANCEL_ALL, LOST)
    (row,) = closings.rows(7, closing(LOST, 10**12), MARK)
    assert (row["side"], row["quantity_lots"], row["price_ticks"]) == (Side.SELL, 100, 597_000)
    forced = OrderFlag.REDUCE_ONLY | OrderFlag.FORCED
    assert (row["time_in_force"], row["flags"]) == (TimeInForce.IOC, forced)
    assert row["order_id"] == ids_of_traders(7, np.array([LOST]), 1023)[0]
    (back,) = closings.rows(7, closing(SECOND, 10**12, PPM // 5), MARK)
    assert (back["side"], back["quantity_lots"], back["price_ticks"]) == (Side.BUY, 10, 603_000)
    assert len(closings.rows(7, closing(FLAT, 0), MARK)) == 0


def test_the_limit_is_what_equity_and_fund_carry() -> None:
    cost = closing_cost_atoms(BTC_PERP, MARK, Side.SELL, 100, 597_000)
    assert limit_of(0, cost + 2) == 597_000
    assert limit_of(cost + 2, 0) == 597_000
    assert limit_of(cost // 2 + 2, cost // 2 + 2) == 597_000
    for fund, backing in ((0, cost // 2), (cost // 3, 0), (10, -5_000_000)):
        price = limit_of(fund, backing)
        assert price == bearable_price_ticks(BTC_PERP, MARK, Side.SELL, 100, fund + backing)
        assert price > 597_000
    assert limit_of(0, -(2**60)) is None
    assert limit_of(0, -5_000_000, PPM // 5) == 597_000


def test_the_fund_is_promised_once() -> None:
    accounts = three_shorts()
    one = closing_cost_atoms(BTC_PERP, MARK, Side.BUY, 30, 603_000)
    accounts.insurance_atoms = one + 2
    both = np.concatenate([closing(FIRST, 0), closing(SECOND, 0)])
    prices = Closings(accounts).rows(7, both, MARK)["price_ticks"].tolist()
    left = accounts.insurance_atoms - one
    assert prices == [603_000, bearable_price_ticks(BTC_PERP, MARK, Side.BUY, 50, left)]


@pytest.mark.parametrize("deficit", [1_000_003, 7, 123_456_789])
def test_a_position_goes_to_the_first_of_the_ranking_and_its_owner_has_nothing(
    deficit: int,
) -> None:
    accounts = three_shorts()
    closings, before = Closings(accounts), accounts.values(0, 7, MARK)[0]
    closings.rows(7, closing(LOST, -deficit), MARK)
    rows = closings.settle(99, equities_of())
    assert rows["maker_account_id"].tolist() == [SECOND, FIRST, THIRD]
    assert rows["quantity_lots"].tolist() == [50, 30, 20]
    assert set(rows["account_id"]) == {LOST}
    assert set(rows["side"]) == {Side.SELL}
    assert set(rows["event_seq"]) == {0}
    after = accounts.values(0, 7, MARK)[0]
    assert after[LOST] - before[LOST] == deficit
    borne = (before - after)[[SECOND, FIRST, THIRD]].tolist()
    upto = [deficit * lots // 100 for lots in (0, 50, 80, 100)]
    assert borne == [b - a for a, b in pairwise(upto)]
    assert not accounts.accounts[:, POSITION].any()
    assert not accounts.accounts[:, COST].any()
    accounts.check()


def test_leverage_ranks_as_profit_does() -> None:
    accounts = three_shorts()
    closings = Closings(accounts)
    closings.rows(7, closing(LOST, -100), MARK)
    rows = closings.settle(99, equities_of(first=10**12, second=10**12, third=10**9))
    assert rows["maker_account_id"].tolist() == [THIRD, SECOND, FIRST]


def test_nobody_bears_more_than_its_equity_and_the_rest_stays_owed() -> None:
    accounts = three_shorts()
    closings, before = Closings(accounts), accounts.values(0, 7, MARK)[0]
    closings.rows(7, closing(LOST, -1_000_000), MARK)
    closings.settle(99, equities_of(first=100_000, second=-5, third=10**12))
    after = accounts.values(0, 7, MARK)[0]
    assert (before - after)[[FIRST, SECOND, THIRD]].tolist() == [100_000, 0, 200_000]
    assert after[LOST] - before[LOST] == 300_000
    assert accounts.accounts[LOST, POSITION] == 0
    accounts.check()


def test_the_fund_pays_first_and_where_it_can_nothing_is_taken_over() -> None:
    accounts = three_shorts(1_000_000)
    closings, before = Closings(accounts), accounts.values(0, 7, MARK)[0]
    closings.rows(7, closing(LOST, -1_000_000), MARK)
    assert len(closings.settle(99, equities_of())) == 0
    assert accounts.insurance_atoms == 1_000_000
    closings.rows(7, closing(LOST, -1_000_001), MARK)
    assert len(closings.settle(99, equities_of())) == 3
    assert accounts.insurance_atoms == 0
    after = accounts.values(0, 7, MARK)[0]
    assert after[LOST] - before[LOST] == 1_000_001
    assert (before - after)[[FIRST, SECOND, THIRD]].sum() == 1


def test_who_is_solvent_or_taken_over_already_is_left_alone() -> None:
    accounts = three_shorts()
    closings = Closings(accounts)
    closings.rows(7, closing(LOST, 0), MARK)
    assert len(closings.settle(99, equities_of())) == 0
    assert len(closings.settle(99, equities_of())) == 0
    both = np.concatenate([closing(LOST, -10), closing(FIRST, -10)])
    closings.rows(7, both, MARK)
    rows = closings.settle(99, equities_of(first=-10))
    assert rows["account_id"].tolist() == [LOST, LOST, LOST]
    assert sum(rows["quantity_lots"]) == 100


def test_a_halted_market_takes_nothing_over() -> None:
    accounts = three_shorts()
    closings = Closings(accounts)
    closings.rows(7, closing(LOST, -10), MARK)
    closings.forget()
    assert len(closings.settle(99, equities_of())) == 0
    assert accounts.accounts[LOST, POSITION] == 100


def test_a_short_is_taken_over_by_longs_below_mark() -> None:
    accounts = accounts_of(0, (FIRST, LOST, 10, 500_000))
    closings, before = Closings(accounts), accounts.values(0, 7, MARK)[0]
    closings.rows(7, closing(LOST, -10 * ATOM * 1_000), MARK)
    (row,) = closings.settle(99, equities_of())
    assert (row["side"], row["price_ticks"], row["time_us"]) == (Side.BUY, 599_000, 99)
    after = accounts.values(0, 7, MARK)[0]
    assert (before - after)[FIRST] == 10 * ATOM * 1_000


def test_who_is_taken_from_loses_its_reduce_only_orders_and_hears_of_it() -> None:
    [market] = world_of(scenario_of(BTC + NOISE.replace("heads = 5000", "heads = 6"))).markets
    reducing = limit(-3, FIRST, BUY, 8, 650_000, flags=OrderFlag.REDUCE_ONLY)
    rows = [limit(-1, FIRST, SELL, 10, 660_000), limit(-2, LOST, BUY, 10, 660_000), reducing]
    market.step(1, [Batch(np.concatenate(rows))])
    debt = Batch(empty_commands(0), closings=closing(LOST, -(10**15)))
    [reply] = market.step(2, [debt])
    kinds = kind_of(reply.events[:, CODES])
    assert kinds.tolist() == [EventKind.TRADE, EventKind.CANCELED]
    assert reply.events[1, [ORDER, LOTS]].tolist() == [-3, 8]
    assert reply.view.best_bid_ticks == 0
    market.check()
