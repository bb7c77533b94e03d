"""Whatever is ordered in a spot market, nobody pays or gives what he has not, and no atom is lost.

Acceptance, engine and settlement as they are, against purses that know the events alone.
"""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np

from sim.book.engine import MarketEngine
from sim.money.acceptance import MarketNow
from sim.money.ledger import FEES, clearing_account
from sim.money.margin import Exposure, OpenSide
from sim.money.settlement import OrderState, Settlement
from sim.orders import OrderStatus, PlaceOrder
from sim.refusals import Refusal, Refused
from sim.rows.messages import (
    CommandKind,
    EventKind,
    OrderType,
    Rows,
    Side,
    TimeInForce,
    empty_commands,
)
from storage.intake.accept_check import decide
from storage.intake.accept_sql import payloads
from storage.intake.accept_state import AcceptedRow, Account, Accounts, OpenOrdersMax
from tests.builders import spot_order
from tests.markets import ETH_SPOT as SPEC

COMMANDS = 20_000
LOT_ATOMS = 100_000
"""A thousandth of an ETH, in hundred-millionths."""

TICK_LOT = 10
"""A hundredth of a USDC times a thousandth of an ETH, in millionths of a USDC."""

START = {"USDC": 500_000_000, "ETH": 10 * 10**8}
ENDS = {EventKind.REJECTED, EventKind.CANCELED, EventKind.EXPIRED}


@dataclass
class Purse:
    """What somebody has by what was told: money, assets, and what each open order may still take.

    open   of each order: side, limit, lots left, what it has locked
    """

    total: dict[str, int] = field(default_factory=lambda: dict(START))
    open: dict[int, list[int]] = field(default_factory=dict)

    def locked(self, asset: str) -> int:
        side = Side.SELL if asset == "ETH" else Side.BUY
        return sum(placed[3] for placed in self.open.values() if placed[0] == side)


