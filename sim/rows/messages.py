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
    TICK = 6
    AMEND = 7


class EventKind(IntEnum):
    """What an EVENT row says has happened.

    An accepted order has no event of its own: its first TRADE, RESTED, WAITING or
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
    WAITING = 9
    TRIGGERED = 10
    AMENDED = 11
    AMEND_REJECTED = 12


class Side(IntEnum):
    """Direction of an order; of a TRADE event, the taker's."""

    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    """LIMIT has a price; MARKET has a hard execution limit in the same field.

    The others wait for their trigger, and become LIMIT where their name says so, MARKET elsewhere.
    A stop of a BUY triggers at or above its price, of a SELL at or below; a TAKE_PROFIT the other
    way round. A TRAILING stop's price follows the best one since it came, at a distance.
    """

    LIMIT = 1
    MARKET = 2
    STOP = 3
    STOP_LIMIT = 4
    TAKE_PROFIT = 5
    TAKE_PROFIT_LIMIT = 6
    TRAILING = 7


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

    TRIGGER_ON_MARK: the order waits for mark, not for the last trade.
    MAY_OPEN is a wish of an AMEND and no order's: see COMMAND.
    FORCED marks an order that closes a position by force, for whoever keeps account of it: the
    engine carries the bit and gives it no meaning. No client can set it.
    """

    POST_ONLY = 1
    REDUCE_ONLY = 2
    FORCED = 4
    TRIGGER_ON_MARK = 8
    MAY_OPEN = 16


class Reason(IntEnum):
    """Why an event says no or ends an order. NONE where nothing is refused.

    The order of the members from INVALID_COMMAND to TOO_MANY_TRAILING is the
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
    LINK_REFUSED = 11
    TOO_MANY_TRAILING = 12
    FOK_UNFILLABLE = 19
    SELF_TRADE_PREVENTION = 20
    MARKET_LIQUIDITY_EXHAUSTED = 21
    IOC_UNFILLED = 22
    REDUCE_ONLY_EXCESS = 23
    REQUESTED = 24
    PRICE_BAND = 25
    TIME = 26
    LINKED = 27
    DEAD_MANS_SWITCH = 28
    OPERATOR = 29
    ORDER_NOT_OPEN = 30
    USER_MISMATCH = 31


TRIGGERED_A_ROW_MAX = 100
"""Orders that one row triggers, in a cascade or at once; the others follow behind later rows."""

EXPIRED_A_ROW_MAX = 1_000
"""Orders whose time has come that end before one row; the others before later ones."""

TRAILING_ORDERS_MAX = 1_000
"""In one market: each is looked at whenever the price moves that it follows."""

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
        ("trigger_ticks", "<i4"),
        ("expires_us", "<i8"),
        ("link_id", "<i8"),
    ]
)
"""One request to a market, 72 bytes. How it was laid out before, see layouts.py.

command_seq     number in the market's total order of client commands; 0 in a strategy's row
time_us         when it was sequenced (live) or arrives (simulation), microseconds
order_id        not 0; positive from clients, negative from strategies; the order that CANCEL and
                AMEND mean
account_id      who asks; whose orders CANCEL_ALL means
price_ticks     LIMIT: the limit. MARKET: the worst price it may trade at, 0 for no limit.
                SET_MARK: the mark from here on, above 0; it leaves no event.
                AMEND: the new price, 0 for the one it has
quantity_lots   AMEND: how many more are to be left of the order, below 0 how many fewer: so what
                trades before it comes does not change what the order is for
trigger_ticks   an order that waits: its trigger price; TRAILING: the distance. AMEND: the same
                anew, 0 for what it has
expires_us      an order that stands, GTC or waiting: it ends before the first row of that time or
                later; 0 for never
link_id         an order that stands: of the first of two its own id, of the second the first's;
                a fill or the trigger of one cancels the other. 0 for none
flags           PLACE: the order's. AMEND: where the order leaves its place, MAY_OPEN: it is not
                reduce-only from then on; REDUCE_ONLY: it is; 0: as it was
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
input_seq       the cause: the how-many-th row the market ever applied, from clients or strategies;
                an order that is TRIGGERED counts as a row of its own, behind the one that did it
time_us         the cause's time
order_id        the order it is about; of a TRADE, the taker's
account_id      its account; of a TRADE, the taker's
maker_order_id, maker_account_id   of a TRADE; 0 elsewhere
quantity_lots   REJECTED: ordered. RESTED: what rests. TRADE: what traded.
                CANCELED, EXPIRED: what was left unfilled. STATUS_CHANGED: the new status.
                REDUCED: what a resting or incoming order lost, which goes on with the rest.
                WAITING, TRIGGERED: what waits, waited. AMENDED: what is left from here on
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


def tick_row(time_us: int) -> Rows:
    """One TICK row: it does nothing, but what is due at its time happens with it."""
    row = empty_commands(1)
    row["kind"], row["time_us"] = CommandKind.TICK, time_us
    return row


def empty_commands(count: int) -> Rows:
    """`count` COMMAND rows, all zero."""
    return np.zeros(count, dtype=COMMAND)
