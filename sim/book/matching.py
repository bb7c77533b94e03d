"""The matching kernel: what COMMAND rows do to a book, and which EVENT rows they leave.

`run` works through a batch; the functions above it are its parts. It allocates
nothing: where room is short it stops before the row and says which room.
"""

from sim import price_band
from sim.book import arrays as book_arrays
from sim.book import events as event_rows
from sim.book import index as order_index
from sim.book import levels as price_levels
from sim.book import prefetch as book_prefetch
from sim.book import queues as book_parts
from sim.book import rules as order_rules
from sim.book.arrays import (
    BEST,
    CURSOR,
    EVENT_COUNT,
    EVENTS_WANTED,
    INPUT_SEQ,
    LAST_PRICE,
    ORDER_LIVE,
    REDUCE_ONLY_COUNT,
    STATUS,
    Book,
    Integers,
    Records,
)
from sim.book.events import (
    ACTIVE,
    BUY,
    CANCEL,
    CANCEL_ALL,
    CANCEL_REJECTED,
    CANCELED,
    DEAD_MANS_SWITCH,
    EXPIRED,
    FOK,
    FOK_UNFILLABLE,
    GTC,
    HALTED,
    INVALID_COMMAND,
    IOC_UNFILLED,
    MARKET,
    MARKET_HALTED,
    MARKET_LIQUIDITY_EXHAUSTED,
    NONE,
    OPERATOR,
    ORDER_NOT_OPEN,
    PLACE,
    PRICE_BAND,
    REDUCE_ONLY,
    REDUCE_ONLY_EXCESS,
    REJECTED,
    REQUESTED,
    RESTED,
    SELF_TRADE_PREVENTION,
    SET_MARK,
    SET_STATUS,
    STATUS_CHANGED,
    USER_MISMATCH,
    write_about_command,
    write_bare,
    write_canceled,
    write_trade,
)
from sim.book.levels import level_at
from sim.book.prefetch import LARGE_BOOK_ROWS, look_ahead, prefetch_maker
from sim.book.queues import (
    DONE,
    EVENTS_FULL,
    drop_order,
    find_account,
    find_order,
    open_account,
    rest_order,
    shortage,
)
from sim.book.rules import (
    crosses,
    fillable,
    limit_price,
    move_band,
    opposite_side,
    own_limit,
    reducible_lots,
    refusal,
    within,
)
from sim.rows import kernels, messages
from sim.rows.kernels import Number, cached_kernel, inlined

KERNEL_MODULES = (
    book_parts,
    book_arrays,
    book_prefetch,
    event_rows,
    kernels,
    messages,
    order_index,
    order_rules,
    price_band,
    price_levels,
)


@inlined
def trade(book: Book, events: Integers, command: Records, taker: int, slot: int, lots: int) -> None:
    """One trade at the maker's price: the event, positions, the level's sum, the maker's rest."""
    write_trade(book, events, command, slot, lots)
    maker = book.orders[slot]
    signed = lots if command.side == BUY else -lots
    book.accounts[taker].position_lots += signed
    book.accounts[maker.account].position_lots -= signed
    book.levels[maker.level].quantity_lots -= lots
    if maker.flags & REDUCE_ONLY:
        book.levels[maker.level].reduce_only_lots -= lots
    maker.remaining_lots -= lots
    book.state[LAST_PRICE] = maker.price_ticks


