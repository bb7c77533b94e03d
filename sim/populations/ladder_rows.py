"""One step of all ladder makers on a market, in one compiled pass. See ladder.py for the rules."""

from typing import Any

import numpy as np

from sim.populations import command_rows
from sim.populations.command_rows import GTC, IOC, write_cancel, write_place
from sim.populations.dice import UNIT_BITS
from sim.populations.population import Integers
from sim.rows import columns, hashed_draws, kernels, messages
from sim.rows.columns import COMMAND_FLAGS, command_flags
from sim.rows.hashed_draws import DRAWS_PER_WORD, first_word, later_word, piece
from sim.rows.kernels import Number, cached_kernel, inlined
from sim.rows.messages import OrderFlag, Side
from sim.units import PPM

BUY, SELL, POST_ONLY = int(Side.BUY), int(Side.SELL), int(OrderFlag.POST_ONLY)
SIZE_STEPS = 8
"""Sizes shrink in eighths as a position nears its limit."""

INDEX, LIMIT, SHIFT_MAX, TOLERANCE_PPM, REFILL_PPM, LOTS_MIN, LOTS_MAX, TICKS_MAX = range(8)
SWEEP_EDGE, SWEEP_LOTS_BUY, SWEEP_LOTS_SELL = range(8, 11)
"""Places in what the kernel is told of a market and the parameters."""

OFFSET, NEAREST, FARTHEST = range(3)
"""Rows of a maker's bands."""