class Exchange:
    """Accounts as the tables would have them, and beside them the purses."""

    def __init__(self, dice: random.Random, people: int) -> None:
        self.dice, self.engine, self.mark, self.next_id = dice, MarketEngine(SPEC), 5_991, 1
        self.purses = {number: Purse() for number in range(1_001, 1_001 + people)}
        self.totals = {(one, asset): START[asset] for one in self.purses for asset in START}
        self.locked: dict[tuple[int, str], int] = defaultdict(int)
        self.orders: dict[int, OrderState] = {}
        self.legs: Counter[str] = Counter()
        self.house: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.batch_no = 0

    def accounts(self) -> Accounts:
        bids, asks = self.engine.depth(20)
        best_bid = self.engine.best_bid_ticks
        now = MarketNow(SPEC, 1, self.mark, self.mark, 0, best_bid, bids, asks)
        people = {}
        for one, purse in self.purses.items():
            money, eth = (self.totals[one, asset] for asset in ("USDC", "ETH"))
            exposure = Exposure(SPEC, self.mark)
            for side, limit, lots, _ in purse.open.values():
                sums = exposure.open_sides.setdefault(Side(side), OpenSide())
                sums.orders, sums.lots = sums.orders + 1, sums.lots + lots
                sums.tick_lots += lots * limit
            about = (0, len(purse.open), "TRADER", "ACTIVE", 1, False)
            free, held = {"ETH": eth - self.locked[one, "ETH"]}, {SPEC.market_id: exposure}
            locked = self.locked[one, "USDC"]
            people[one] = Account(money, locked, *about, free_atoms=free, held=held)
        return Accounts(people, {SPEC.market_id: now})

    def place(self, wish: PlaceOrder) -> None:
        try:
            row = decide(wish, self.accounts(), OpenOrdersMax(12, 12), 0)
        except Refused as refused:
            self.seen[refused.refusal.name] += 1
            return
        assert isinstance(row, AcceptedRow)
        assert (row.opens, row.sets_leverage, row.leverage) == (True, False, 1)
        number, self.next_id = self.next_id, self.next_id + 1
        lots, is_sale = wish.quantity_lots, wish.side == Side.SELL
        worth = row.limit_ticks * lots * TICK_LOT
        reserved = lots * LOT_ATOMS if is_sale else worth + ceil(worth * 500 / 1_000_000)
        assert row.reserved_atoms == reserved
        self.purses[wish.account_id].open[number] = [wish.side, row.limit_ticks, lots, reserved]
        self.locked[wish.account_id, "ETH" if is_sale else "USDC"] += reserved
        about = (wish.account_id, lots, 0, 0, reserved, OrderStatus.PENDING)
        self.orders[number] = OrderState(*about, is_sale=is_sale)
        rows = np.frombuffer(payloads([row])[0], empty_commands(0).dtype).copy()
        rows["order_id"] = number
        self.apply(rows)

    def apply(self, commands: Rows) -> None:
        events = self.engine.apply(commands)
        done = Settlement(SPEC, FEES, clearing_account(1), self.orders, {})
        self.batch_no += 1
        done.apply(self.batch_no, events)
        assert not done.touched_holdings
        for place, change in done.changes.items():
            self.totals[place] += change.total_atoms
            self.locked[place] += change.locked_atoms
        by_asset: Counter[str] = Counter()
        for leg in done.ledger:
            by_asset[leg.asset] += leg.amount_atoms
            self.house[leg.asset] += leg.amount_atoms if leg.account_id < 1_000 else 0
        assert not any(by_asset.values()), "a transaction makes money"
        for event in events:
            self.hear({name: int(event[name]) for name in event.dtype.names})

    def hear(self, event: dict[str, int]) -> None:
        kind = EventKind(event["kind"])
        self.seen[kind.name] += 1
        if kind == EventKind.TRADE:
            lots = event["quantity_lots"]
            worth = event["price_ticks"] * lots * TICK_LOT
            bought = 1 if event["side"] == Side.BUY else -1
            for who, way, fee_ppm in (("", bought, 500), ("maker_", -bought, 200)):
                purse = self.purses[event[f"{who}account_id"]]
                purse.total["ETH"] += way * lots * LOT_ATOMS
                purse.total["USDC"] -= way * worth + ceil(worth * fee_ppm / 1_000_000)
                placed = purse.open[event[f"{who}order_id"]]
                placed[3] -= placed[3] * lots // placed[2]
                placed[2] -= lots
                if not placed[2]:
                    del purse.open[event[f"{who}order_id"]]
        elif kind in ENDS:
            self.purses[event["account_id"]].open.pop(event["order_id"], None)

    def agrees(self) -> None:
        """Accounts are as the purses say; nobody owes, and all of an asset is still there."""
        for one, purse in self.purses.items():
            for asset in START:
                total, locked = self.totals[one, asset], self.locked[one, asset]
                assert (total, locked) == (purse.total[asset], purse.locked(asset)), asset
                assert total >= 0
            assert self.totals[one, "ETH"] >= self.locked[one, "ETH"]
        for asset, given in START.items():
            held = sum(self.totals[one, asset] for one in self.purses)
            assert held + self.house[asset] == given * len(self.purses)


def wish(exchange: Exchange) -> PlaceOrder:
    dice = exchange.dice
    is_market = dice.random() < 0.1
    return spot_order(
        dice.choice(list(exchange.purses)),
        dice.choice(list(Side)),
        dice.choice([1, 7, 100, 1_000, 3_000, 8_000]),
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        time_in_force=TimeInForce.IOC if is_market else dice.choice(list(TimeInForce)),
        price_ticks=0 if is_market else 5_991 + dice.randint(-30, 30),
    )


def test_purses_and_accounts_agree_to_the_atom_and_nobody_owes() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    exchange = Exchange(random.Random(seed), people=4)
    dice = exchange.dice
    exchange.apply(command(CommandKind.SET_MARK, price_ticks=exchange.mark))
    for _ in range(COMMANDS):
        placed = [(one, number) for one, its in exchange.purses.items() for number in its.open]
        if placed and dice.random() < 0.25:
            one, number = dice.choice(placed)
            exchange.apply(command(CommandKind.CANCEL, order_id=number, account_id=one))
        else:
            exchange.place(wish(exchange))
        exchange.agrees()
    for one, number in [(one, n) for one, its in exchange.purses.items() for n in its.open]:
        exchange.apply(command(CommandKind.CANCEL, order_id=number, account_id=one))
    assert not any(exchange.locked.values()), "nothing is open, and something is locked"
    for name in ("TRADE", "CANCELED", Refusal.INSUFFICIENT_BALANCE.name):
        assert exchange.seen[name] > 100, name


def command(kind: CommandKind, **values: Any) -> Rows:
    rows = empty_commands(1)
    rows["kind"] = kind
    for name, value in values.items():
        rows[name] = value
    return rows
