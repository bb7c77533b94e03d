"""Matching: how an order that comes in trades, and what becomes of the rest of it.

Parts of the kernel that stands in applying.py.
"""

from sim.book.arrays import (
    BEST,
    INPUT_SEQ,
    LAST_PRICE,
    REDUCE_ONLY_COUNT,
    Book,
    Integers,
    Records,
)
from sim.book.events import (
    BUY,
    CANCELED,
    EXPIRED,
    FOK,
    FOK_UNFILLABLE,
    GTC,
    IOC_UNFILLED,
    MARKET,
    MARKET_LIQUIDITY_EXHAUSTED,
    NONE,
    PRICE_BAND,
    REDUCE_ONLY,
    REDUCE_ONLY_EXCESS,
    REDUCED,
    RESTED,
    SELF_TRADE_PREVENTION,
    write_about_command,
    write_trade,
)
from sim.book.fill_or_kill import fillable
from sim.book.levels import level_at
from sim.book.prefetch import prefetch_maker
from sim.book.queues import drop_order, find_account, open_account, rest_order, take_lots
from sim.book.reduce_only import (
    cut_plain,
    keep_reducing,
    reducible_lots,
    rests_too_much,
    room_lots,
)
from sim.book.rules import crosses, opposite_side, own_limit, within
from sim.rows.kernels import Number, called, inlined


@inlined
def trade(book: Book, events: Integers, command: Records, taker: int, slot: int, lots: int) -> None:
    """One trade at the maker's price: the event, positions, the level's sum, the maker's rest."""
    write_trade(book, events, command, slot, lots)
    maker = book.orders[slot]
    signed = lots if command.side == BUY else -lots
    book.accounts[taker].position_lots += signed
    book.accounts[maker.account].position_lots -= signed
    take_lots(book, slot, lots)
    book.state[LAST_PRICE] = maker.price_ticks


@inlined
def leave_when_filled(
    book: Book, events: Integers, command: Records, slot: int, account: int
) -> None:
    """After a trade, where no order is reduce-only or has terms."""
    if book.orders[slot].remaining_lots == 0:
        drop_order(book, slot)


@inlined
def leave_and_reduce(
    book: Book, events: Integers, command: Records, slot: int, account: int
) -> None:
    """After a trade, where orders are reduce-only and none has terms."""
    leave_when_filled(book, events, command, slot, account)
    keep_reducing(book, events, command.time_us, account, cut_plain)


@inlined
def stop_at_own(book: Book, events: Integers, command: Records, slot: int) -> Number:
    """An order ends where it would meet one of the same account."""
    return False


@inlined
def match(
    book: Book,
    events: Integers,
    command: Records,
    limit_ticks: int,
    wanted_lots: int,
    reducing: bool,
    after_trade: Number,
    cut: Number,
    pass_own: Number,
) -> Number:
    """Trade against the best orders, oldest first, within the limit; answers what is left.

    Stops before an order of the same account, unless that gives way. A maker's reduce-only orders
    are cut at once, for they may be met next; the taker's at the end, for they are not. Those of a
    book from before there were cuts may rest too much: then they are cut before they are met.

    after_trade   the part that follows a trade with an order of an account
    cut           the part that cuts an account's reduce-only orders
    pass_own      the part that meets an order of the same account; whether that has gone
    """
    taker = open_account(book, command.account_id)
    opposite = opposite_side(command.side)
    while wanted_lots > 0:
        price_ticks = book.state[BEST + opposite]
        if price_ticks == 0 or not within(price_ticks, limit_ticks, command.side):
            break
        slot = book.levels[level_at(book, price_ticks)].head
        maker = book.orders[slot]
        if maker.account == taker:
            if not pass_own(book, events, command, slot):
                break
            continue
        prefetch_maker(book, maker.next)
        owner = maker.account
        if reducing and maker.flags & REDUCE_ONLY and rests_too_much(book, owner):
            cut(book, events, command.time_us, owner)
            continue
        lots = min(maker.remaining_lots, wanted_lots)
        trade(book, events, command, taker, slot, lots)
        wanted_lots -= lots
        after_trade(book, events, command, slot, owner)
    if reducing:
        keep_reducing(book, events, command.time_us, taker, cut)
    return wanted_lots


