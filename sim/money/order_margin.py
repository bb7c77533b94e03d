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
* Between checks, marks stand still. Every fill counts as if it opened a position: its margin and
  fee are taken off what is free. What a closing fill frees counts from the next check on.
* Reservations are exact at every step: RESTED adds the worth of what rests, fills and
  cancellations take theirs off at the order's own price, which their events carry. The sum is
  divided by the leverage and rounded up once, not order by order.
* Orders of one step are looked at market after market, in the order they are sent. A
  cancellation in the same step frees nothing yet.

* An order has to be carried with its open loss, at the mark that its sender saw; of what rests and
  of what has filled it is part of the equity at the next check.

The prices that orders reserve at are those of rules.py, with the best bid that the sender saw. No
order trades beyond the market's price band, so none reserves for that: whoever asks for any price,
with a limit or a MARKET order, reserves at the edge. What one order or account carries ends at
2**61 atoms of worth.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.money import rules, watch
from sim.money.liquidation import CLOSED
from sim.money.rules import (
    open_loss_ticks,
    reservation_atoms,
    reserve_ticks,
)
from sim.price_band import highest_purchase_ticks, lowest_sale_ticks
from sim.rows import kernels
from sim.rows import packed as packed_events
from sim.rows.kernels import Number, cached_kernel, inlined, prefetch
from sim.rows.messages import COMMAND, CommandKind, EventKind, OrderFlag, Reason, Rows, Side
from sim.rows.packed import CODES, LOTS, ORDER, WHOSE, maker_of, owner_of

Integers = npt.NDArray[np.int64]

WORTH_ATOMS_MAX = 2**61
ROWS_AHEAD = 12
"""How many rows ahead the memory of a trader is asked for."""

PLACE, SELL = int(CommandKind.PLACE), int(Side.SELL)
POST_ONLY, REDUCE_ONLY = int(OrderFlag.POST_ONLY), int(OrderFlag.REDUCE_ONLY)
RESTED, TRADE, CANCELED = int(EventKind.RESTED), int(EventKind.TRADE), int(EventKind.CANCELED)
PRICE_BAND = int(Reason.PRICE_BAND)


@cached_kernel(kernels, packed_events, rules)
def learn_events(
    packed: Integers,
    atoms_per_tick_lot: int,
    maker_fee_ppm: int,
    taker_fee_ppm: int,
    leverage: int,
    free: Integers,
    resting: Integers,
) -> None:
    """Packed events, (n, 4), change what is free and what rests: (traders,) each.

    Reduce-only orders never rest with a reservation, and what the price band cancels never rested.
    A maker's order number is 0 where its position was taken from it without an order.
    """
    for row in range(len(packed)):
        if row + ROWS_AHEAD < len(packed):
            ahead = packed[row + ROWS_AHEAD, WHOSE]
            for place in (max(owner_of(ahead), 0), max(maker_of(ahead), 0)):
                prefetch(free, place)
                prefetch(resting, place)
        codes, whose = packed[row, CODES], packed[row, WHOSE]
        kind, owner = (codes >> 32) & 255, owner_of(whose)
        worth = packed[row, LOTS] * (codes & 0x7FFFFFFF) * atoms_per_tick_lot
        if kind == TRADE:
            maker = maker_of(whose)
            if owner >= 0:
                free[owner] -= reservation_atoms(worth, worth, leverage, taker_fee_ppm)
            if maker >= 0:
                free[maker] -= reservation_atoms(worth, worth, leverage, max(0, maker_fee_ppm))
                if packed[row, ORDER] != 0:
                    resting[maker] = max(0, resting[maker] - worth)
        elif owner >= 0 and (codes >> 56) & REDUCE_ONLY == 0:
            if kind == RESTED:
                resting[owner] += worth
            elif kind == CANCELED and (codes >> 40) & 255 != PRICE_BAND:
                resting[owner] = max(0, resting[owner] - worth)


@inlined
def ask_for(trader: int, free: Integers, resting: Integers, asked: Integers) -> None:
    """Memory that is about to be read."""
    prefetch(free, trader)
    prefetch(resting, trader)
    prefetch(asked, trader)


@inlined
def wanted_atoms(
    row: Number, best_bid: int, mark: int, highest: int, lowest: int, atoms_per_tick_lot: int
) -> Number:
    """Worth and open loss of a PLACE row, in atoms; prices in ticks.

    highest, lowest   the edges of the market's price band
    """
    is_sale = row.side == SELL
    limit: Number = max(row.price_ticks, lowest)
    if not is_sale:
        limit = min(row.price_ticks, highest) if row.price_ticks > 0 else highest
    price = reserve_ticks(is_sale, limit, best_bid, row.flags & POST_ONLY != 0)
    lot_atoms = row.quantity_lots * atoms_per_tick_lot
    return price * lot_atoms, open_loss_ticks(is_sale, limit, mark) * lot_atoms


