"""Orders of simulated traders in a spot market: what they have is what they can order with.

Who buys pays at once, so a purchase reserves its whole worth and the taker's fee; a sale reserves
the lots themselves. What a trader holds here backs nothing elsewhere: of its equity only the quote
asset counts, and a margin check is told so (SteppedMarket). No order is reduce-only.

* Lots and money follow every fill at once: nothing waits for the next check.
* Reservations are exact at every step, as in order_margin.py: RESTED adds lots of a sale and worth
  of a purchase, fills and cancellations take theirs off.
* Orders of one step are looked at in the order they are sent. A cancellation in the same step
  frees nothing yet.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.money import rules
from sim.money.liquidation import CLOSED
from sim.money.rules import (
    banded_ticks,
    is_worth_too_much,
    reservation_atoms,
    reserve_ticks,
    share_up,
)
from sim.price_band import highest_purchase_ticks, lowest_sale_ticks
from sim.rows import columns, kernels, messages
from sim.rows import packed as packed_events
from sim.rows.columns import kind_of, price_of, reason_of, side_of
from sim.rows.kernels import Number, cached_kernel, inlined
from sim.rows.messages import CommandKind, EventKind, OrderFlag, Reason, Rows, Side
from sim.rows.packed import CODES, LOTS, WHOSE, maker_of, owner_of

Integers = npt.NDArray[np.int64]

UNLENT = 1
"""The leverage of whoever pays the whole."""

PLACE, BUY, SELL = int(CommandKind.PLACE), int(Side.BUY), int(Side.SELL)
RESTED, TRADE, CANCELED = int(EventKind.RESTED), int(EventKind.TRADE), int(EventKind.CANCELED)
POST_ONLY, REDUCE_ONLY = int(OrderFlag.POST_ONLY), int(OrderFlag.REDUCE_ONLY)
PRICE_BAND = int(Reason.PRICE_BAND)


@inlined
def pay(
    trader: int,
    signed_lots: int,
    worth: int,
    fee: int,
    free_most: int,
    free: Integers,
    held: Integers,
) -> None:
    """One side of a trade: lots come and money goes, or the other way round."""
    held[trader] += signed_lots
    paid = fee + (worth if signed_lots > 0 else -worth)
    free[trader] = min(free_most, free[trader] - paid)


@inlined
def rest_less(side: int, trader: int, lots: int, worth: int, resting: Integers) -> None:
    """So much of what a trader has in the book is gone."""
    if side == SELL:
        resting[0, trader] -= lots
    else:
        resting[1, trader] -= worth


@cached_kernel(columns, kernels, messages, packed_events, rules)
def learn_spot_events(
    packed: Integers,
    atoms_per_tick_lot: int,
    maker_fee_ppm: int,
    taker_fee_ppm: int,
    free_most: int,
    free: Integers,
    held: Integers,
    resting: Integers,
) -> None:
    """Packed events, (n, 4), change what is free, held, and in the book.

    free, held   int64 (traders,): atoms of the quote asset, free_most of them at most, and lots of
                 the base asset
    resting      int64 (2, traders): lots of sales, worth of purchases

    What the price band cancels never rested.
    """
    for row in range(len(packed)):
        codes, whose, lots = packed[row, CODES], packed[row, WHOSE], packed[row, LOTS]
        kind, side, owner = kind_of(codes), side_of(codes), owner_of(whose)
        worth = lots * price_of(codes) * atoms_per_tick_lot
        if kind == TRADE:
            maker, signed = maker_of(whose), lots if side == BUY else -lots
            if owner >= 0:
                fee = share_up(worth, taker_fee_ppm)
                pay(owner, signed, worth, fee, free_most, free, held)
            if maker >= 0:
                fee = share_up(worth, maker_fee_ppm)
                pay(maker, -signed, worth, fee, free_most, free, held)
                rest_less(SELL if side == BUY else BUY, maker, lots, worth, resting)
        elif owner >= 0 and kind == RESTED:
            rest_less(side, owner, -lots, -worth, resting)
        elif owner >= 0 and kind == CANCELED and reason_of(codes) != PRICE_BAND:
            rest_less(side, owner, lots, worth, resting)


@cached_kernel(kernels, rules)
def admit_spot_rows(
    rows: Rows,
    first_account: int,
    atoms_per_tick_lot: int,
    quantity_lots_max: int,
    prices_ticks: tuple[int, int, int, int],
    taker_fee_ppm: int,
    left: Integers,
    sellable: Integers,
    stages: Integers,
    kept: npt.NDArray[np.bool_],
) -> int:
    """Say which COMMAND rows stay here, in bool (rows,) of True; answers how many of them for their
    worth. Sizes that the market refuses go there: it says why.

    prices_ticks     best bid, mark, the highest price of a purchase, the lowest of a sale
    left, sellable   int64 (traders,): atoms and lots that nothing reserves; what rows reserve is
                     taken off
    stages           int64 (traders,); PLACE rows of traders who are CLOSED all stay here
    """
    best_bid, _, highest, lowest = prices_ticks
    too_large = 0
    for place in range(len(rows)):
        row: Number = rows[place]
        if row.kind != PLACE:
            continue
        trader, lots, is_sale = row.account_id - first_account, row.quantity_lots, row.side == SELL
        if stages[trader] == CLOSED or row.flags & REDUCE_ONLY:
            kept[place] = False
        elif 0 < lots <= quantity_lots_max:
            row.leverage = UNLENT
            limit = banded_ticks(is_sale, row.price_ticks, highest, lowest)
            price = reserve_ticks(is_sale, limit, best_bid, row.flags & POST_ONLY != 0)
            worth = price * lots * atoms_per_tick_lot
            if is_worth_too_much(worth):
                kept[place], too_large = False, too_large + 1
            elif is_sale:
                kept[place] = lots <= sellable[trader]
                sellable[trader] -= lots if kept[place] else 0
            else:
                wanted = reservation_atoms(worth, worth, UNLENT, taker_fee_ppm)
                kept[place] = wanted <= left[trader]
                left[trader] -= wanted if kept[place] else 0
    return too_large


def prices_of(spec: MarketSpec, best_bid_ticks: int, mark_ticks: int) -> tuple[int, int, int, int]:
    """What orders are reckoned at: best bid, mark, and the edges of the price band around mark."""
    return (
        best_bid_ticks,
        mark_ticks,
        highest_purchase_ticks(mark_ticks, spec.price_band_ppm),
        lowest_sale_ticks(mark_ticks, spec.price_band_ppm),
    )


@cached_kernel(rules)
def take_off_reserved(worths: Integers, leverage: int, taker_fee_ppm: int, left: Integers) -> None:
    """Of each trader what orders in the book of these worths reserve; (traders,) each."""
    for trader in range(len(worths)):
        if worths[trader] > 0:
            worth = worths[trader]
            left[trader] -= reservation_atoms(worth, worth, leverage, taker_fee_ppm)


class SpotOrders:
    """What the traders of one part of a strategy hold in one spot market, and have in its book.

    held_lots   int64 (traders,)
    resting     int64 (2, traders): lots of sales, worth of purchases
    """

    def __init__(self, accounts: range, spec: MarketSpec, free_most: int) -> None:
        self._first, self.spec, self._free_most = accounts.start, spec, free_most
        self.held_lots: Integers = np.zeros(len(accounts), np.int64)
        self.resting: Integers = np.zeros((2, len(accounts)), np.int64)

    def learn(self, packed: Integers, free_atoms: Integers) -> None:
        """What happened to them here; what they paid and got changes what is free."""
        spec = self.spec
        learn_spot_events(
            packed,
            spec.atoms_per_tick_lot,
            spec.maker_fee_ppm,
            spec.taker_fee_ppm,
            self._free_most,
            free_atoms,
            self.held_lots,
            self.resting,
        )

    def begin_with(self, held_lots: Integers) -> None:
        """Nothing rests, and traders hold so many lots each: int64 (traders,)."""
        self.held_lots[:], self.resting[:] = held_lots, 0

    def take_off(self, left_atoms: Integers) -> None:
        """What purchases in the book will pay is taken off int64 (traders,)."""
        take_off_reserved(self.resting[1], UNLENT, self.spec.taker_fee_ppm, left_atoms)

    def admit(
        self,
        rows: Rows,
        prices_ticks: tuple[int, int, int, int],
        left_atoms: Integers,
        stages: Integers,
    ) -> tuple[npt.NDArray[np.bool_], int]:
        """Which rows go to the market, and how many are worth too much; see `admit_spot_rows`."""
        spec, kept = self.spec, np.ones(len(rows), np.bool_)
        too_large = admit_spot_rows(
            rows,
            self._first,
            spec.atoms_per_tick_lot,
            spec.max_quantity_lots,
            prices_ticks,
            spec.taker_fee_ppm,
            left_atoms,
            self.held_lots - self.resting[0],
            stages,
            kept,
        )
        return kept, too_large


@contextmanager
def bound_in(markets: Collection[SpotOrders], free_atoms: Integers) -> Iterator[None]:
    """For as long as this lasts, what purchases in these markets will pay is not free."""
    if not markets:
        yield
        return
    before = free_atoms.copy()
    for market in markets:
        market.take_off(free_atoms)
    yield
    free_atoms[:] = before
