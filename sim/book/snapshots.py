"""The bytes of a market's snapshot, and whether they can be one: kernels trust what they read.

A snapshot is a header, RESTING rows in price-time order, POSITION rows by account, and WAITING rows
of the orders that have terms, oldest first. It comes back from a journal or a checkpoint, from
disks and networks.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.book.arrays import POSITION, RESTING, WAITING
from sim.book.damage import (
    PRICE_TICKS_MAX,
    SEQUENCE_MAX,
    DamagedState,
    all_differ,
    refuse_unless,
    within,
)
from sim.book.damaged_terms import check_terms
from sim.market import QUANTITY_LOTS_MAX
from sim.rows.messages import MarketStatus, OrderFlag, Side

FLAGS_MAX = int(OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY | OrderFlag.FORCED)

SNAPSHOT_HEADER: np.dtype[np.void] = np.dtype(
    [
        ("format", "S8"),
        ("event_seq", "<i8"),
        ("input_seq", "<i8"),
        ("last_price_ticks", "<i8"),
        ("status", "<i8"),
        ("order_count", "<i8"),
        ("position_count", "<i8"),
        ("mark_ticks", "<i8"),
        ("terms_count", "<i8"),
    ]
)
HEADER_BYTES = {
    b"SANDPIT1": SNAPSHOT_HEADER.itemsize - 16,
    b"SANDPIT2": SNAPSHOT_HEADER.itemsize - 8,
    b"SANDPIT3": SNAPSHOT_HEADER.itemsize,
}
MARKLESS_FORMAT, TERMLESS_FORMAT, SNAPSHOT_FORMAT = HEADER_BYTES
"""A market in which no order has terms is written as all were before there were any, and one that
was never told a mark as before there were marks: so what was written then comes back to the bytes
and the hash that it had."""

Records = npt.NDArray[np.void]


class Counted(NamedTuple):
    """What the header of a snapshot says first: counters of a market, and how much follows."""

    event_seq: int
    input_seq: int
    last_price_ticks: int
    status: int
    order_count: int
    position_count: int


def header_bytes(counted: Counted, mark_ticks: int, terms_count: int) -> bytes:
    """How a snapshot begins."""
    begins = TERMLESS_FORMAT if mark_ticks else MARKLESS_FORMAT
    begins = SNAPSHOT_FORMAT if terms_count else begins
    row = (begins, *counted, mark_ticks, terms_count)
    return np.array(row, SNAPSHOT_HEADER).tobytes()[: HEADER_BYTES[begins]]


def read_header(data: bytes) -> tuple[np.void, int]:
    """The header and how many bytes it takes. Raises DamagedState."""
    begins = data[: len(SNAPSHOT_FORMAT)]
    size = HEADER_BYTES.get(begins, 0)
    if size == 0 or len(data) < size:
        raise DamagedState("not a snapshot of a market in this version's format")
    whole = data[:size].ljust(SNAPSHOT_HEADER.itemsize, b"\0")
    header = np.frombuffer(whole, SNAPSHOT_HEADER, 1)[0]
    mark, least = header["mark_ticks"], int(begins == TERMLESS_FORMAT)
    refuse_unless(least <= mark <= PRICE_TICKS_MAX, f"mark is {mark} ticks")
    refuse_unless(begins != SNAPSHOT_FORMAT or header["terms_count"] > 0, "it has no terms")
    return header, size


def read_snapshot(data: bytes) -> tuple[np.void, Records, Records, Records]:
    """Header, RESTING rows, POSITION rows and WAITING rows. Raises DamagedState."""
    header, orders_begin = read_header(data)
    order_count, position_count = int(header["order_count"]), int(header["position_count"])
    orders_end = orders_begin + order_count * RESTING.itemsize
    positions_end = orders_end + position_count * POSITION.itemsize
    terms_count = int(header["terms_count"])
    whole = positions_end + terms_count * WAITING.itemsize
    if min(order_count, position_count, terms_count) < 0 or len(data) != whole:
        raise DamagedState("the snapshot is cut off or has something behind it")
    orders = np.frombuffer(data, RESTING, order_count, orders_begin)
    positions = np.frombuffer(data, POSITION, position_count, orders_end)
    terms = np.frombuffer(data, WAITING, terms_count, positions_end)
    _check_header(header)
    _check_orders(orders, int(header["input_seq"]))
    _check_queues(orders)
    _check_positions(positions)
    check_terms(terms, orders, int(header["input_seq"]))
    return header, orders, positions, terms


def _check_header(header: np.void) -> None:
    for name in ("event_seq", "input_seq"):
        refuse_unless(0 <= header[name] <= SEQUENCE_MAX, f"{name} is {header[name]}")
    price = header["last_price_ticks"]
    refuse_unless(0 <= price <= PRICE_TICKS_MAX, f"the last price is {price} ticks")
    known = {int(status) for status in MarketStatus}
    refuse_unless(int(header["status"]) in known, f"there is no status {header['status']}")


def _check_orders(orders: Records, input_seq: int) -> None:
    """Each for itself."""
    sides, lots, prices = orders["side"], orders["remaining_lots"], orders["price_ticks"]
    accepted, ids = orders["accepted_seq"], orders["order_id"]
    refuse_unless(np.isin(sides, [Side.BUY, Side.SELL]).all(), "an order has no side")
    refuse_unless(within(lots, 1, QUANTITY_LOTS_MAX), "an order has an impossible quantity")
    refuse_unless(within(prices, 1, PRICE_TICKS_MAX), "an order has an impossible price")
    refuse_unless(within(orders["flags"], 0, FLAGS_MAX), "an order has an unknown flag")
    refuse_unless(within(accepted, 1, input_seq), "an order comes from no command")
    refuse_unless(orders["account_id"].all(), "an order is nobody's")
    refuse_unless(ids.all() and all_differ(ids), "two orders have one id")
    refuse_unless(all_differ(accepted), "two orders come from one command")
    refuse_unless(not orders["unused"].any(), "an order has more than there is")


def _check_queues(orders: Records) -> None:
    """Bids before asks, best first, oldest first at a price; none meets one of the other side."""
    sides, prices = orders["side"].astype(np.int64), orders["price_ticks"].astype(np.int64)
    worse = np.where(sides == Side.BUY, -prices, prices)
    wanted = np.lexsort((orders["accepted_seq"], worse, sides))
    in_order = np.array_equal(wanted, np.arange(len(orders)))
    refuse_unless(in_order, "its orders do not stand in the order of price and time")
    bids, asks = prices[sides == Side.BUY], prices[sides == Side.SELL]
    apart = len(bids) == 0 or len(asks) == 0 or bids[0] < asks[0]
    refuse_unless(apart, "its best bid meets its best ask")


def _check_positions(positions: Records) -> None:
    ids, lots = positions["account_id"], positions["position_lots"]
    refuse_unless(ids.all(), "a position is nobody's")
    refuse_unless((ids[1:] > ids[:-1]).all(), "its positions do not stand by account")
    refuse_unless(lots.all(), "a position holds nothing")
    refuse_unless(sum(lots.tolist()) == 0, "its longs are not its shorts")
