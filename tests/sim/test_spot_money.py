"""What simulated traders pay, get and may order in a spot market, against its tape alone."""

import random
from fractions import Fraction
from math import ceil

import numpy as np
import pytest

from sim.money.accounts import COST, FEES, FUNDING, POSITION, REALIZED, TRANSFERS
from sim.money.order_margin import OrderMargin
from sim.rows.messages import (
    EVENT,
    CommandKind,
    EventKind,
    OrderFlag,
    OrderType,
    Rows,
    Side,
    TimeInForce,
    empty_commands,
)
from sim.stepping.market import INVENTORIES
from sim.stepping.world import SimulatedWorld, Timing
from tests.markets import ETH_SPOT
from tests.sim.scenario_texts import ETH, SPOT, scenario_of, world_of
from tests.sim.simulated_market import told

TRADERS = """
[[populations]]
name = "makers"
strategy = "ladder"
heads = 3
capital = "100000000"
inventory = { ETH_USDC = "2000" }

[[populations]]
name = "noise"
strategy = "noise"
heads = 400
capital = "300000"
inventory = { ETH_USDC = "12.5" }
parameters = {activity_ppm = 50000, position_max_quote = 100000}

[[populations]]
name = "poor"
strategy = "noise"
heads = 60
capital = "1000"
markets = ["ETH_USDC"]
inventory = { ETH_USDC = "0.1" }
parameters = {activity_ppm = 100000, position_max_quote = 100000}

[[populations]]
name = "arbitrage"
strategy = "arbitrage"
heads = 2
capital = "5000000"
inventory = { ETH_USDC = "400" }
"""
HEADS = (3, 400, 60, 2)
CAPITALS = (100_000_000, 300_000, 1_000, 5_000_000)
INVENTORY_LOTS = (2_000_000, 12_500, 100, 400_000)
FIRST_ATOMS = 3_500_000  # of a lot of 0.001 ETH at the first index
JUMP = """
[[shocks]]
market = "ETH-PERP"
kind = "index"
at_s = 4
jump_ppm = -100000
"""


def both(maker_fee_ppm: int = 200, more: str = "") -> str:
    return f"{ETH}{SPOT}maker_fee_ppm = {maker_fee_ppm}\n{TRADERS}{more}"


def stepped(text: str, seed: int, duration_s: int = 40) -> SimulatedWorld:
    world = world_of(scenario_of(text, seed=seed, duration_s=duration_s))
    world.run()
    return world


def from_tape(world: SimulatedWorld, maker_fee_ppm: int) -> tuple[list[int], list[int], int]:
    """Cash less perpetuals, base lots of each account from 1 on, and fees: from trades alone."""
    cash = [
        capital * 10**6 - lots * FIRST_ATOMS
        for heads, capital, lots in zip(HEADS, CAPITALS, INVENTORY_LOTS, strict=True)
        for _ in range(heads)
    ]
    base = [lots for h, lots in zip(HEADS, INVENTORY_LOTS, strict=True) for _ in range(h)]
    fees, least = 0, min(base)
    for trade in world.markets[1].tape.trades:
        buyer, seller = int(trade["taker_account"]) - 1, int(trade["maker_account"]) - 1
        rates = {buyer: 500, seller: maker_fee_ppm}
        if trade["taker_side"] == Side.SELL:
            buyer, seller = seller, buyer
        lots = int(trade["quantity_lots"])
        worth = lots * int(trade["price_ticks"]) * 10
        base[buyer], base[seller] = base[buyer] + lots, base[seller] - lots
        cash[buyer], cash[seller] = cash[buyer] - worth, cash[seller] + worth
        for account, rate in rates.items():
            fee = ceil(Fraction(worth * rate, 10**6))
            cash[account], fees = cash[account] - fee, fees + fee
        least = min(least, base[seller])
    assert least >= 0, "somebody sold what they did not have"
    return cash, base, fees