@inlined
def set_bands(bands: Integers, ladder_ppm: Integers, index: int, tolerance_ppm: int) -> None:
    """price_bands of one maker, ladder_ppm (levels,), into bands (3, levels)."""
    levels = len(ladder_ppm)
    for level in range(levels):
        bands[OFFSET, level] = max(ladder_ppm[level] * index // PPM, level + 1)
    for level in range(levels):
        offset = bands[OFFSET, level]
        before = offset - (bands[OFFSET, level - 1] if level > 0 else 0)
        after = (bands[OFFSET, level + 1] if level + 1 < levels else 2 * offset) - offset
        tolerance = offset * tolerance_ppm // PPM
        bands[NEAREST, level] = offset - min(max((before - 1) // 2, 0), tolerance)
        bands[FARTHEST, level] = offset + min(max((after - 1) // 2, 0), tolerance)


@inlined
def set_sizes(sizes: Integers, side: int, room: int, wished: Integers, market: Any) -> None:
    """Lots each level of a side (0 or 1) may hold so that no position passes the limit."""
    room, before = max(room, 0), 0
    share = min(-(-room * SIZE_STEPS // max(1, market[LIMIT])), SIZE_STEPS)
    for level in range(len(wished)):
        scaled = wished[level] * share // SIZE_STEPS
        lots = min(min(max(room - before, 0), scaled), market[LOTS_MAX])
        sizes[side, level] = lots if lots >= market[LOTS_MIN] else 0
        before += scaled


@inlined
def level_of(distance: int, bands: Integers) -> Number:
    """The level whose band may hold an order this far out, -1 for none; bands do not overlap."""
    found = -1
    for level in range(bands.shape[1]):
        if distance >= bands[NEAREST, level]:
            found = level
    return found


@inlined
def foreign_lots(depth: Integers, traders: Any, orders: Any, side: int, price_ticks: int) -> Number:
    """Visible lots of others that an order at this price would meet; depth: the other side's."""
    sign = 1 if side == BUY else -1
    lots = np.int64(0)
    for row in range(len(depth)):
        if sign * depth[row, 0] <= sign * price_ticks:
            lots += depth[row, 1]
    for maker in range(len(traders)):
        slot = np.int64(traders[maker].newest)
        for _ in range(traders[maker].orders):
            slot = np.int64(orders[slot].next)
            order = orders[slot]
            if order.side != side and sign * order.price_ticks <= sign * price_ticks:
                lots -= order.remaining_lots
    return lots


@inlined
def withdraw_strays(
    rows: Integers,
    count: int,
    account: int,
    trader: Any,
    orders: Any,
    centre: int,
    bands: Integers,
    sizes: Integers,
    filled: Integers,
    refill_ppm: int,
) -> Number:
    """Cancel what is no level's quote; mark the levels that have theirs, the oldest one."""
    slot = np.int64(trader.newest)
    for _ in range(trader.orders):
        slot = np.int64(orders[slot].next)
        order = orders[slot]
        side, lots = np.int64(order.side) - 1, order.remaining_lots
        distance = (order.price_ticks - centre) * (2 * side - 1)
        level = level_of(distance, bands)
        good = level >= 0 and distance <= bands[FARTHEST, level] and filled[side, level] == 0
        if good:
            allowed = sizes[side, level]
            good = lots <= allowed and lots * PPM >= allowed * refill_ppm
        if good:
            filled[side, level] = 1
        else:
            write_cancel(rows, count, account, order.order_id)
            count += 1
    return count


@inlined
def quote(
    rows: Integers,
    count: int,
    account: int,
    centre: int,
    bands: Integers,
    sizes: Integers,
    filled: Integers,
    market: Any,
    word: Number,
) -> Number:
    """Post-only orders at the levels that lack theirs, strayed and shrunk at random."""
    levels = bands.shape[1]
    for side in range(2):
        for level in range(levels):
            lots = sizes[side, level]
            if lots == 0 or filled[side, level] != 0:
                continue
            offset = bands[OFFSET, level]
            play = min(offset - bands[NEAREST, level], bands[FARTHEST, level] - offset) // 2
            strayed = (draw(word, side * levels + level) * (2 * play + 1) >> UNIT_BITS) - play
            price = centre + (2 * side - 1) * (offset + strayed)
            most_off = lots - lots * market[REFILL_PPM] // PPM
            shrunk = lots - (most_off * draw(word, (2 + side) * levels + level) >> UNIT_BITS + 1)
            if 1 <= price <= market[TICKS_MAX] and shrunk >= market[LOTS_MIN]:
                write_place(rows, count, account, side + 1, price, shrunk, GTC)
                rows[count, COMMAND_FLAGS] |= command_flags(POST_ONLY, 0)
                count += 1
    return count


@inlined
def draw(word: Number, number: int) -> Number:
    """Draw `number` of a maker, as Dice.draw gives it."""
    if number >= DRAWS_PER_WORD:
        word = later_word(word, number // DRAWS_PER_WORD)
    return piece(word, number % DRAWS_PER_WORD)


@cached_kernel(columns, command_rows, hashed_draws, kernels, messages)
def decide_ladders(
    rows: Integers,
    traders: Any,
    orders: Any,
    bids: Integers,
    asks: Integers,
    ladder_ppm: Integers,
    wished: Integers,
    market: Any,
    bands: Integers,
    sizes: Integers,
    filled: Integers,
    first_account: int,
    first_trader: int,
    key: np.uint64,
    step: int,
) -> Number:
    """Write the COMMAND rows of all makers; answers how many.

    It is one function because it is one pass over the makers. rows: (n, COMMAND_WORDS)
    int64, n at least all orders and two for every level of a maker, and one; ladder_ppm (makers,
    levels); wished (levels,); bands (3, levels), sizes and filled (2, levels): room to work in;
    market: a tuple of int64, named above.
    """
    count, sweeper, swept_side = 0, step % len(traders), 0
    swept_lots: Number = np.int64(0)
    for side in (BUY, SELL):
        sign = 1 if side == BUY else -1
        price = market[INDEX] - sign * market[SWEEP_EDGE]
        depth = asks if side == BUY else bids
        if swept_side != 0 or price < 1:
            continue
        room = market[LIMIT] - sign * traders[sweeper].position_lots
        most = market[SWEEP_LOTS_BUY] if side == BUY else market[SWEEP_LOTS_SELL]
        foreign = foreign_lots(depth, traders, orders, side, price)
        lots = min(min(foreign, room), most)
        if lots >= market[LOTS_MIN]:
            swept_side, swept_lots = side, lots
    for maker in range(len(traders)):
        trader, account = traders[maker], first_account + maker
        held = min(max(trader.position_lots, -market[LIMIT]), market[LIMIT])
        centre = market[INDEX] - market[SHIFT_MAX] * held // max(1, market[LIMIT])
        sweeps = swept_side if maker == sweeper else 0
        set_bands(bands, ladder_ppm[maker], market[INDEX], market[TOLERANCE_PPM])
        for side in (BUY, SELL):
            room = market[LIMIT] + (trader.position_lots if side == SELL else -trader.position_lots)
            room -= swept_lots if sweeps == side else 0
            set_sizes(sizes, side - 1, room, wished, market)
        filled[:, :] = 0
        refill_ppm = market[REFILL_PPM]
        count = withdraw_strays(
            rows, count, account, trader, orders, centre, bands, sizes, filled, refill_ppm
        )
        if sweeps != 0:
            edge = market[SWEEP_EDGE] if sweeps == SELL else -market[SWEEP_EDGE]
            write_place(rows, count, account, sweeps, market[INDEX] + edge, swept_lots, IOC)
            count += 1
        word = first_word(key, first_trader + maker, step)
        count = quote(rows, count, account, centre, bands, sizes, filled, market, word)
    return count
