"""The matching kernel: what COMMAND rows do to a book, and which EVENT rows they leave.

`run` works through a batch; the functions above it are its parts. It allocates
nothing: where room is short it stops before the row and says which room.
"""

from sim import price_band
from sim.book import arrays as book_arrays
from sim.book import events as event_rows
from sim.book import fill_or_kill as fill_counting
from sim.book import index as order_index
from sim.book import levels as price_levels
from sim.book import prefetch as book_prefetch
from sim.book import queues as book_parts
from sim.book import reduce_only as position_cuts
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
    REDUCED,
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
from sim.book.fill_or_kill import fillable
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
    take_lots,
)
from sim.book.reduce_only import cut_excess, reducible_lots, rests_too_much, room_lots
from sim.book.rules import (
    crosses,
    limit_price,
    move_band,
    opposite_side,
    own_limit,
    refusal,
    within,
)
from sim.rows import kernels, messages
from sim.rows.kernels import Number, cached_kernel, called, inlined

KERNEL_MODULES = (
    book_parts,
    book_arrays,
    book_prefetch,
    event_rows,
    fill_counting,
    kernels,
    messages,
    order_index,
    order_rules,
    position_cuts,
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
    take_lots(book, slot, lots)
    book.state[LAST_PRICE] = maker.price_ticks


@inlined
def keep_reducing(book: Book, events: Integers, time_us: int, account: int) -> None:
    """A position has changed: its reduce-only orders follow."""
    if rests_too_much(book, account):
        cut_excess(book, events, time_us, account)


@inlined
def match(
    book: Book,
    events: Integers,
    command: Records,
    limit_ticks: int,
    wanted_lots: int,
    reducing: bool,
) -> Number:
    """Trade against the best orders, oldest first, within the limit; answers what is left.

    Stops before an order of the same account. A maker's reduce-only orders are cut at once, for
    they may be met next; the taker's at the end, for they are not. Those of a book from before
    there were cuts may rest too much: then they are cut before they are met.
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
        owner = maker.account
        if reducing and maker.flags & REDUCE_ONLY and rests_too_much(book, owner):
            cut_excess(book, events, command.time_us, owner)
            continue
        lots = min(maker.remaining_lots, wanted_lots)
        trade(book, events, command, taker, slot, lots)
        wanted_lots -= lots
        if maker.remaining_lots == 0:
            drop_order(book, slot)
        if reducing:
            keep_reducing(book, events, command.time_us, owner)
    if reducing:
        keep_reducing(book, events, command.time_us, taker)
    return wanted_lots


@called
def match_reducing(
    book: Book, events: Integers, command: Records, limit_ticks: int, wanted_lots: int
) -> Number:
    """The same where reduce-only orders rest, which the busiest path need not ask."""
    return match(book, events, command, limit_ticks, wanted_lots, True)


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
def place(book: Book, events: Integers, command: Records) -> None:
    """An order comes in: rejected, or matched and its rest settled.

    A reduce-only order trades at most its position. When that is gone, the excess is canceled;
    while some of it is left, the whole rest is settled as one, and rests as far as it may.
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
        if book.state[REDUCE_ONLY_COUNT] > 0:
            rest = match_reducing(book, events, command, limit_ticks, wanted)
        else:
            rest = match(book, events, command, limit_ticks, wanted, False)
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

    Every maker that trades gives at least one lot. Before and after its trade one reduce-only
    order may lose a part, and each may leave once; then the taker's, and what becomes of its rest.
    """
    if command.kind == CANCEL_ALL:
        return 1 + book.accounts[find_account(book, command.account_id)].order_count
    if command.kind != PLACE:
        return 1
    trades = min(max(0, command.quantity_lots), book.state[ORDER_LIVE])
    reduce_only = book.state[REDUCE_ONLY_COUNT]
    return 2 + trades if reduce_only == 0 else 3 + 3 * trades + reduce_only


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


@cached_kernel(*KERNEL_MODULES)
def transfer(
    book: Book, events: Integers, giver_id: int, taker_id: int, signed_lots: int, time_us: int
) -> None:
    """Lots move from one position to another without an order; both accounts are known here.

    events (m, 9) as for `run`, with room for each reduce-only order and two more.
    """
    giver, taker = find_account(book, giver_id), find_account(book, taker_id)
    book.accounts[giver].position_lots -= signed_lots
    book.accounts[taker].position_lots += signed_lots
    keep_reducing(book, events, time_us, giver)
    keep_reducing(book, events, time_us, taker)
