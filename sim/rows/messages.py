"""The two row types that cross actor boundaries: COMMAND asks, EVENT has happened.

Both are numpy structured dtypes of integers only, so a batch travels through
Ray without copying, lies in the journal as bytes and hashes alike everywhere.
One order is a batch of one row.
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import numpy.typing as npt


class CommandKind(IntEnum):
    """What a COMMAND row asks of a market."""

    PLACE = 1
    CANCEL = 2
    CANCEL_ALL = 3
    SET_STATUS = 4
    SET_MARK = 5


class EventKind(IntEnum):
    """What an EVENT row says has happened.

    An accepted order has no event of its own: its first TRADE, RESTED or
    EXPIRED says so, and the busiest path writes one row less.
    """

    REJECTED = 1
    RESTED = 2
    TRADE = 3
    CANCELED = 4
    CANCEL_REJECTED = 5
    EXPIRED = 6
    STATUS_CHANGED = 7
    REDUCED = 8


class Side(IntEnum):
    """Direction of an order; of a TRADE event, the taker's."""

    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    """LIMIT has a price; MARKET has a hard execution limit in the same field."""

    LIMIT = 1
    MARKET = 2


class TimeInForce(IntEnum):
    """How long an order lives: until cancelled, this instant, or whole and now."""

    GTC = 1
    IOC = 2
    FOK = 3


class MarketStatus(IntEnum):
    """ACTIVE takes all commands, CANCEL_ONLY only cancels, HALTED none but SET_STATUS and
    SET_MARK."""

    ACTIVE = 1
    CANCEL_ONLY = 2
    HALTED = 3


class OrderFlag(IntEnum):
    """Bits of COMMAND.flags and of EVENT.flags.

    FORCED marks an order that closes a position by force, for whoever keeps account of it: the
    engine carries the bit and gives it no meaning. No client can set it.
    """

    POST_ONLY = 1
    REDUCE_ONLY = 2
    FORCED = 4


class Reason(IntEnum):
    """Why an event says no or ends an order. NONE where nothing is refused.

    The order of the members from INVALID_COMMAND to POST_ONLY_WOULD_TAKE is the
    order of precedence: an order that breaks several rules is rejected for the
    first. The members below them end an order that was accepted.
    """

    NONE = 0
    INVALID_COMMAND = 1
    MARKET_HALTED = 2
    MARKET_CANCEL_ONLY = 3
    INVALID_QUANTITY = 4
    INVALID_PRICE = 5
    POST_ONLY_REQUIRES_LIMIT_ORDER = 6
    POST_ONLY_REQUIRES_GTC = 7
    DUPLICATE_ORDER_ID = 8
    REDUCE_ONLY_WOULD_INCREASE = 9
    POST_ONLY_WOULD_TAKE = 10
    FOK_UNFILLABLE = 19
    SELF_TRADE_PREVENTION = 20
    MARKET_LIQUIDITY_EXHAUSTED = 21
    IOC_UNFILLED = 22
    REDUCE_ONLY_EXCESS = 23
    REQUESTED = 24
    PRICE_BAND = 25
    DEAD_MANS_SWITCH = 28
    OPERATOR = 29
    ORDER_NOT_OPEN = 30
    USER_MISMATCH = 31


COMMAND: np.dtype[np.void] = np.dtype(
    [
        ("command_seq", "<i8"),
        ("time_us", "<i8"),
        ("order_id", "<i8"),
        ("account_id", "<i8"),
        ("quantity_lots", "<i8"),
        ("price_ticks", "<i4"),
        ("kind", "u1"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("flags", "u1"),
        ("leverage", "u1"),
        ("status", "u1"),
        ("reason", "u1"),
        ("reserved", "u1", (4,)),
    ]
)
"""One request to a market, 56 bytes.

command_seq     number in the market's total order of client commands; 0 in a strategy's row
time_us         when it was sequenced (live) or arrives (simulation), microseconds
order_id        not 0; positive from clients, negative from strategies; the order meant by CANCEL
account_id      who asks; whose orders CANCEL_ALL means
price_ticks     LIMIT: the limit. MARKET: the worst price it may trade at, 0 for no limit.
                SET_MARK: the mark from here on, above 0; it leaves no event
status          SET_STATUS: the MarketStatus to take
reason          CANCEL and CANCEL_ALL: DEAD_MANS_SWITCH or OPERATOR where that asks, else REQUESTED
leverage        carried for the accounting; the engine does not read it
"""

EVENT: np.dtype[np.void] = np.dtype(
    [
        ("event_seq", "<i8"),
        ("input_seq", "<i8"),
        ("time_us", "<i8"),
        ("order_id", "<i8"),
        ("account_id", "<i8"),
        ("maker_order_id", "<i8"),
        ("maker_account_id", "<i8"),
        ("quantity_lots", "<i8"),
        ("price_ticks", "<i4"),
        ("kind", "u1"),
        ("reason", "u1"),
        ("side", "u1"),
        ("flags", "u1"),
    ]
)
"""One fact about a market, 72 bytes. Never changed once written.

event_seq       market-wide, +1 an event, gap-free for ever (restarts included)
input_seq       the cause: the how-many-th row the market ever applied, from clients or strategies
time_us         the cause's time
order_id        the order it is about; of a TRADE, the taker's
account_id      its account; of a TRADE, the taker's
maker_order_id, maker_account_id   of a TRADE; 0 elsewhere
quantity_lots   REJECTED: ordered. RESTED: what rests. TRADE: what traded.
                CANCELED, EXPIRED: what was left unfilled. STATUS_CHANGED: the new status.
                REDUCED: what a resting or incoming order lost, which goes on with the rest
price_ticks     TRADE: the maker's price. Elsewhere the order's own
side            the order's; of a TRADE, the taker's
flags           the order's; of a TRADE, the taker's
"""

Rows = npt.NDArray[np.void]


def joined(batches: Sequence[Rows]) -> Rows:
    """Batches of one dtype, at least one, in one array; the batch itself where there is only one.

    As words: to concatenate structured arrays numpy compares their fields one by one.
    """
    filled = [rows for rows in batches if len(rows)]
    if len(filled) < 2:
        return filled[0] if filled else batches[0]
    words = [rows.view(np.int64) for rows in filled]
    return np.concatenate(words).view(filled[0].dtype)


def mark_row(mark_ticks: int, time_us: int) -> Rows:
    """One SET_MARK row."""
    row = empty_commands(1)
    row["kind"], row["price_ticks"], row["time_us"] = CommandKind.SET_MARK, mark_ticks, time_us
    return row


def empty_commands(count: int) -> Rows:
    """`count` COMMAND rows, all zero."""
    return np.zeros(count, dtype=COMMAND)