@called
def match_reducing(
    book: Book, events: Integers, command: Records, limit_ticks: int, wanted: int
) -> Number:
    """The same where reduce-only orders rest, which the busiest path need not ask."""
    after = leave_and_reduce
    return match(book, events, command, limit_ticks, wanted, True, after, cut_plain, stop_at_own)


@inlined
def match_without_terms(
    book: Book, events: Integers, command: Records, limit_ticks: int, wanted: int
) -> Number:
    """The same where no order has terms."""
    if book.state[REDUCE_ONLY_COUNT] > 0:
        return match_reducing(book, events, command, limit_ticks, wanted)
    after = leave_when_filled
    return match(book, events, command, limit_ticks, wanted, False, after, cut_plain, stop_at_own)


@inlined
def why_unfilled(book: Book, command: Records) -> Number:
    """What stopped an order that does not rest, and that stands before none of its own."""
    if crosses(book, command.side, own_limit(command)):
        return PRICE_BAND
    return MARKET_LIQUIDITY_EXHAUSTED if command.order_type == MARKET else IOC_UNFILLED


@inlined
def come_to_rest(book: Book, events: Integers, command: Records, lots: int) -> None:
    """An order rests; a reduce-only one with what its account's others leave of the position."""
    if command.flags & REDUCE_ONLY:
        room = room_lots(book, find_account(book, command.account_id), command.side)
        if room <= 0:
            write_about_command(book, events, command, CANCELED, REDUCE_ONLY_EXCESS, lots)
            return
        if room < lots:
            excess = lots - room
            write_about_command(book, events, command, REDUCED, REDUCE_ONLY_EXCESS, excess)
            lots = room
    write_about_command(book, events, command, RESTED, NONE, lots)
    rest_order(book, command, lots, book.state[INPUT_SEQ])


@inlined
def settle_rest(
    book: Book, events: Integers, command: Records, limit_ticks: int, lots: int
) -> None:
    """What becomes of the part that found no maker: it rests, or ends with its reason.

    An order whose own limit lies beyond the band does not rest: it might be met there.
    """
    if crosses(book, command.side, limit_ticks):
        write_about_command(book, events, command, EXPIRED, SELF_TRADE_PREVENTION, lots)
    elif command.order_type == MARKET or command.time_in_force != GTC:
        reason = why_unfilled(book, command)
        write_about_command(book, events, command, EXPIRED, reason, lots)
    elif limit_ticks != command.price_ticks:
        write_about_command(book, events, command, CANCELED, PRICE_BAND, lots)
    else:
        come_to_rest(book, events, command, lots)


@inlined
def enter(
    book: Book, events: Integers, command: Records, limit_ticks: int, matching: Number
) -> Number:
    """An accepted order is matched and its rest settled; answers how many lots traded.

    A reduce-only order trades at most its position. When that is gone, the excess is canceled;
    while some of it is left, the whole rest is settled as one, and rests as far as it may.
    """
    wanted = command.quantity_lots
    if command.flags & REDUCE_ONLY:
        account = book.accounts[find_account(book, command.account_id)]
        wanted = min(wanted, reducible_lots(account.position_lots, command.side))
    excess = command.quantity_lots - wanted
    if command.time_in_force == FOK and (excess > 0 or not fillable(book, command, limit_ticks)):
        lots = command.quantity_lots
        write_about_command(book, events, command, EXPIRED, FOK_UNFILLABLE, lots)
        return 0
    rest = wanted
    if crosses(book, command.side, limit_ticks):
        rest = matching(book, events, command, limit_ticks, wanted)
    if rest > 0:
        settle_rest(book, events, command, limit_ticks, rest + excess)
    elif excess > 0:
        write_about_command(book, events, command, CANCELED, REDUCE_ONLY_EXCESS, excess)
    return wanted - rest
