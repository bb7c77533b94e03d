"""What a market's events do to orders, positions, balances and the ledger. Integers, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from sim.market import MarketSpec
from sim.money.amending import NOTHING_RESERVED, Amendment, ChangedTerms
from sim.money.candles import MINUTE_US, Candle
from sim.money.ledger import STRATEGIES_FIRST, EntryType
from sim.money.margin import released_atoms
from sim.money.position import FLAT, Position, fill_position
from sim.money.rules import share_up
from sim.orders import OrderStatus
from sim.rows.columns import event_places
from sim.rows.messages import EventKind, Reason, Rows, Side

ORDER, TIME, KIND, REASON = event_places("order_id time_us kind reason")
LOTS, PRICE = event_places("quantity_lots price_ticks")
SIDES = "order_id account_id maker_order_id maker_account_id"
TRADED = itemgetter(*event_places(f"event_seq time_us {SIDES} quantity_lots price_ticks side"))


@dataclass
class OrderState:
    """A client's order as projected so far. `filled_tick_lots` is Σ price × quantity.
    `reserved_atoms` are of the asset that the market says (MarketSpec.reserved_asset).

    quantity_lots   what was ordered, less what was cut from it since
    """

    account_id: int
    quantity_lots: int
    filled_lots: int
    filled_tick_lots: int
    reserved_atoms: int
    status: OrderStatus
    reason: int = 0
    updated_at_us: int = 0
    is_sale: bool = False


@dataclass(frozen=True)
class Holding:
    """A position with its history: realized_pnl_atoms is net of fees."""

    position: Position = FLAT
    realized_pnl_atoms: int = 0
    updated_at_us: int = 0


@dataclass(frozen=True)
class Fill:
    """A client's side of a trade, to be stored. A strategy's stands in the journal only."""

    event_seq: int
    is_maker: bool
    order_id: int
    account_id: int
    side: int
    price_ticks: int
    quantity_lots: int
    fee_atoms: int
    realized_pnl_atoms: int
    created_at_us: int


@dataclass(frozen=True)
class LedgerEntry:
    """One leg of the clients' ledger transaction `batch_no`.

    total_atoms is what the account's legs in this asset came to with this one, since the
    settlement began; None for the house's accounts, whose balance is not kept.
    """

    batch_no: int
    leg: int
    account_id: int
    asset: str
    entry_type: EntryType
    amount_atoms: int
    total_atoms: int | None
    reference: str | None
    created_at_us: int


@dataclass
class BalanceChange:
    """What a run of events adds to one balance row, and the time of the account's last fill. Open
    orders and that time are told of the quote asset."""

    total_atoms: int = 0
    locked_atoms: int = 0
    open_orders: int = 0
    traded_at_us: int = 0


class Leg(NamedTuple):
    """What a trader gains by a side of a trade, in one asset; the house has the other side."""

    entry_type: EntryType
    asset: str
    atoms: int


@dataclass
class Settlement:
    """Applies batches of events to loaded state and collects what must be written.

    orders      client orders that the events touch, by id
    holdings    holdings of the accounts that trade, by account; in a spot market of strategies
    amendments  what orders are to become, by order; each has at most one
    changes     what is added to balances, by account and asset
    candles     minutes, by the time they open

    ledger          the clients' transactions, one a batch
    strategy_legs   the strategies' transaction, one for all batches: atoms by asset, account, type
    """

    spec: MarketSpec
    fees_account: int
    clearing_account: int
    orders: dict[int, OrderState]
    holdings: dict[int, Holding]
    amendments: dict[int, Amendment] = field(default_factory=dict)
    changes: dict[tuple[int, str], BalanceChange] = field(default_factory=dict)
    touched_orders: dict[int, OrderState] = field(default_factory=dict)
    touched_holdings: dict[int, Holding] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    trades: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    ledger: list[LedgerEntry] = field(default_factory=list)
    strategy_legs: dict[tuple[str, int, EntryType], int] = field(default_factory=dict)
    candles: dict[int, Candle] = field(default_factory=dict)
    amended: list[int] = field(default_factory=list)
    changed_terms: list[tuple[int, ChangedTerms]] = field(default_factory=list)

    def apply(self, batch_no: int, events: Rows) -> None:
        """Account for one batch; the clients' ledger legs sum to zero, and so do the others."""
        legs = _Legs(self, batch_no)
        time_us = 0
        for row in events.tolist():
            kind, time_us = row[KIND], row[TIME]
            if kind == EventKind.TRADE:
                self._trade(row, legs)
            elif row[ORDER] > 0:
                self._order_event(row)
        legs.close(time_us)

    def _trade(self, row: tuple[int, ...], legs: "_Legs") -> None:
        event_seq, time_us, taker_order, taker, maker_order, maker, lots, ticks, side = TRADED(row)
        maker_side = Side.SELL if side == Side.BUY else Side.BUY
        self.trades.append((event_seq, ticks, lots, side, time_us))
        sides = (
            (True, maker_order, maker, maker_side, self.spec.maker_fee_ppm),
            (False, taker_order, taker, side, self.spec.taker_fee_ppm),
        )
        notional = self.spec.notional_atoms(ticks, lots)
        self._candle(time_us, ticks, lots, notional)
        for is_maker, order_id, account_id, own_side, rate_ppm in sides:
            fee = share_up(notional, rate_ppm)
            self._fill_order(order_id, ticks, lots, time_us)
            signed = lots if own_side == Side.BUY else -lots
            realized, gains = self._gains(account_id, signed, ticks, fee, time_us)
            if account_id >= STRATEGIES_FIRST:
                self._settle_strategy(account_id, gains)
                continue
            fill = Fill(
                event_seq,
                is_maker,
                order_id,
                account_id,
                own_side,
                ticks,
                lots,
                fee,
                realized,
                time_us,
            )
            self.fills.append(fill)
            legs.fill(fill, gains)
            self.change(account_id).traded_at_us = time_us

    def _gains(
        self, account_id: int, signed: int, ticks: int, fee: int, time_us: int
    ) -> tuple[int, list[Leg]]:
        """The profit that a side of a trade realises, and its legs that are not nothing: profit, or
        in a spot market both assets; then the fee."""
        spec, quote, realized = self.spec, self.spec.quote_asset, 0
        if not spec.is_spot or account_id >= STRATEGIES_FIRST:
            realized = self._fill_holding(account_id, signed, ticks, fee, time_us)
        gains = [Leg(EntryType.REALIZED_PNL, quote, realized)]
        if spec.is_spot:
            realized, bought = 0, signed * spec.base_atoms_per_lot
            gains = [
                Leg(EntryType.TRADE, spec.base_asset, bought),
                Leg(EntryType.TRADE, quote, -spec.notional_atoms(ticks, signed)),
            ]
        gains.append(Leg(EntryType.TRADING_FEE, quote, -fee))
        return realized, [leg for leg in gains if leg.atoms]

    def _settle_strategy(self, account_id: int, gains: list[Leg]) -> None:
        """A strategy's legs, and the house's sides of them."""
        for entry_type, asset, atoms in gains:
            self.change(account_id, asset).total_atoms += atoms
            for owner, amount in ((account_id, atoms), (self.house_of(entry_type), -atoms)):
                leg = (asset, owner, entry_type)
                self.strategy_legs[leg] = self.strategy_legs.get(leg, 0) + amount

    def house_of(self, entry_type: EntryType) -> int:
        """The account of the house that has the other side of traders' legs."""
        is_fee = entry_type == EntryType.TRADING_FEE
        return self.fees_account if is_fee else self.clearing_account

    def _fill_order(self, order_id: int, ticks: int, lots: int, time_us: int) -> None:
        order = self.orders.get(order_id)
        if order is None:
            return
        open_lots = order.quantity_lots - order.filled_lots
        assert order.status.is_open, f"order {order_id} has a trade after its end"
        assert lots <= open_lots, f"order {order_id} is overfilled"
        self._release(order, released_atoms(order.reserved_atoms, lots, open_lots))
        order.filled_lots += lots
        order.filled_tick_lots += ticks * lots
        done = order.filled_lots == order.quantity_lots
        status = OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED
        self._set_status(order_id, order, status, 0, time_us)

    def _fill_holding(
        self, account_id: int, signed: int, ticks: int, fee: int, time_us: int
    ) -> int:
        held = self.holdings.get(account_id, Holding())
        position, realized = fill_position(
            held.position, signed, ticks, self.spec.atoms_per_tick_lot
        )
        after = Holding(position, held.realized_pnl_atoms + realized - fee, time_us)
        self.holdings[account_id] = self.touched_holdings[account_id] = after
        return realized

    def _order_event(self, row: tuple[int, ...]) -> None:
        order_id, time_us, kind, reason = row[ORDER], row[TIME], row[KIND], row[REASON]
        order = self.orders.get(order_id)
        if order is None or kind == EventKind.CANCEL_REJECTED:
            return
        if kind == EventKind.AMEND_REJECTED:
            self._leave_order(order_id, order, reason, time_us)
            return
        assert order.status.is_open, f"order {order_id} has an event after its end"
        if kind == EventKind.RESTED:
            part = order.filled_lots > 0
            status = OrderStatus.PARTIALLY_FILLED if part else OrderStatus.OPEN
            self._set_status(order_id, order, status, 0, time_us)
        elif kind == EventKind.WAITING:
            self._set_status(order_id, order, OrderStatus.OPEN, 0, time_us)
        elif kind == EventKind.TRIGGERED:
            self.changed_terms.append((order_id, ChangedTerms(triggered_at_us=time_us)))
            self._set_status(order_id, order, OrderStatus.OPEN, 0, time_us)
        elif kind == EventKind.REDUCED:
            self._cut_order(order_id, order, row[LOTS], time_us)
            if reason == Reason.REQUESTED:
                self._end_amendment(order_id, 0)
        elif kind == EventKind.AMENDED:
            self._amend_order(order_id, order, row[LOTS], row[PRICE], time_us)
        elif kind in ENDING:
            self._set_status(order_id, order, ENDING[EventKind(kind)], reason, time_us)

    def _cut_order(self, order_id: int, order: OrderState, lots: int, time_us: int) -> None:
        """An order goes on with less, and with as much less reserved."""
        open_lots = order.quantity_lots - order.filled_lots
        assert lots < open_lots, f"order {order_id} is cut to nothing"
        self._release(order, released_atoms(order.reserved_atoms, lots, open_lots))
        order.quantity_lots -= lots
        self._set_status(order_id, order, order.status, order.reason, time_us)

    def _amend_order(
        self, order_id: int, order: OrderState, lots: int, price_ticks: int, time_us: int
    ) -> None:
        """From here on so many lots of an order are open, and it keeps what those need."""
        open_lots = order.quantity_lots - order.filled_lots
        done = self._end_amendment(order_id, price_ticks)
        order.reserved_atoms += done.reserved_atoms
        kept_atoms = done.kept_atoms(order.reserved_atoms, lots, open_lots)
        self._release(order, order.reserved_atoms - kept_atoms)
        order.quantity_lots = order.filled_lots + lots
        self._set_status(order_id, order, order.status, order.reason, time_us)

    def _end_amendment(self, order_id: int, price_ticks: int) -> Amendment:
        """The market has done what the order was to become."""
        done = self.amendments.pop(order_id, NOTHING_RESERVED)
        if done is not NOTHING_RESERVED:
            self.amended.append(order_id)
        changed = ChangedTerms(
            price_ticks, done.trigger_ticks, amend_reason=Reason.NONE, may_open=done.may_open
        )
        self.changed_terms.append((order_id, changed))
        return done

    def _leave_order(self, order_id: int, order: OrderState, reason: int, time_us: int) -> None:
        """The market has not done it: what was reserved for it is free. The order may have ended
        meanwhile, so nothing of it moves but its time."""
        changed = ChangedTerms(amend_reason=reason, updated_at_us=time_us)
        self.changed_terms.append((order_id, changed))
        refused = self.amendments.pop(order_id, None)
        if refused is not None:
            self.amended.append(order_id)
            asset = self.spec.reserved_asset(order.is_sale)
            self.change(order.account_id, asset).locked_atoms -= refused.reserved_atoms

    def _set_status(
        self, order_id: int, order: OrderState, status: OrderStatus, reason: int, time_us: int
    ) -> None:
        order.status, order.reason, order.updated_at_us = status, reason, time_us
        self.touched_orders[order_id] = order
        if not status.is_open:
            self._release(order, order.reserved_atoms)
            self.change(order.account_id).open_orders -= 1

    def _release(self, order: OrderState, atoms: int) -> None:
        order.reserved_atoms -= atoms
        asset = self.spec.reserved_asset(order.is_sale)
        self.change(order.account_id, asset).locked_atoms -= atoms

    def change(self, account_id: int, asset: str | None = None) -> BalanceChange:
        """The account's change in an asset, to be added to; of the quote asset where none is named.
        That one is there whenever another is: its row is the account's lock."""
        quote = self.changes.setdefault((account_id, self.spec.quote_asset), BalanceChange())
        if asset is None or asset == self.spec.quote_asset:
            return quote
        return self.changes.setdefault((account_id, asset), BalanceChange())

    def _candle(self, time_us: int, ticks: int, lots: int, notional_atoms: int) -> None:
        opened_us = time_us - time_us % MINUTE_US
        candle = self.candles.get(opened_us)
        if candle is None:
            candle = self.candles[opened_us] = Candle(ticks, ticks, ticks, ticks)
        candle.trade(ticks, lots, notional_atoms)


