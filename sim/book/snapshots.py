"""The bytes of a market's snapshot, and whether they can be one: kernels trust what they read.

A snapshot is a header, RESTING rows in price-time order, POSITION rows by account. It comes back
from a journal or a checkpoint, from disks and networks.
"""

import numpy as np
import numpy.typing as npt

from sim.book.arrays import POSITION, RESTING
from sim.market import QUANTITY_LOTS_MAX
from sim.rows.messages import MarketStatus, OrderFlag, Side

PRICE_TICKS_MAX, SEQUENCE_MAX = 2**31 - 1, 2**62
FLAGS_MAX = sum(OrderFlag)

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
    ]
)
SNAPSHOT_FORMAT, MARKLESS_FORMAT = b"SANDPIT2", b"SANDPIT1"
MARKLESS_BYTES = SNAPSHOT_HEADER.itemsize - 8
"""A market that was never told a mark is written without one, as all were before there were marks:
so what was written then comes back to the bytes and the hash that it had."""

Records = npt.NDArray[np.void]


class DamagedState(ValueError):
    """Bytes that should be a market's state cannot be one. The message is one sentence."""


def header_bytes(
    event_seq: int,
    input_seq: int,
    last_price_ticks: int,
    status: int,
    order_count: int,
    position_count: int,
    mark_ticks: int,
) -> bytes:
    """How a snapshot begins."""
    counted = (event_seq, input_seq, last_price_ticks, status, order_count, position_count)
    begins = SNAPSHOT_FORMAT if mark_ticks else MARKLESS_FORMAT
    data = np.array((begins, *counted, mark_ticks), SNAPSHOT_HEADER).tobytes()
    return data if mark_ticks else data[:MARKLESS_BYTES]


def read_header(data: bytes) -> tuple[np.void, int]:
    """The header and how many bytes it takes. Raises DamagedState."""
    marked = data.startswith(SNAPSHOT_FORMAT)
    size = SNAPSHOT_HEADER.itemsize if marked else MARKLESS_BYTES
    if len(data) < size or not (marked or data.startswith(MARKLESS_FORMAT)):
        raise DamagedState("not a snapshot of a market in this version's format")
    whole = data[:size].ljust(SNAPSHOT_HEADER.itemsize, b"\0")
    header = np.frombuffer(whole, SNAPSHOT_HEADER, 1)[0]
    if marked:
        mark = header["mark_ticks"]
        _refuse_unless(1 <= mark <= PRICE_TICKS_MAX, f"mark is {mark} ticks")
    return header, size


def read_snapshot(data: bytes) -> tuple[np.void, Records, Records]:
    """Header, RESTING rows and POSITION rows. Raises DamagedState."""
    header, orders_begin = read_header(data)
    order_count, position_count = int(header["order_count"]), int(header["position_count"])
    orders_end = orders_begin + order_count * RESTING.itemsize
    whole = orders_end + position_count * POSITION.itemsize
    if min(order_count, position_count) < 0 or len(data) != whole:
        raise DamagedState("the snapshot is cut off or has something behind it")
    orders = np.frombuffer(data, RESTING, order_count, orders_begin)
    positions = np.frombuffer(data, POSITION, position_count, orders_end)
    _check_header(header)
    _check_orders(orders, int(header["input_seq"]))
    _check_queues(orders)
    _check_positions(positions)
    return header, orders, positions


def _refuse_unless(holds: object, what: str) -> None:
    if not holds:
        raise DamagedState(f"the snapshot is damaged: {what}")


def _check_header(header: np.void) -> None:
    for name in ("event_seq", "input_seq"):
        _refuse_unless(0 <= header[name] <= SEQUENCE_MAX, f"{name} is {header[name]}")
    price = header["last_price_ticks"]
    _refuse_unless(0 <= price <= PRICE_TICKS_MAX, f"the last price is {price} ticks")
    known = {int(status) for status in MarketStatus}
    _refuse_unless(int(header["status"]) in known, f"there is no status {header['status']}")


def _check_orders(orders: Records, input_seq: int) -> None:
    """Each for itself."""
    sides, lots, prices = orders["side"], orders["remaining_lots"], orders["price_ticks"]
    accepted, ids = orders["accepted_seq"], orders["order_id"]
    _refuse_unless(np.isin(sides, [Side.BUY, Side.SELL]).all(), "an order has no side")
    _refuse_unless(_within(lots, 1, QUANTITY_LOTS_MAX), "an order has an impossible quantity")
    _refuse_unless(_within(prices, 1, PRICE_TICKS_MAX), "an order has an impossible price")
    _refuse_unless(_within(orders["flags"], 0, FLAGS_MAX), "an order has an unknown flag")
    _refuse_unless(_within(accepted, 1, input_seq), "an order comes from no command")
    _refuse_unless(orders["account_id"].all(), "an order is nobody's")
    _refuse_unless(ids.all() and _all_differ(ids), "two orders have one id")
    _refuse_unless(_all_differ(accepted), "two orders come from one command")
    _refuse_unless(not orders["unused"].any(), "an order has more than there is")


def _check_queues(orders: Records) -> None:
    """Bids before asks, best first, oldest first at a price; none meets one of the other side."""
    sides, prices = orders["side"].astype(np.int64), orders["price_ticks"].astype(np.int64)
    worse = np.where(sides == Side.BUY, -prices, prices)
    wanted = np.lexsort((orders["accepted_seq"], worse, sides))
    in_order = np.array_equal(wanted, np.arange(len(orders)))
    _refuse_unless(in_order, "its orders do not stand in the order of price and time")
    bids, asks = prices[sides == Side.BUY], prices[sides == Side.SELL]
    apart = len(bids) == 0 or len(asks) == 0 or bids[0] < asks[0]
    _refuse_unless(apart, "its best bid meets its best ask")


def _check_positions(positions: Records) -> None:
    ids, lots = positions["account_id"], positions["position_lots"]
    _refuse_unless(ids.all(), "a position is nobody's")
    _refuse_unless((ids[1:] > ids[:-1]).all(), "its positions do not stand by account")
    _refuse_unless(lots.all(), "a position holds nothing")
    _refuse_unless(sum(lots.tolist()) == 0, "its longs are not its shorts")


def _within(values: npt.NDArray[np.integer], least: int, most: int) -> bool:
    return len(values) == 0 or bool(values.min() >= least and values.max() <= most)


def _all_differ(values: npt.NDArray[np.integer]) -> bool:
    return len(np.unique(values)) == len(values)
