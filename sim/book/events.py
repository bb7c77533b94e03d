"""The numbers of messages.py as the kernels see them, and the writing of EVENT rows.

Kernels write an EVENT as its words, see rows/columns.py, which is nine stores a row.
"""

from sim.book.arrays import EVENT_COUNT, EVENT_SEQ, INPUT_SEQ, Book, Integers, Records
from sim.rows.columns import (
    EVENT_ACCOUNT,
    EVENT_CAUSE,
    EVENT_CODES,
    EVENT_LOTS,
    EVENT_MAKER,
    EVENT_MAKER_ORDER,
    EVENT_NUMBER,
    EVENT_ORDER,
    EVENT_TIME,
    event_codes,
)
from sim.rows.kernels import called, inlined
from sim.rows.messages import (
    CommandKind,
    EventKind,
    MarketStatus,
    OrderFlag,
    OrderType,
    Reason,
    Side,
    TimeInForce,
)

BUY, SELL = (int(side) for side in Side)
PLACE, CANCEL, CANCEL_ALL, SET_STATUS, SET_MARK, TICK, AMEND = (int(kind) for kind in CommandKind)
REJECTED, RESTED, TRADE, CANCELED, CANCEL_REJECTED, EXPIRED, STATUS_CHANGED, REDUCED = (
    int(kind) for kind in list(EventKind)[:8]
)
WAITING, TRIGGERED, AMENDED, AMEND_REJECTED = (int(kind) for kind in list(EventKind)[8:])
ACTIVE, CANCEL_ONLY, HALTED = (int(status) for status in MarketStatus)
LIMIT, MARKET, TRAILING = int(OrderType.LIMIT), int(OrderType.MARKET), int(OrderType.TRAILING)
GTC, IOC, FOK = (int(time_in_force) for time_in_force in TimeInForce)
POST_ONLY, REDUCE_ONLY, FORCED, TRIGGER_ON_MARK, MAY_OPEN = (int(flag) for flag in OrderFlag)

NONE = int(Reason.NONE)
INVALID_COMMAND = int(Reason.INVALID_COMMAND)
MARKET_HALTED = int(Reason.MARKET_HALTED)
MARKET_CANCEL_ONLY = int(Reason.MARKET_CANCEL_ONLY)
INVALID_QUANTITY = int(Reason.INVALID_QUANTITY)
INVALID_PRICE = int(Reason.INVALID_PRICE)
POST_ONLY_REQUIRES_LIMIT_ORDER = int(Reason.POST_ONLY_REQUIRES_LIMIT_ORDER)
POST_ONLY_REQUIRES_GTC = int(Reason.POST_ONLY_REQUIRES_GTC)
DUPLICATE_ORDER_ID = int(Reason.DUPLICATE_ORDER_ID)
REDUCE_ONLY_WOULD_INCREASE = int(Reason.REDUCE_ONLY_WOULD_INCREASE)
POST_ONLY_WOULD_TAKE = int(Reason.POST_ONLY_WOULD_TAKE)
LINK_REFUSED = int(Reason.LINK_REFUSED)
TOO_MANY_TRAILING = int(Reason.TOO_MANY_TRAILING)
FOK_UNFILLABLE = int(Reason.FOK_UNFILLABLE)
SELF_TRADE_PREVENTION = int(Reason.SELF_TRADE_PREVENTION)
MARKET_LIQUIDITY_EXHAUSTED = int(Reason.MARKET_LIQUIDITY_EXHAUSTED)
IOC_UNFILLED = int(Reason.IOC_UNFILLED)
REDUCE_ONLY_EXCESS = int(Reason.REDUCE_ONLY_EXCESS)
REQUESTED = int(Reason.REQUESTED)
PRICE_BAND = int(Reason.PRICE_BAND)
TIME = int(Reason.TIME)
LINKED = int(Reason.LINKED)
DEAD_MANS_SWITCH = int(Reason.DEAD_MANS_SWITCH)
OPERATOR = int(Reason.OPERATOR)
ORDER_NOT_OPEN = int(Reason.ORDER_NOT_OPEN)
USER_MISMATCH = int(Reason.USER_MISMATCH)


@inlined
def write_event(
    book: Book,
    events: Integers,
    time_us: int,
    order_id: int,
    account_id: int,
    lots: int,
    codes: int,
) -> None:
    """One more EVENT row, maker columns 0. `codes` is what `event_codes` makes."""
    state = book.state
    row = state[EVENT_COUNT]
    state[EVENT_COUNT] = row + 1
    state[EVENT_SEQ] += 1
    events[row, EVENT_NUMBER] = state[EVENT_SEQ]
    events[row, EVENT_CAUSE] = state[INPUT_SEQ]
    events[row, EVENT_TIME] = time_us
    events[row, EVENT_ORDER] = order_id
    events[row, EVENT_ACCOUNT] = account_id
    events[row, EVENT_MAKER_ORDER] = 0
    events[row, EVENT_MAKER] = 0
    events[row, EVENT_LOTS] = lots
    events[row, EVENT_CODES] = codes


@inlined
def write_about_command(
    book: Book, events: Integers, command: Records, kind: int, reason: int, lots: int
) -> None:
    """An event that carries the command's own id, account, price, side and flags."""
    codes = event_codes(command.price_ticks, kind, reason, command.side, command.flags)
    write_event(book, events, command.time_us, command.order_id, command.account_id, lots, codes)


@inlined
def write_bare(
    book: Book, events: Integers, command: Records, kind: int, reason: int, lots: int
) -> None:
    """An event with the command's id and account, and no price, side or flags."""
    codes = event_codes(0, kind, reason, 0, 0)
    write_event(book, events, command.time_us, command.order_id, command.account_id, lots, codes)


@inlined
def write_about_order(
    book: Book, events: Integers, time_us: int, slot: int, kind: int, reason: int, lots: int
) -> None:
    """An event that carries a resting order's id, account, price, side and flags."""
    order = book.orders[slot]
    account_id = book.accounts[order.account].account_id
    codes = event_codes(order.price_ticks, kind, reason, order.side, order.flags)
    write_event(book, events, time_us, order.order_id, account_id, lots, codes)


@called
def tell_of_command(
    book: Book, events: Integers, command: Records, kind: int, reason: int, lots: int
) -> None:
    """`write_about_command` off the busiest path, where less code is worth more than a call."""
    write_about_command(book, events, command, kind, reason, lots)


@called
def tell_of_order(
    book: Book, events: Integers, time_us: int, slot: int, kind: int, reason: int, lots: int
) -> None:
    """`write_about_order` off the busiest path."""
    write_about_order(book, events, time_us, slot, kind, reason, lots)


@inlined
def write_canceled(book: Book, events: Integers, command: Records, slot: int, reason: int) -> None:
    """CANCELED for all that remains of a resting order."""
    lots = book.orders[slot].remaining_lots
    write_about_order(book, events, command.time_us, slot, CANCELED, reason, lots)


@inlined
def write_trade(book: Book, events: Integers, command: Records, slot: int, lots: int) -> None:
    """TRADE between the command's order and a resting one, at the resting one's price."""
    maker, row = book.orders[slot], book.state[EVENT_COUNT]
    codes = event_codes(maker.price_ticks, TRADE, NONE, command.side, command.flags)
    write_event(book, events, command.time_us, command.order_id, command.account_id, lots, codes)
    events[row, EVENT_MAKER_ORDER] = maker.order_id
    events[row, EVENT_MAKER] = book.accounts[maker.account].account_id
