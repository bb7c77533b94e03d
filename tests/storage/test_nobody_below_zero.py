"""Whatever an owner does with accounts of his own, only mark brings one of them below zero."""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from sim.book.engine import MarketEngine
from sim.money.acceptance import MarketNow
from sim.money.amending import Amendment
from sim.money.margin import Exposure, OpenSide
from sim.money.position import Position
from sim.orders import PlaceOrder, Terms
from sim.refusals import Refusal, Refused
from sim.rows.messages import (
    CommandKind,
    EventKind,
    OrderFlag,
    OrderType,
    Side,
    TimeInForce,
    empty_commands,
)
from sim.rows.order_types import type_when_triggered
from storage.intake.accept_check import decide
from storage.intake.accept_sql import payloads
from storage.intake.accept_state import AcceptedRow, Account, Accounts, OpenOrdersMax
from storage.intake.amendments import OpenOrder, amend_payload, decide_amendment
from storage.intake.idempotency import Asked
from tests.builders import order
from tests.markets import ETH_PERP

SPEC = replace(ETH_PERP, maker_fee_ppm=200, taker_fee_ppm=500)
ATOMS = SPEC.atoms_per_tick_lot
COMMANDS = 100_000
BYSTANDER = 99
START = 1_000_000_000
ROUNDED = 10_000
"""Atoms: margins and reservations round up, each fill's share of one down."""

OPEN_ORDERS_MAX = OpenOrdersMax(12, 12)
ENDS = {EventKind.REJECTED, EventKind.CANCELED, EventKind.EXPIRED}


