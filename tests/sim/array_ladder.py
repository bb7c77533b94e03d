"""Ladder makers decided with numpy arrays, level by level: what the kernel is compared with."""

from dataclasses import dataclass

import numpy as np

from sim.populations.command_rows import cancels, immediate, lots_of_quote, places, post_only
from sim.populations.dice import UNIT_BITS
from sim.populations.holdings import Holdings
from sim.populations.ladder import Ladder, first_of_each, geometric
from sim.populations.ladder_rows import SIZE_STEPS
from sim.populations.population import Integers, MarketView
from sim.rows.messages import Rows, Side, empty_commands, joined
from sim.units import PPM


@dataclass(frozen=True)
class Bands:
    """Where the levels of one maker lie: distances from its centre in ticks.

    All int64 (makers, levels). An order from `nearest` to `farthest` is its
    level's quote; the bands of a maker do not overlap.
    """

    offsets: Integers
    nearest: Integers
    farthest: Integers


class ArrayLadder(Ladder):
    """Decides as Ladder does, batch by batch: withdrawals, the sweep, quotes."""

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """Sweep what is mispriced, withdraw what strayed, quote what is missing."""
        held, limit = self.holdings[market], self.limit_lots(market, view)
        centres = self._centres(view, held.positions_lots, limit)
        sweep = self._sweep(step, view, held, limit)
        sizes = self._sizes(view, held, limit, sweep)
        bands = price_bands(self._offsets_ppm, view.index_ticks, self._parameters.tolerance_ppm)
        missing, withdrawn = self._compare(held, centres, bands, sizes)
        levels = self._parameters.levels
        draws = self.draw(step, market, levels)[:, : 4 * levels]
        quotes = self._quotes(view, centres, bands, np.where(missing, sizes, 0), draws)
        return joined([withdrawn, sweep, quotes])

    def _centres(self, view: MarketView, positions_lots: Integers, limit_lots: int) -> Integers:
        """The price each maker quotes around: the index, shifted against its position."""
        shift_max = view.index_ticks * self._parameters.skew_ppm // PPM
        held = np.clip(positions_lots, -limit_lots, limit_lots)
        return view.index_ticks - shift_max * held // max(1, limit_lots)

    def _sizes(self, view: MarketView, held: Holdings, limit_lots: int, sweep: Rows) -> Integers:
        """Lots each level may hold so that no position can pass the limit: (makers, 2, levels).

        A side shrinks with what is left to the limit, in eighths: quotes that
        already rest are not replaced for a small fill elsewhere.
        """
        first = lots_of_quote(view.spec, view.index_ticks, self._parameters.level_quote)
        wished = geometric(first, self._parameters.size_growth_percent, self._parameters.levels)
        position = held.positions_lots[:, None]
        room = np.concatenate([limit_lots - position, limit_lots + position], axis=1)
        for row in sweep:
            room[row["account_id"] - self.accounts.start, row["side"] - 1] -= row["quantity_lots"]
        room = np.maximum(room, 0)
        share = np.minimum(-(-room * SIZE_STEPS // max(1, limit_lots)), SIZE_STEPS)[:, :, None]
        scaled = wished[None, None, :] * share // SIZE_STEPS
        before = np.cumsum(scaled, axis=2) - scaled
        lots = np.clip(room[:, :, None] - before, 0, scaled)
        lots = np.minimum(lots, view.spec.max_quantity_lots)
        return np.where(lots >= view.spec.min_quantity_lots, lots, 0)

    def _compare(
        self, held: Holdings, centres: Integers, bands: Bands, sizes: Integers
    ) -> tuple[np.ndarray, Rows]:
        """Which levels need a quote, bool (makers, 2, levels), and the CANCEL rows."""
        orders = held.orders
        level, lies = self._levels_of(held, centres, bands)
        slot = (orders.traders * 2 + orders.sides - 1) * self._parameters.levels + level
        allowed = sizes.reshape(-1)[slot]
        lots = orders.remaining_lots
        good = lies & (lots <= allowed) & (lots * PPM >= allowed * self._parameters.refill_ppm)
        kept, filled = first_of_each(slot, good, sizes.size)
        out = ~kept
        withdrawn = cancels(orders.traders[out] + self.accounts.start, orders.ids[out])
        return ~filled.reshape(sizes.shape) & (sizes > 0), withdrawn

    def _levels_of(
        self, held: Holdings, centres: Integers, bands: Bands
    ) -> tuple[Integers, np.ndarray]:
        """The level each resting order belongs to, and whether it lies in its band."""
        orders = held.orders
        outward = np.where(orders.sides == Side.BUY, -1, 1)
        distance = (orders.prices_ticks - centres[orders.traders]) * outward
        level = (distance[:, None] >= bands.nearest[orders.traders]).sum(axis=1) - 1
        known = np.maximum(level, 0)
        return known, (level >= 0) & (distance <= bands.farthest[orders.traders, known])

    def _quotes(
        self, view: MarketView, centres: Integers, bands: Bands, lots: Integers, draws: Integers
    ) -> Rows:
        """Post-only orders at the levels where `lots` is not 0.

        A price strays by up to half its band and a size falls short by up to half,
        at random, so that makers do not stand on one grid.
        """
        dice = draws.reshape(len(centres), 2, 2, self._parameters.levels)
        play = np.minimum(bands.offsets - bands.nearest, bands.farthest - bands.offsets) // 2
        strayed = (dice[:, 0] * (2 * play + 1)[:, None, :] >> UNIT_BITS) - play[:, None, :]
        outward = np.array([-1, 1])[None, :, None]
        prices = centres[:, None, None] + outward * (bands.offsets[:, None, :] + strayed)
        least = lots * self._parameters.refill_ppm // PPM
        shrunk = lots - ((lots - least) * dice[:, 1] >> UNIT_BITS + 1)
        sane = (prices >= 1) & (prices <= view.spec.max_price_ticks)
        sane &= shrunk >= view.spec.min_quantity_lots
        maker, side, level = np.nonzero(sane & (lots > 0))
        chosen = (maker, side, level)
        return post_only(
            places(maker + self.accounts.start, side + 1, prices[chosen], shrunk[chosen])
        )

    def _sweep(self, step: int, view: MarketView, held: Holdings, limit_lots: int) -> Rows:
        """At most one order that takes what others quote beyond the reference price.

        The makers take turns. Their own stale quotes are withdrawn in the same batch.
        """
        edge = view.index_ticks * self._parameters.sweep_ppm // PPM + 1
        for side in Side:
            price = view.index_ticks + (-edge if side == Side.BUY else edge)
            foreign = foreign_lots(view, held, side, price)
            if foreign < view.spec.min_quantity_lots or price < 1:
                continue
            maker = step % len(self.accounts)
            position = int(held.positions_lots[maker])
            room = limit_lots - (position if side == Side.BUY else -position)
            most = lots_of_quote(view.spec, price, self._parameters.sweep_max_quote)
            lots = min(foreign, room, most)
            if lots >= view.spec.min_quantity_lots:
                return self._sweep_row(maker, side, price, lots)
        return empty_commands(0)

    def _sweep_row(self, maker: int, side: Side, price_ticks: int, lots: int) -> Rows:
        account = np.array([self.accounts.start + maker])
        row = places(account, np.array([side]), np.array([price_ticks]), np.array([lots]))
        return immediate(row)


def foreign_lots(view: MarketView, held: Holdings, side: Side, price_ticks: int) -> int:
    """Visible lots of others that an order at this price would meet."""
    levels = view.asks if side == Side.BUY else view.bids
    sign = 1 if side == Side.BUY else -1
    met = sign * levels[:, 0] <= sign * price_ticks
    orders = held.orders
    own = (orders.sides != side) & (sign * orders.prices_ticks <= sign * price_ticks)
    return int(levels[met, 1].sum()) - int(orders.remaining_lots[own].sum())


def price_bands(ladder_ppm: Integers, index_ticks: int, tolerance_ppm: int) -> Bands:
    """The bands around each level in ticks: at least a tick apart, never overlapping."""
    levels = np.arange(1, ladder_ppm.shape[1] + 1)
    offsets = np.maximum(ladder_ppm * index_ticks // PPM, levels)
    gap_before = np.diff(offsets, axis=1, prepend=0)
    gap_after = np.diff(offsets, axis=1, append=2 * offsets[:, -1:])
    tolerance = offsets * tolerance_ppm // PPM
    inward = np.clip((gap_before - 1) // 2, 0, tolerance)
    outward = np.clip((gap_after - 1) // 2, 0, tolerance)
    return Bands(offsets, offsets - inward, offsets + outward)
