"""Which orders of simulated traders are placed: those that their equity carries.

The rule of perps.md: available = equity − Σ initial margin of positions − Σ reservations, and an
order reserves price × quantity ÷ leverage, the taker's fee and its open loss, a reduce-only one
nothing here. What reserves more than is available is refused before it reaches a market.

A trader's margin spans markets and a market knows its own accounts only, so the part of the
strategy decides: it sends the orders and hears of everything that becomes of them. What is
decided depends on the trader alone, so it is the same however a strategy is cut, and no market
waits for another one.

* At margin checks, markets say what each trader gained and holds there. That gives equity less
  the margin of positions at mark, exactly: what is `free`.
* Between checks, marks stand still. The margin of what a fill opens and its fee are taken off what
  is free. What a closing fill frees counts from the next check on.
* An order that closes with all of its lots, after those sent before it in the step, needs no
  margin: its fee and open loss have to be in the equity. One that rests reserves like the others.
* Reservations are exact at every step: RESTED adds the worth of what rests, fills and
  cancellations take theirs off at the order's own price, which their events carry. The sum is
  divided by the leverage and rounded up once, not order by order.
* Orders of one step are looked at market after market, in the order they are sent. A
  cancellation in the same step frees nothing yet.

* In a spot market nothing is lent: see spot_orders.py. What its orders reserve is taken off what is
  free before a step's orders are looked at.
* An order has to be carried with its open loss, at the mark that its sender saw; of what rests and
  of what has filled it is part of the equity at the next check.

The prices that orders reserve at are those of rules.py, with the best bid that the sender saw. No
order trades beyond the market's price band, so none reserves for that: whoever asks for any price,
with a limit or a MARKET order, reserves at the edge. What one order may be worth, and what an
account carries, ends where it does for clients: see rules.py.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.money import rules, watch
from sim.money.liquidation import CLOSED
from sim.money.rules import (
    ACCOUNT_ATOMS_MAX,
    banded_ticks,
    closed_lots,
    closes_wholly,
    initial_margin_atoms,
    is_worth_too_much,
    open_loss_ticks,
    reservation_atoms,
    reserve_ticks,
)
from sim.money.spot_orders import SpotOrders, bound_in, prices_of, take_off_reserved
from sim.rows import columns, kernels, messages
from sim.rows import packed as packed_events
from sim.rows.columns import COMMAND_WORDS, flags_of, kind_of, price_of, reason_of, side_of
from sim.rows.kernels import Number, cached_kernel, inlined, prefetch
from sim.rows.messages import COMMAND, CommandKind, EventKind, OrderFlag, Reason, Rows, Side
from sim.rows.packed import CODES, LOTS, ORDER, WHOSE, maker_of, owner_of

Integers = npt.NDArray[np.int64]

SUMS = 4
FREE, RESTING_WORTH, ASKED, CLOSING = range(SUMS)
"""Of each trader side by side, half a cache line, in atoms: equity less the margin of positions,
worth of what rests over all markets; then of the step under way what its orders reserve so far, and
in the market under way how many lots of them close."""

ROWS_AHEAD = 12
"""How many rows ahead the memory of a trader is asked for."""

PLACE, SELL = int(CommandKind.PLACE), int(Side.SELL)
POST_ONLY, REDUCE_ONLY = int(OrderFlag.POST_ONLY), int(OrderFlag.REDUCE_ONLY)
RESTED, TRADE, CANCELED = int(EventKind.RESTED), int(EventKind.TRADE), int(EventKind.CANCELED)
PRICE_BAND = int(Reason.PRICE_BAND)


@inlined
def ask_for(trader: int, sums: Integers, positions: Integers) -> None:
    """Memory that is about to be read."""
    prefetch(sums, SUMS * trader)
    prefetch(positions, trader)


@inlined
def opened_by(positions: Integers, trader: int, signed_lots: int) -> Number:
    """A fill joins a position; how many of its lots close nothing."""
    before = positions[trader]
    positions[trader] = before + signed_lots
    return abs(signed_lots) - closed_lots(before, signed_lots)


@inlined
def rest_less(sums: Integers, trader: int, worth_atoms: int) -> None:
    """So much of what a trader has in the book is gone."""
    place = SUMS * trader + RESTING_WORTH
    sums[place] = max(0, sums[place] - worth_atoms)


@cached_kernel(columns, kernels, messages, packed_events, rules)
def learn_events(
    packed: Integers,
    atoms_per_tick_lot: int,
    maker_fee_ppm: int,
    taker_fee_ppm: int,
    leverage: int,
    sums: Integers,
    positions: Integers,
) -> None:
    """Packed events, (n, 4), change what is free, what rests and positions.

    sums        int64 (traders × SUMS,): of each trader FREE, RESTING, ASKED, CLOSING
    positions   int64 (traders,), lots

    Reduce-only orders never rest with a reservation, and what the price band cancels never rested.
    A maker's order number is 0 where its position was taken from it without an order.
    """
    for row in range(len(packed)):
        if row + ROWS_AHEAD < len(packed):
            ahead = packed[row + ROWS_AHEAD, WHOSE]
            for place in (max(owner_of(ahead), 0), max(maker_of(ahead), 0)):
                ask_for(place, sums, positions)
        codes, whose = packed[row, CODES], packed[row, WHOSE]
        kind, owner = kind_of(codes), owner_of(whose)
        lot_atoms = price_of(codes) * atoms_per_tick_lot
        worth = packed[row, LOTS] * lot_atoms
        if kind == TRADE:
            maker = maker_of(whose)
            signed = -packed[row, LOTS] if side_of(codes) == SELL else packed[row, LOTS]
            if owner >= 0:
                opened = opened_by(positions, owner, signed) * lot_atoms
                sums[SUMS * owner + FREE] -= reservation_atoms(
                    worth, opened, leverage, taker_fee_ppm
                )
            if maker >= 0:
                opened = opened_by(positions, maker, -signed) * lot_atoms
                fee_ppm = max(0, maker_fee_ppm)
                sums[SUMS * maker + FREE] -= reservation_atoms(worth, opened, leverage, fee_ppm)
                if packed[row, ORDER] != 0:
                    rest_less(sums, maker, worth)
        elif owner >= 0 and flags_of(codes) & REDUCE_ONLY == 0:
            if kind == RESTED:
                sums[SUMS * owner + RESTING_WORTH] += worth
            elif kind == CANCELED and reason_of(codes) != PRICE_BAND:
                rest_less(sums, owner, worth)


@inlined
def wanted_atoms(
    row: Number, prices_ticks: tuple[int, int, int, int], atoms_per_tick_lot: int
) -> Number:
    """Worth and open loss of a PLACE row, in atoms; prices as in `admit_rows`."""
    best_bid, mark, highest, lowest = prices_ticks
    is_sale = row.side == SELL
    limit = banded_ticks(is_sale, row.price_ticks, highest, lowest)
    price = reserve_ticks(is_sale, limit, best_bid, row.flags & POST_ONLY != 0)
    lot_atoms = row.quantity_lots * atoms_per_tick_lot
    return price * lot_atoms, open_loss_ticks(is_sale, limit, mark) * lot_atoms


@inlined
def margin_of(position_lots: int, mark_atoms: int, leverage: int) -> Number:
    """Initial margin of a position at the mark of a lot."""
    return initial_margin_atoms(abs(position_lots) * mark_atoms, leverage)


@inlined
def reserved_by_rest(worth_atoms: int, leverage: int, taker_fee_ppm: int) -> Number:
    """What orders in the book reserve in all; most traders have none, and need no division."""
    if worth_atoms == 0:
        return 0
    return reservation_atoms(worth_atoms, worth_atoms, leverage, taker_fee_ppm)


@cached_kernel(kernels, rules, watch)
def admit_rows(
    rows: Rows,
    first_account: int,
    atoms_per_tick_lot: int,
    quantity_lots_max: int,
    prices_ticks: tuple[int, int, int, int],
    taker_fee_ppm: int,
    leverage: int,
    sums: Integers,
    positions: Integers,
    stages: Integers,
    kept: npt.NDArray[np.bool_],
) -> tuple[int, int, int]:
    """Say which COMMAND rows stay here, in bool (rows,) of True; answers how many, how many of them
    for their worth, and how many of the others close. Sizes that the market refuses go there.

    prices_ticks   best bid, mark, the highest price of a purchase, the lowest of a sale
    sums, positions   as in `learn_events`; ASKED and CLOSING are added to
    stages         int64 (traders,); PLACE rows of traders who are CLOSED all stay here
    """
    mark_atoms, refused, too_large, closers = prices_ticks[1] * atoms_per_tick_lot, 0, 0, 0
    for place in range(len(rows)):
        row: Number = rows[place]
        if place + ROWS_AHEAD < len(rows):
            ask_for(rows[place + ROWS_AHEAD].account_id - first_account, sums, positions)
        if row.kind != PLACE:
            continue
        trader, lots = row.account_id - first_account, row.quantity_lots
        if stages[trader] == CLOSED:
            kept[place] = False
        elif 0 < lots <= quantity_lots_max:
            worth, loss = wanted_atoms(row, prices_ticks, atoms_per_tick_lot)
            if is_worth_too_much(worth):
                kept[place], too_large = False, too_large + 1
            elif row.flags & REDUCE_ONLY == 0:
                own, held, opened = SUMS * trader, positions[trader], worth
                left = sums[own + FREE] - sums[own + ASKED]
                if closes_wholly(row.side == SELL, lots, held, sums[own + CLOSING]):
                    opened, closers = 0, closers + 1
                    sums[own + CLOSING] += lots
                    left += margin_of(held, mark_atoms, leverage)
                else:
                    left -= reserved_by_rest(sums[own + RESTING_WORTH], leverage, taker_fee_ppm)
                wanted = reservation_atoms(worth, opened, leverage, taker_fee_ppm) + loss
                kept[place] = wanted <= left
                if kept[place]:
                    sums[own + ASKED] += wanted
                    row.leverage = leverage
        refused += not kept[place]
    return refused, too_large, closers


@cached_kernel(kernels)
def forget(rows: Rows, first_account: int, sums: Integers, what: int) -> None:
    """What the traders of COMMAND rows asked for, or close, counts no longer."""
    for place in range(len(rows)):
        sums[SUMS * (rows[place].account_id - first_account) + what] = 0


class OrderMargin:
    """What the traders of one part of a strategy may still order.

    free_atoms      int64 (traders,): equity less the margin of positions, before reservations
    resting_atoms   int64 (traders,): worth of resting orders, over all markets
    positions       int64 (traders,) for each market: lots, short below 0
    refused         orders that were not placed
    too_large       those of them that are worth more than any order may be
    """

    def __init__(
        self, accounts: range, capital_atoms: int, specs: Sequence[MarketSpec], leverage: int
    ) -> None:
        self._first, self._leverage = accounts.start, leverage
        self._specs = list(specs)
        self.most_atoms = ACCOUNT_ATOMS_MAX // leverage
        self._sums: Integers = np.zeros(SUMS * len(accounts), np.int64)
        self.free_atoms[:] = min(capital_atoms, self.most_atoms)
        self.positions: list[Integers] = [np.zeros(len(accounts), np.int64) for _ in specs]
        self._spot = {
            market: SpotOrders(accounts, spec, self.most_atoms)
            for market, spec in enumerate(specs)
            if spec.is_spot
        }
        self.refused = self.too_large = 0

    @property
    def free_atoms(self) -> Integers:
        """A view to be written to."""
        free: Integers = self._sums[FREE::SUMS]
        return free

    @property
    def resting_atoms(self) -> Integers:
        """Another one."""
        resting: Integers = self._sums[RESTING_WORTH::SUMS]
        return resting

    def begin_with(self, market: int, held_lots: Integers) -> None:
        """Nothing rests in a market, and its traders hold so many lots each."""
        self.positions[market][:] = held_lots
        if market in self._spot:
            self._spot[market].begin_with(held_lots)

    def learn(self, market: int, packed: Integers) -> None:
        """What happened to these traders on a market, as in rows/packed.py."""
        if market in self._spot:
            self._spot[market].learn(packed, self.free_atoms)
            return
        spec = self._specs[market]
        learn_events(
            packed,
            spec.atoms_per_tick_lot,
            spec.maker_fee_ppm,
            spec.taker_fee_ppm,
            self._leverage,
            self._sums,
            self.positions[market],
        )

    def admit(
        self,
        sent: Sequence[Rows],
        touches: Sequence[tuple[int, int]],
        stages: Integers,
    ) -> list[Rows]:
        """What goes to each market of a step's COMMAND rows.

        touches   of each market: best bid and mark, in ticks
        stages    as in MarginWatch
        """
        with bound_in(self._spot.values(), self.free_atoms):
            admitted = [
                self._admitted(market, rows, *touches[market], stages)
                for market, rows in enumerate(sent)
            ]
        for rows in sent:
            forget(rows, self._first, self._sums, ASKED)
        return admitted

    def admit_alone(
        self, market: int, rows: Rows, touch: tuple[int, int], stages: Integers
    ) -> tuple[Rows, Integers]:
        """The same for one market; and what its orders bind of each trader, int64 (traders,)."""
        with bound_in(self._spot.values(), self.free_atoms):
            admitted = self._admitted(market, rows, *touch, stages)
        asked = self._sums[ASKED::SUMS].copy()
        forget(rows, self._first, self._sums, ASKED)
        return admitted, asked

    def _admitted(
        self, market: int, rows: Rows, best_bid_ticks: int, mark_ticks: int, stages: Integers
    ) -> Rows:
        if market in self._spot:
            return self._paid_for(self._spot[market], rows, best_bid_ticks, mark_ticks, stages)
        spec, kept = self._specs[market], np.ones(len(rows), np.bool_)
        refused, too_large, closers = admit_rows(
            rows,
            self._first,
            spec.atoms_per_tick_lot,
            spec.max_quantity_lots,
            prices_of(spec, best_bid_ticks, mark_ticks),
            spec.taker_fee_ppm,
            self._leverage,
            self._sums,
            self.positions[market],
            stages,
            kept,
        )
        if closers:
            forget(rows, self._first, self._sums, CLOSING)
        return self._kept(rows, kept, refused, too_large)

    def _paid_for(
        self,
        spot: SpotOrders,
        rows: Rows,
        best_bid_ticks: int,
        mark_ticks: int,
        stages: Integers,
    ) -> Rows:
        """What goes to a spot market; its purchases reserve like other orders of the step."""
        left = self.free_atoms - self._sums[ASKED::SUMS]
        take_off_reserved(self.resting_atoms, self._leverage, spot.spec.taker_fee_ppm, left)
        before = left.copy()
        prices_ticks = prices_of(spot.spec, best_bid_ticks, mark_ticks)
        kept, too_large = spot.admit(rows, prices_ticks, left, stages)
        self._sums[ASKED::SUMS] += before - left
        return self._kept(rows, kept, int(np.count_nonzero(~kept)), too_large)

    def _kept(self, rows: Rows, kept: npt.NDArray[np.bool_], refused: int, too_large: int) -> Rows:
        """The rows that go to a market."""
        if not refused:
            return rows
        self.refused += refused
        self.too_large += too_large
        words = rows.view(np.int64).reshape(len(rows), COMMAND_WORDS)
        return words[kept].view(COMMAND).reshape(-1)

    def state(self) -> dict[str, Any]:
        """What `restore` takes."""
        spot = {market: (one.held_lots, one.resting) for market, one in self._spot.items()}
        counts = {"refused": self.refused, "too_large": self.too_large}
        return {"sums": self._sums, "positions": self.positions, "spot": spot} | counts

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state()`."""
        self._sums, self.positions = state["sums"], state["positions"]
        self.refused = state["refused"]
        self.too_large = state.get("too_large", 0)  # not counted in what an older version wrote
        for market, (held_lots, resting) in state["spot"].items():
            self._spot[market].held_lots, self._spot[market].resting = held_lots, resting