@inlined
def match(
    book: Book, events: Integers, command: Records, limit_ticks: int, wanted_lots: int
) -> Number:
    """Trade against the best orders, oldest first, within the limit; answers what is left.

    Stops before an order of the same account. A reduce-only maker gives at most
    what its position allows, and is canceled when it is asked for more.
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
            break
        prefetch_maker(book, maker.next)
        offered = maker.remaining_lots
        if maker.flags & REDUCE_ONLY:
            position_lots = book.accounts[maker.account].position_lots
            offered = min(offered, reducible_lots(position_lots, opposite))
        lots = min(offered, wanted_lots)
        if lots > 0:
            trade(book, events, command, taker, slot, lots)
            wanted_lots -= lots
        if maker.remaining_lots > 0:
            if wanted_lots == 0:
                break
            write_canceled(book, events, command, slot, REDUCE_ONLY_EXCESS)
        drop_order(book, slot)
    return wanted_lots


@inlined
def why_unfilled(book: Book, command: Records) -> Number:
    """What stopped an order that does not rest, and that stands before none of its own."""
    if crosses(book, command.side, own_limit(command)):
        return PRICE_BAND
    return MARKET_LIQUIDITY_EXHAUSTED if command.order_type == MARKET else IOC_UNFILLED


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
        write_about_command(book, events, command, RESTED, NONE, lots)
        rest_order(book, command, lots, book.state[INPUT_SEQ])


@inlined
def place(book: Book, events: Integers, command: Records) -> None:
    """An order comes in: rejected, or matched and its rest settled.

    A reduce-only order trades at most its position. When that is gone, the excess is
    canceled; while some of it is left, the whole rest is settled as one.
    """
    limit_ticks = limit_price(book, command)
    reason = refusal(book, command, limit_ticks)
    if reason != NONE:
        write_about_command(book, events, command, REJECTED, reason, command.quantity_lots)
        return
    wanted = command.quantity_lots
    if command.flags & REDUCE_ONLY:
        account = book.accounts[find_account(book, command.account_id)]
        wanted = min(wanted, reducible_lots(account.position_lots, command.side))
    excess = command.quantity_lots - wanted
    if command.time_in_force == FOK and (excess > 0 or not fillable(book, command, limit_ticks)):
        lots = command.quantity_lots
        write_about_command(book, events, command, EXPIRED, FOK_UNFILLABLE, lots)
        return
    rest = wanted
    if crosses(book, command.side, limit_ticks):
        rest = match(book, events, command, limit_ticks, wanted)
    if rest > 0:
        settle_rest(book, events, command, limit_ticks, rest + excess)
    elif excess > 0:
        write_about_command(book, events, command, CANCELED, REDUCE_ONLY_EXCESS, excess)


@inlined
def asked_by(command: Records) -> Number:
    """The reason of what a CANCEL or CANCEL_ALL ends."""
    if command.reason == DEAD_MANS_SWITCH or command.reason == OPERATOR:
        return command.reason
    return REQUESTED


@inlined
def cancel(book: Book, events: Integers, command: Records) -> None:
    """One order is taken back by its account, unless the market is halted."""
    slot = find_order(book, command.order_id)
    if book.state[STATUS] == HALTED:
        write_bare(book, events, command, CANCEL_REJECTED, MARKET_HALTED, 0)
    elif slot == 0:
        write_bare(book, events, command, CANCEL_REJECTED, ORDER_NOT_OPEN, 0)
    elif book.accounts[book.orders[slot].account].account_id != command.account_id:
        write_bare(book, events, command, CANCEL_REJECTED, USER_MISMATCH, 0)
    else:
        write_canceled(book, events, command, slot, asked_by(command))
        drop_order(book, slot)


@inlined
def cancel_all(book: Book, events: Integers, command: Records) -> None:
    """All resting orders of an account are taken back, in order of acceptance."""
    if book.state[STATUS] == HALTED:
        write_bare(book, events, command, CANCEL_REJECTED, MARKET_HALTED, 0)
        return
    account = book.accounts[find_account(book, command.account_id)]
    while account.head != 0:
        slot = account.head
        write_canceled(book, events, command, slot, asked_by(command))
        drop_order(book, slot)


@inlined
def set_status(book: Book, events: Integers, command: Records) -> None:
    """The market takes a status. A number that is no status is an invalid command."""
    if command.status < ACTIVE or command.status > HALTED:
        lots = command.quantity_lots
        write_about_command(book, events, command, REJECTED, INVALID_COMMAND, lots)
        return
    book.state[STATUS] = command.status
    write_bare(book, events, command, STATUS_CHANGED, NONE, command.status)


@inlined
def set_mark(book: Book, events: Integers, command: Records) -> None:
    """The market is told mark, which is no event of its own. No price is an invalid command."""
    if command.price_ticks <= 0:
        lots = command.quantity_lots
        write_about_command(book, events, command, REJECTED, INVALID_COMMAND, lots)
        return
    move_band(book.state, command.price_ticks)


@inlined
def apply_row(book: Book, events: Integers, command: Records) -> None:
    """One COMMAND row of whatever kind."""
    book.state[INPUT_SEQ] += 1
    if command.kind == CANCEL:
        cancel(book, events, command)
    elif command.kind == PLACE:
        place(book, events, command)
    elif command.kind == CANCEL_ALL:
        cancel_all(book, events, command)
    elif command.kind == SET_STATUS:
        set_status(book, events, command)
    elif command.kind == SET_MARK:
        set_mark(book, events, command)
    else:
        lots = command.quantity_lots
        write_about_command(book, events, command, REJECTED, INVALID_COMMAND, lots)


@inlined
def events_wanted(book: Book, command: Records) -> Number:
    """An upper bound of the events one row can cause.

    A maker is met at most twice (a trade, a cancellation), and every maker but the
    reduce-only ones gives at least one lot.
    """
    if command.kind == CANCEL_ALL:
        return 1 + book.accounts[find_account(book, command.account_id)].order_count
    if command.kind != PLACE:
        return 1
    makers = max(0, command.quantity_lots) + book.state[REDUCE_ONLY_COUNT]
    return 3 + 2 * min(makers, book.state[ORDER_LIVE])


@inlined
def room(book: Book, events: Integers, command: Records) -> Number:
    """What must grow before this row can be applied; DONE when nothing."""
    wanted = events_wanted(book, command)
    if book.state[EVENT_COUNT] + wanted > len(events):
        book.state[EVENTS_WANTED] = wanted
        return EVENTS_FULL
    return shortage(book)


@cached_kernel(*KERNEL_MODULES)
def run(book: Book, commands: Records, events: Integers) -> Number:
    """Apply rows from state[CURSOR] on.

    commands (n,) COMMAND; events (m, 9) int64, the words of EVENT rows, written from
    state[EVENT_COUNT] on. Answers DONE, or what must grow before the row at CURSOR.
    """
    state = book.state
    large = max(len(book.orders), len(book.accounts)) > LARGE_BOOK_ROWS
    while state[CURSOR] < len(commands):
        command = commands[state[CURSOR]]
        short = room(book, events, command)
        if short != DONE:
            return short
        if large:
            look_ahead(book, commands, state[CURSOR])
        apply_row(book, events, command)
        state[CURSOR] += 1
    return DONE