@dataclass
class Purse:
    """What one account has, from what it was told alone: cash, lots, and its open orders.

    open    of each order: side, limit, lots left, whether it only reduces, what it has locked,
            whether it waits
    least   the lowest equity that mark alone explains
    """

    cash: int = START
    lots: int = 0
    leverage: int = 0
    open: dict[int, list[int]] = field(default_factory=dict)
    least: int = 0

    def available(self, mark: int) -> int:
        """Equity less the margin of the position and all that is locked."""
        margin = -(-abs(self.lots) * mark * ATOMS // (self.leverage or 10))
        return self.equity(mark) - margin - self.locked

    @property
    def locked(self) -> int:
        return sum(placed[4] for placed in self.open.values())

    def equity(self, mark: int) -> int:
        return self.cash + self.lots * mark * ATOMS

    def open_losses(self, mark: int) -> int:
        """What open orders lose against this mark when they trade at their limits, and those that
        wait at 10 % from it at most."""
        return sum(
            lots * lost_ticks(side, limit, mark, bool(waits)) * ATOMS
            for side, limit, lots, _, _, waits in self.open.values()
        )

    def left_when_all_trade(self, mark: int) -> int:
        """Equity when every open order has traded at its limit, each lot by itself."""
        fees = sum(
            lots * ceil(limit * ATOMS * 500 / 1_000_000)
            for _, limit, lots, *_ in self.open.values()
        )
        return self.equity(mark) - self.open_losses(mark) - fees


def lost_ticks(side: int, limit: int, mark: int, waits: bool) -> int:
    """What a lot of an order loses at once at its limit."""
    if side == Side.BUY:
        return max(0, (min(limit, mark * 11 // 10) if waits else limit) - mark)
    return max(0, mark - (max(limit, ceil(mark * 9 / 10)) if waits else limit))


class Exchange:
    """Acceptance and engine as they are, between them a record of what becomes of orders."""

    def __init__(self, dice: random.Random, people: int) -> None:
        self.dice, self.engine = dice, MarketEngine(SPEC)
        self.purses = {number: Purse() for number in [*range(1, people + 1), BYSTANDER]}
        self.mark, self.next_id, self.fees, self.taker = 6_000, 1, 0, 0
        self.seen: Counter[str] = Counter()
        self.placed: dict[int, tuple[PlaceOrder, bool]] = {}
        self.amendment, self.terms = Amendment(0, 0, 0), Terms()

    def command(self, kind: CommandKind, **values: int) -> None:
        rows = empty_commands(1)
        rows["kind"] = kind
        for name, value in values.items():
            rows[name] = value
        self.applied(rows)

    def applied(self, rows: Any) -> None:
        for row in self.engine.apply(rows):
            self.hear({name: int(row[name]) for name in row.dtype.names})

    def hear(self, event: dict[str, int]) -> None:
        kind, order_id = EventKind(event["kind"]), event["order_id"]
        self.seen[kind.name] += 1
        if kind == EventKind.TRADE:
            signed = event["quantity_lots"] * (1 if event["side"] == Side.BUY else -1)
            worth = event["price_ticks"] * event["quantity_lots"] * ATOMS
            sides = (
                ("order_id", "account_id", 1, 500),
                ("maker_order_id", "maker_account_id", -1, 200),
            )
            for of_order, of_account, way, fee_ppm in sides:
                purse, fee = self.purses[event[of_account]], ceil(worth * fee_ppm / 1_000_000)
                purse.cash -= way * signed * event["price_ticks"] * ATOMS + fee
                purse.lots += way * signed
                self.fees += fee
                self.shrink(purse, event[of_order], event["quantity_lots"])
        elif kind in ENDS and order_id in (open_ := self.purses[event["account_id"]].open):
            del open_[order_id]
        elif kind == EventKind.REDUCED:
            self.shrink(self.purses[event["account_id"]], order_id, event["quantity_lots"])
        elif kind == EventKind.TRIGGERED:
            self.purses[event["account_id"]].open[order_id][5] = False
        elif kind == EventKind.AMENDED:
            purse = self.purses[event["account_id"]]
            self.grow(purse.open[order_id], event)
            self.turn(purse, order_id, not event["flags"] & OrderFlag.REDUCE_ONLY)

    def turn(self, purse: Purse, order_id: int, opens: bool) -> None:
        """What may open from here on has its margin, and the market was told of each that may."""
        order_, opened = self.placed[order_id]
        self.placed[order_id] = (replace(order_, terms=self.terms), opens)
        if opens != opened:
            self.seen["TURNED_TO_OPEN" if opens else "TURNED_TO_CLOSE"] += 1
        assert opens == (opened if self.amendment.may_open is None else self.amendment.may_open)
        assert not (opens and order_.reduce_only)
        side, limit, lots, _, locked, waits = purse.open[order_id]
        worth = max(limit, self.mark) * lots * ATOMS
        if self.amendment.needed_lots and opens:
            assert locked * purse.leverage >= limit * lots * ATOMS
        elif self.amendment.needed_lots:  # its loss, the fee of 0.05 % at some price, no margin
            loss = lost_ticks(side, limit, self.mark, bool(waits)) * lots * ATOMS
            assert locked <= loss + worth // 1_000 + lots

    def grow(self, placed: list[int], event: dict[str, int]) -> None:
        """It has what it needs as it is now, and no more."""
        amendment = self.amendment
        placed[1], placed[2] = event["price_ticks"], event["quantity_lots"]
        if amendment.needed_lots:
            needed = ceil(Fraction(amendment.needed_atoms * placed[2], amendment.needed_lots))
            assert placed[4] + amendment.reserved_atoms >= needed
            placed[4] = needed

    def shrink(self, purse: Purse, order_id: int, lots: int) -> None:
        placed = purse.open[order_id]
        placed[4] -= placed[4] * lots // placed[2]
        placed[2] -= lots
        if placed[2] == 0:
            del purse.open[order_id]

    def accounts(self, without: int = 0) -> Accounts:
        """What acceptance reads, as PostgreSQL would tell it, but for an order to be amended."""
        bids, asks = self.engine.depth(20)
        now = MarketNow(
            SPEC,
            1,
            self.mark,
            self.mark,
            0,
            self.engine.best_bid_ticks,
            bids,
            asks,
            last_ticks=self.engine.last_price_ticks,
        )
        people = {}
        for number, purse in self.purses.items():
            cost = self.cost_of(number)
            wallet = purse.cash + cost
            exposure = Exposure(SPEC, self.mark, Position(purse.lots, cost), purse.leverage)
            for order_id, (side, limit, lots, reduces, _, waits) in purse.open.items():
                if order_id == without:
                    continue
                sums = exposure.open_sides.setdefault(Side(side), OpenSide())
                lost = lost_ticks(side, limit, self.mark, bool(waits))
                beyond = lost > 0 and not waits
                sums.waiting_loss_ticks += lost * lots if waits else 0
                sums.orders, sums.lots = sums.orders + 1, sums.lots + lots
                sums.tick_lots += lots * limit
                sums.plain_lots += 0 if reduces else lots
                sums.beyond_lots += lots if beyond else 0
                sums.beyond_tick_lots += lots * limit if beyond else 0
            about = (0, len(purse.open), "TRADER", "ACTIVE", 1, False)
            held = {SPEC.market_id: exposure}
            people[number] = Account(wallet, purse.locked, *about, held=held)
        return Accounts(people, {SPEC.market_id: now})

    def cost_of(self, number: int) -> int:
        """Any split of cash into wallet and cost basis has the same equity: positions are booked
        at mark, so that profit is never called unrealised."""
        return self.purses[number].lots * self.mark * ATOMS

    def place(self, wish: PlaceOrder) -> None:
        self.taker = wish.account_id
        try:
            row = decide(wish, self.accounts(), OPEN_ORDERS_MAX, 0)
        except Refused as refused:
            self.seen[refused.refusal.name] += 1
            return
        assert isinstance(row, AcceptedRow)
        number, self.next_id = self.next_id, self.next_id + 1
        purse = self.purses[wish.account_id]
        purse.leverage = row.leverage
        purse.open[number] = [
            wish.side,
            row.limit_ticks,
            wish.quantity_lots,
            wish.reduce_only,
            row.reserved_atoms,
            wish.order_type > OrderType.MARKET,
        ]
        self.placed[number] = (row.order, row.opens)
        rows = np.frombuffer(payloads([row])[0], empty_commands(0).dtype).copy()
        rows["order_id"] = number
        self.applied(rows)

    def amend(self, number: int, order_id: int) -> None:
        """Another quantity, price or trigger."""
        self.taker = number
        dice, (order_, opens) = self.dice, self.placed[order_id]
        _, limit, lots, _, locked, waits = self.purses[number].open[order_id]
        now = replace(order_, quantity_lots=lots, leverage=None)
        before = OpenOrder(now, 0, not waits, opens, limit, locked)
        has_limit = type_when_triggered(now.order_type) == OrderType.LIMIT
        before = replace(before, place=replace(now, price_ticks=limit if has_limit else 0))
        terms = now.terms
        if waits and dice.random() < 0.5:
            terms = replace(
                terms, trigger_ticks=max(1, terms.trigger_ticks + dice.randint(-50, 50))
            )
        place = replace(
            before.place,
            quantity_lots=max(1, lots + dice.choice([0, 0, -lots // 2, lots, 10])),
            price_ticks=max(1, limit + dice.randint(-60, 60)) if has_limit else 0,
            terms=terms,
        )
        asked, accounts = Asked(number, "", b"", None, 1), self.accounts(order_id)
        try:
            self.amendment = decide_amendment(before, replace(before, place=place), accounts, asked)
        except Refused as refused:
            self.seen[f"AMEND_{refused.refusal.name}"] += 1
            return
        self.terms = terms
        rows = np.frombuffer(amend_payload(number, self.amendment), empty_commands(0).dtype).copy()
        rows["order_id"] = order_id
        self.applied(rows)


def wish(exchange: Exchange) -> PlaceOrder:
    dice, mark = exchange.dice, exchange.mark
    is_market, waits = dice.random() < 0.1, dice.random() < 0.2
    far = dice.choice([0.002, 0.02, 0.12])
    price = max(1, round(mark * (1 + dice.uniform(-far, far))))
    people = [number for number in exchange.purses if number != BYSTANDER]
    if waits:
        return waiting_wish(dice, dice.choice(people), price)
    return order(
        dice.choice(people),
        dice.choice(list(Side)),
        dice.choice([1, 10, 100, 1_000, 3_000, 30_000]),
        spec=SPEC,
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        time_in_force=dice.choice(list(TimeInForce)) if not is_market else TimeInForce.IOC,
        price_ticks=0 if is_market else price,
        leverage=dice.choice([None, None, 20, 20, 1, 5]),
        reduce_only=dice.random() < 0.2,
    )


def waiting_wish(dice: random.Random, number: int, trigger: int) -> PlaceOrder:
    kind = dice.choice([one for one in OrderType if one > OrderType.MARKET])
    has_limit = type_when_triggered(kind) == OrderType.LIMIT
    terms = Terms(
        dice.randint(1, 100) if kind == OrderType.TRAILING else trigger, dice.random() < 0.3
    )
    return order(
        number,
        dice.choice(list(Side)),
        dice.choice([1, 10, 100, 1_000, 3_000]),
        spec=SPEC,
        order_type=kind,
        price_ticks=max(1, round(trigger * (1 + dice.uniform(-0.05, 0.05)))) if has_limit else 0,
        leverage=None,
        reduce_only=dice.random() < 0.3,
        terms=terms,
    )


def step(exchange: Exchange) -> bool:
    """One random command; whether mark moved."""
    dice = exchange.dice
    if dice.random() < 0.05:
        exchange.mark = max(100, round(exchange.mark * (1 + dice.uniform(-0.01, 0.01))))
        exchange.command(CommandKind.SET_MARK, price_ticks=exchange.mark)
        return True
    placed = [
        (number, order_id) for number, purse in exchange.purses.items() for order_id in purse.open
    ]
    if placed and dice.random() < 0.2:
        exchange.amend(*dice.choice(placed))
    elif placed and dice.random() < 0.2:
        number, order_id = dice.choice(placed)
        exchange.command(CommandKind.CANCEL, order_id=order_id, account_id=number)
    else:
        exchange.place(wish(exchange))
    return False


def test_only_mark_brings_an_account_below_zero() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    exchange = Exchange(dice, people=dice.randint(2, 5))
    for _ in range(COMMANDS):
        mark = exchange.mark
        before = {
            # a loss is reserved at the mark of then, and its part of the margin not at all
            number: (purse.lots, purse.available(mark) - 2 * purse.open_losses(mark))
            for number, purse in exchange.purses.items()
        }
        moved = step(exchange)
        for number, purse in exchange.purses.items():
            lots, available = before[number]
            opened = purse.lots * lots < 0 or abs(purse.lots) > abs(lots)
            if not moved and opened and number != exchange.taker:  # who had reserved all of it
                assert purse.available(exchange.mark) >= available - ROUNDED
            if moved:  # what mark explains: all that it leaves when every open order trades
                purse.least = min(0, purse.left_when_all_trade(exchange.mark))
            assert purse.equity(exchange.mark) >= purse.least
            assert purse.left_when_all_trade(exchange.mark) >= purse.least
    untouched = exchange.purses[BYSTANDER]
    assert (untouched.cash, untouched.lots, untouched.open) == (START, 0, {})
    assert sum(purse.lots for purse in exchange.purses.values()) == 0
    assert sum(p.cash for p in exchange.purses.values()) + exchange.fees == START * len(
        exchange.purses
    )
    for name in (
        "TRADE",
        "CANCELED",
        "REDUCED",
        "TRIGGERED",
        "AMENDED",
        Refusal.INSUFFICIENT_MARGIN.name,
    ):
        assert exchange.seen[name] > 100, name
    for name in ("TURNED_TO_OPEN", "TURNED_TO_CLOSE"):
        assert exchange.seen[name] > 30, name
