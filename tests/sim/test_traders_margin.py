"""What live strategies' traders may order, against accounts written down with fractions."""

from math import ceil

import numpy as np

from sim.market import BTC_PERP
from sim.money.traders_margin import TradersMargin
from sim.rows.messages import EVENT, CommandKind, EventKind, Side, TimeInForce, empty_commands
from tests.markets import ETH_PERP, ETH_SPOT
from tests.sim.plain_fills import PlainAccount
from tests.sim.simulated_market import told

SPECS, TRADERS, CAPITAL, LEVERAGE = (BTC_PERP, ETH_PERP), range(11, 15), 10**10, 7
SEED = 20_261_128


def plain_free(accounts: list[PlainAccount], marks_atoms: list[int]) -> int:
    """Equity less the initial margin of positions."""
    pairs = list(zip(accounts, marks_atoms, strict=True))
    gains = sum(a.realized - a.fees + a.lots * mark - a.cost for a, mark in pairs)
    return CAPITAL + gains - sum(ceil(abs(a.lots) * mark / LEVERAGE) for a, mark in pairs)


def test_what_is_free_is_equity_less_initial_margins_after_every_fill() -> None:
    print(f"seed {SEED}")
    dice = np.random.default_rng(SEED)
    margin = TradersMargin(TRADERS, CAPITAL, SPECS, LEVERAGE)
    plain = {one: [PlainAccount(), PlainAccount()] for one in range(9, 17)}
    for _ in range(400):
        market, spec = (number := int(dice.integers(2))), SPECS[number]
        taker, maker = dice.choice(list(plain), 2, replace=False).tolist()
        event = np.zeros(1, EVENT)
        event["kind"], event["side"] = EventKind.TRADE, (side := int(dice.integers(1, 3)))
        event["account_id"], event["maker_account_id"] = taker, maker
        event["quantity_lots"] = lots = int(dice.integers(1, 40))
        event["price_ticks"] = ticks = int(dice.integers(3_000, 3_200))
        signed = lots if side == Side.BUY else -lots
        plain[taker][market].fill(signed, ticks * spec.atoms_per_tick_lot, spec.taker_fee_ppm)
        plain[maker][market].fill(-signed, ticks * spec.atoms_per_tick_lot, spec.maker_fee_ppm)
        margin.learn(market, told(event, TRADERS))
        marks = dice.integers(3_000, 3_200, 2).tolist()
        margin.reckon(marks)
        atoms = [mark * one.atoms_per_tick_lot for mark, one in zip(marks, SPECS, strict=True)]
        assert margin.free_atoms.tolist() == [plain_free(plain[one], atoms) for one in TRADERS]


def test_a_market_whose_mark_was_never_seen_counts_at_cost() -> None:
    margin = TradersMargin(TRADERS, CAPITAL, SPECS, LEVERAGE)
    held = np.zeros((len(TRADERS), 3), np.int64)
    held[1] = (-5, -7_000, 300)
    margin.enter(1, held)
    margin.reckon([3_000, 0])
    assert margin.free_atoms.tolist() == [CAPITAL, CAPITAL + 300 - 1_000, CAPITAL, CAPITAL]
    margin.reckon([3_000, 10])
    worth = 5 * 10 * ETH_PERP.atoms_per_tick_lot
    assert margin.free_atoms[1] == CAPITAL + 300 + 7_000 - worth - ceil(worth / LEVERAGE)


def test_what_is_sent_binds_margin_until_it_is_answered_and_what_rests_until_it_is_withdrawn() -> (
    None
):
    margin = TradersMargin(TRADERS, CAPITAL, SPECS, LEVERAGE)
    rows = empty_commands(1)
    rows["kind"], rows["order_type"], rows["time_in_force"] = CommandKind.PLACE, 1, TimeInForce.GTC
    rows["side"], rows["account_id"] = Side.BUY, TRADERS.start
    rows["price_ticks"], rows["quantity_lots"] = 3_000, 10
    worth = 30_000 * BTC_PERP.atoms_per_tick_lot
    bound = ceil(worth / LEVERAGE) + ceil(worth * BTC_PERP.taker_fee_ppm / 10**6)
    margin.reckon([3_000, 3_000])
    assert len(margin.admit(0, rows, 0, 3_000)) == 1
    for _ in range(2):
        margin.reckon([3_000, 3_000])
        assert margin.free_atoms[0] == CAPITAL - bound
    rested = np.zeros(1, EVENT)
    rested["kind"], rested["side"], rested["account_id"] = EventKind.RESTED, 1, TRADERS.start
    rested["price_ticks"], rested["quantity_lots"] = 3_000, 10
    margin.learn(0, told(rested, TRADERS))
    margin.answered(0)
    rows["quantity_lots"] = most = CAPITAL * 10**6 // (10**6 // LEVERAGE + 501) // (worth // 10)
    margin.reckon([3_000, 3_000])
    assert margin.free_atoms[0] == CAPITAL
    assert len(margin.admit(1, rows[:0], 0, 3_000)) == 0
    assert len(margin.admit(0, rows.copy(), 0, 3_000)) == 0
    assert margin.refused == 1
    margin.enter(0, np.zeros((len(TRADERS), 3), np.int64))
    margin.reckon([3_000, 3_000])
    assert most > 10
    assert len(margin.admit(0, rows.copy(), 0, 3_000)) == 1


def test_in_a_spot_market_what_is_held_is_not_margin_and_what_rests_is_paid_already() -> None:
    margin = TradersMargin(TRADERS, CAPITAL, (BTC_PERP, ETH_SPOT), LEVERAGE)
    held = np.zeros((len(TRADERS), 3), np.int64)
    held[:, 0], held[:, 1] = 5, 4_000  # five lots, paid with 4,000 of the capital
    margin.enter(1, held)
    margin.reckon([3_000, 100_000])
    assert margin.free_atoms.tolist() == [CAPITAL - 4_000] * len(TRADERS)
    rows = empty_commands(2)
    rows["kind"], rows["order_type"], rows["time_in_force"] = CommandKind.PLACE, 1, TimeInForce.GTC
    rows["account_id"], rows["side"], rows["price_ticks"] = TRADERS.start, Side.SELL, 100_000
    rows["quantity_lots"] = (5, 1)
    assert margin.admit(1, rows, 0, 100_000)["quantity_lots"].tolist() == [5]
    margin.answered(1)
    rows["side"], rows["quantity_lots"] = Side.BUY, (7, 0)
    worth = 700_000 * ETH_SPOT.atoms_per_tick_lot
    bound = worth + ceil(worth * ETH_SPOT.taker_fee_ppm / 10**6)
    margin.admit(1, rows, 0, 100_000)
    margin.reckon([3_000, 100_000])
    assert margin.free_atoms[0] == CAPITAL - 4_000 - bound
    margin.answered(1)
    margin.enter(1, held)
    margin.reckon([3_000, 100_000])
    assert margin.free_atoms[0] == CAPITAL - 4_000