def spot_cash(world: SimulatedWorld) -> list[int]:
    """Of each account: its capital, and what the accounts of the spot market say was paid."""
    rows = world.markets[1].accounts.accounts[1:-1]
    capital = np.repeat(np.array(CAPITALS) * 10**6, HEADS)
    moved = rows[:, REALIZED] - rows[:, COST] - rows[:, FEES]
    assert not rows[:, [TRANSFERS, FUNDING]].any()
    return [int(atoms) for atoms in capital + moved]


@pytest.mark.parametrize("maker_fee_ppm", [200, -100])
def test_both_assets_change_hands_as_the_tape_says_and_nobody_sells_what_they_have_not(
    maker_fee_ppm: int,
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    world = stepped(both(maker_fee_ppm), seed)
    cash, base, fees = from_tape(world, maker_fee_ppm)
    accounts = world.markets[1].accounts
    assert spot_cash(world) == cash
    assert accounts.accounts[1:-1, POSITION].tolist() == base
    assert accounts.fees_atoms == fees
    assert sum(base) == sum(h * lots for h, lots in zip(HEADS, INVENTORY_LOTS, strict=True))
    assert len(world.markets[1].tape.trades) > 500
    assert world.parts[2].orders_refused > 100


def test_those_who_trade_spot_alone_never_owe() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    world = world_of(scenario_of(both(), seed=seed, duration_s=40))
    poor = slice(HEADS[0] + HEADS[1], sum(HEADS[:3]))
    while not world.done:
        world.step()
        assert min(spot_cash(world)[poor]) >= 0


def test_a_run_is_the_same_however_it_is_cut_and_wherever_it_is_resumed() -> None:
    scenario = scenario_of(both(), seed=5, duration_s=8)
    hashes = set()
    for spread in (1, 3):
        world, again = world_of(scenario, spread), world_of(scenario, spread)
        world.run(33)
        again.resume(world.checkpoint())
        world.run()
        again.run()
        hashes |= {world.state_hash(), again.state_hash()}
    assert len(hashes) == 1


def test_what_everybody_gained_sums_to_what_inventories_are_worth_more() -> None:
    record = stepped(both(more=JUMP), 6, duration_s=8).record(Timing())
    gained = sum(int(one.trader_pnl_atoms.sum()) for one in record.strategies)
    others = {one.name: one.gain_atoms for one in record.others}
    assert gained + sum(others.values()) == 0
    lots = sum(h * lots for h, lots in zip(HEADS, INVENTORY_LOTS, strict=True))
    fell = lots * FIRST_ATOMS - lots * 10 * int(record.markets[1].quotes["mark_ticks"][-1])
    assert others[INVENTORIES] == fell > lots * FIRST_ATOMS // 20


def test_a_jump_of_the_index_is_one_of_the_spot_market_that_follows_it() -> None:
    record = stepped(both(more=JUMP), 7, duration_s=8).record(Timing())
    perpetual, spot = (market.quotes["index_ticks"].tolist() for market in record.markets)
    assert perpetual == spot
    assert min(spot) < 320_000 < 345_000 < max(spot)


def placed(*orders: tuple[Side, int, int]) -> Rows:
    """Side, lots and price of orders of the one trader."""
    rows = empty_commands(len(orders))
    rows["kind"], rows["account_id"] = CommandKind.PLACE, 1
    rows["order_type"], rows["time_in_force"] = OrderType.LIMIT, TimeInForce.GTC
    rows["side"], rows["quantity_lots"], rows["price_ticks"] = zip(*orders, strict=True)
    return rows


def one_trader(capital_atoms: int, lots: int) -> OrderMargin:
    margin = OrderMargin(range(1, 2), capital_atoms, [ETH_SPOT], 1)
    margin.begin_with(0, np.array([lots]))
    return margin


def admitted(margin: OrderMargin, rows: Rows) -> list[int]:
    """Lots of the orders that go to the market at a mark of 100,000 ticks."""
    stages = np.zeros(1, np.int64)
    kept = margin.admit([rows], [(99_990, 100_000)], stages)[0]
    return [int(lots) for lots in kept["quantity_lots"]]


def happened(kind: EventKind, side: Side, lots: int, ticks: int) -> np.ndarray:
    event = np.zeros(1, EVENT)
    event["kind"], event["side"], event["account_id"] = kind, side, 1
    event["quantity_lots"], event["price_ticks"] = lots, ticks
    return told(event, range(1, 2))


def test_a_purchase_needs_all_of_its_worth_and_the_takers_fee() -> None:
    worth = 7 * 100_000 * ETH_SPOT.atoms_per_tick_lot
    needs = worth + ceil(Fraction(worth * ETH_SPOT.taker_fee_ppm, 10**6))
    assert admitted(one_trader(needs, 0), placed((Side.BUY, 7, 100_000))) == [7]
    assert admitted(one_trader(needs - 1, 0), placed((Side.BUY, 7, 100_000))) == []
    both_sides = placed((Side.BUY, 7, 100_000), (Side.BUY, 1, 1))
    assert admitted(one_trader(needs, 0), both_sides) == [7]


def test_a_sale_needs_its_lots_and_no_money() -> None:
    sales = placed((Side.SELL, 4, 100_000), (Side.SELL, 4, 100_000), (Side.SELL, 3, 90_000))
    assert admitted(one_trader(0, 7), sales) == [4, 3]


def test_what_rests_is_reserved_until_it_trades_or_is_cancelled() -> None:
    margin = one_trader(0, 7)
    margin.learn(0, happened(EventKind.RESTED, Side.SELL, 5, 100_000))
    assert admitted(margin, placed((Side.SELL, 3, 100_000))) == []
    margin.learn(0, happened(EventKind.CANCELED, Side.SELL, 4, 100_000))
    assert admitted(margin, placed((Side.SELL, 6, 100_000))) == [6]
    worth = 100_000 * ETH_SPOT.atoms_per_tick_lot
    margin = one_trader(3 * worth, 0)
    margin.learn(0, happened(EventKind.RESTED, Side.BUY, 1, 100_000))
    assert admitted(margin, placed((Side.BUY, 2, 100_000))) == []
    margin.learn(0, happened(EventKind.CANCELED, Side.BUY, 1, 100_000))
    assert admitted(margin, placed((Side.BUY, 2, 100_000))) == [2]


def test_what_a_sale_brings_can_be_spent_in_the_next_step() -> None:
    margin = one_trader(0, 7)
    margin.learn(0, happened(EventKind.TRADE, Side.SELL, 7, 100_000))
    assert admitted(margin, placed((Side.BUY, 7, 100_000), (Side.BUY, 6, 100_000))) == [6]
    assert admitted(margin, placed((Side.SELL, 1, 100_000))) == []


def test_nothing_is_reduce_only_where_there_are_no_positions() -> None:
    rows = placed((Side.SELL, 4, 100_000))
    rows["flags"] = OrderFlag.REDUCE_ONLY
    assert admitted(one_trader(0, 7), rows) == []


LONE_HOLDER = """
[[populations]]
name = "makers"
strategy = "ladder"
heads = 3
capital = "100000000"
markets = ["ETH-PERP"]

[[populations]]
name = "holder"
strategy = "noise"
heads = 1
capital = "{capital}"
inventory = {{ ETH_USDC = "12.5" }}
parameters = {{activity_ppm = 500000, position_max_quote = 100000}}
"""


@pytest.mark.parametrize(("capital", "trades"), [(43_750, False), (48_750, True)])
def test_what_is_held_backs_nothing_elsewhere(capital: int, trades: bool) -> None:
    """43,750 of the capital are ETH, which nobody buys: the rest alone is margin."""
    text = ETH + SPOT + LONE_HOLDER.format(capital=capital)
    world = stepped(text, 8, duration_s=20)
    assert len(world.markets[1].tape.trades) == 0
    assert (len(world.markets[0].tape.trades) > 0) is trades
    assert world.parts[1].orders_refused > 0