ENDING: Mapping[EventKind, OrderStatus] = {
    EventKind.REJECTED: OrderStatus.REJECTED,
    EventKind.CANCELED: OrderStatus.CANCELED,
    EventKind.EXPIRED: OrderStatus.EXPIRED,
}


class _Legs:
    """Numbers the legs of one batch's ledger transaction, and sums up its other side."""

    def __init__(self, settlement: Settlement, batch_no: int) -> None:
        self._settlement = settlement
        self._batch_no = batch_no
        self._count = 0
        self._house: dict[tuple[EntryType, str], int] = {}

    def fill(self, fill: Fill, gains: list[Leg]) -> None:
        """The account's legs of a fill."""
        reference = f"{self._settlement.spec.market_id}-{fill.event_seq}"
        for leg in gains:
            change = self._settlement.change(fill.account_id, leg.asset)
            change.total_atoms += leg.atoms
            total, at_us = change.total_atoms, fill.created_at_us
            self._write(fill.account_id, leg, total, reference, at_us)
            of_house = leg[:2]
            self._house[of_house] = self._house.get(of_house, 0) - leg.atoms

    def close(self, at_us: int) -> None:
        """The house's side of all accounts' legs of each kind."""
        for (entry_type, asset), atoms in self._house.items():
            if atoms:
                account_id = self._settlement.house_of(entry_type)
                self._write(account_id, Leg(entry_type, asset, atoms), None, None, at_us)

    def _write(
        self, account_id: int, leg: Leg, total: int | None, reference: str | None, at_us: int
    ) -> None:
        self._count += 1
        place = (self._batch_no, self._count, account_id, leg.asset, leg.entry_type, leg.atoms)
        self._settlement.ledger.append(LedgerEntry(*place, total, reference, at_us))


def touched(events: Rows) -> tuple[list[int], list[int]]:
    """Ids of the client orders, and of the accounts that trade, in a run of events."""
    trades = events[events["kind"] == EventKind.TRADE]
    order_ids = set(events["order_id"].tolist()) | set(trades["maker_order_id"].tolist())
    accounts = set(trades["account_id"].tolist()) | set(trades["maker_account_id"].tolist())
    return sorted(order_id for order_id in order_ids if order_id > 0), sorted(accounts)


def amended_orders(events: Rows) -> list[int]:
    """Ids of the client orders whose amendment is done or refused in a run of events."""
    is_end = np.isin(events["kind"], (EventKind.AMENDED, EventKind.AMEND_REJECTED))
    is_end |= (events["kind"] == EventKind.REDUCED) & (events["reason"] == Reason.REQUESTED)
    return sorted({order_id for order_id in events["order_id"][is_end].tolist() if order_id > 0})