@cached_kernel(kernels, rules, watch)
def admit_rows(
    rows: Rows,
    first_account: int,
    atoms_per_tick_lot: int,
    quantity_lots_max: int,
    best_bid_ticks: int,
    mark_ticks: int,
    band_ticks: tuple[int, int],
    taker_fee_ppm: int,
    leverage: int,
    free: Integers,
    resting: Integers,
    asked: Integers,
    stages: Integers,
    kept: npt.NDArray[np.bool_],
) -> Number:
    """Say which COMMAND rows go to the market: bool (rows,); answers how many do not.

    band_ticks   the highest price of a purchase and the lowest of a sale
    asked   int64 (traders,), what this step's orders reserve so far, added to
    stages  int64 (traders,); PLACE rows of traders who are CLOSED all stay here

    Sizes that the market refuses are let through: it says why.
    """
    refused = 0
    for place in range(len(rows)):
        row: Number = rows[place]
        kept[place] = True
        if place + ROWS_AHEAD < len(rows):
            ask_for(rows[place + ROWS_AHEAD].account_id - first_account, free, resting, asked)
        if row.kind != PLACE:
            continue
        trader = row.account_id - first_account
        lots = row.quantity_lots
        if stages[trader] == CLOSED:
            kept[place] = False
        elif row.flags & REDUCE_ONLY == 0 and 0 < lots <= quantity_lots_max:
            worth, loss = wanted_atoms(
                row, best_bid_ticks, mark_ticks, *band_ticks, atoms_per_tick_lot
            )
            rests = resting[trader]
            wanted = reservation_atoms(worth, worth, leverage, taker_fee_ppm) + loss
            used = asked[trader] + reservation_atoms(rests, rests, leverage, taker_fee_ppm)
            if worth <= WORTH_ATOMS_MAX and wanted <= free[trader] - used:
                asked[trader] += wanted
                row.leverage = leverage
            else:
                kept[place] = False
        refused += not kept[place]
    return refused


@cached_kernel(kernels)
def forget(rows: Rows, first_account: int, asked: Integers) -> None:
    """What the traders of COMMAND rows asked for counts no longer."""
    for place in range(len(rows)):
        asked[rows[place].account_id - first_account] = 0


class OrderMargin:
    """What the traders of one part of a strategy may still order.

    free_atoms      int64 (traders,): equity less the margin of positions, before reservations
    resting_atoms   int64 (traders,): worth of resting orders, over all markets
    refused         orders that were not placed
    """

    def __init__(
        self, accounts: range, capital_atoms: int, specs: Sequence[MarketSpec], leverage: int
    ) -> None:
        self._first, self._leverage = accounts.start, leverage
        self._specs = list(specs)
        self.most_atoms = WORTH_ATOMS_MAX // leverage
        self.free_atoms: Integers = np.full(
            len(accounts), min(capital_atoms, self.most_atoms), np.int64
        )
        self.resting_atoms: Integers = np.zeros(len(accounts), np.int64)
        self._asked: Integers = np.zeros(len(accounts), np.int64)
        self.refused = 0

    def learn(self, market: int, packed: Integers) -> None:
        """What happened to these traders on a market, as in rows/packed.py."""
        spec = self._specs[market]
        learn_events(
            packed,
            spec.atoms_per_tick_lot,
            spec.maker_fee_ppm,
            spec.taker_fee_ppm,
            self._leverage,
            self.free_atoms,
            self.resting_atoms,
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
        admitted = [
            self._admitted(spec, rows, *touch, stages)
            for spec, rows, touch in zip(self._specs, sent, touches, strict=True)
        ]
        for rows in sent:
            forget(rows, self._first, self._asked)
        return admitted

    def _admitted(
        self, spec: MarketSpec, rows: Rows, best_bid_ticks: int, mark_ticks: int, stages: Integers
    ) -> Rows:
        kept = np.empty(len(rows), np.bool_)
        refused = admit_rows(
            rows,
            self._first,
            spec.atoms_per_tick_lot,
            spec.max_quantity_lots,
            best_bid_ticks,
            mark_ticks,
            (
                highest_purchase_ticks(mark_ticks, spec.price_band_ppm),
                lowest_sale_ticks(mark_ticks, spec.price_band_ppm),
            ),
            spec.taker_fee_ppm,
            self._leverage,
            self.free_atoms,
            self.resting_atoms,
            self._asked,
            stages,
            kept,
        )
        if not refused:
            return rows
        self.refused += refused
        words = rows.view(np.int64).reshape(len(rows), -1)
        return words[kept].view(COMMAND).reshape(-1)

    def state(self) -> dict[str, Any]:
        """What `restore` takes."""
        return {"free": self.free_atoms, "resting": self.resting_atoms, "refused": self.refused}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state()`."""
        self.free_atoms, self.resting_atoms = state["free"], state["resting"]
        self.refused = state["refused"]
