"""The kernel of a market: what COMMAND rows do to a book, and which EVENT rows they leave.

`run` works through a batch; the functions above it are its parts. It allocates
nothing: where room is short it stops before the row and says which room.
"""

from sim import price_band
from sim.book import arrays as book_arrays
from sim.book import events as event_rows
from sim.book import fill_or_kill as fill_counting
from sim.book import index as order_index
from sim.book import levels as price_levels
from sim.book import matching as order_matching
from sim.book import prefetch as book_prefetch
from sim.book import queues as book_parts
from sim.book import reduce_only as position_cuts
from sim.book import rules as order_rules
from sim.book.arrays import (
    CURSOR,
    EVENT_COUNT,
    EVENTS_WANTED,
    INPUT_SEQ,
    ORDER_LIVE,
    REDUCE_ONLY_COUNT,
    STATUS,
    TERMS_LIVE,
    Book,
    Integers,
    Records,
)
from sim.book.events import (
    ACTIVE,
    CANCEL,
    CANCEL_ALL,
    CANCEL_REJECTED,
    DEAD_MANS_SWITCH,
    HALTED,
    INVALID_COMMAND,
    MARKET_HALTED,
    NONE,
    OPERATOR,
    ORDER_NOT_OPEN,
    PLACE,
    REJECTED,
    REQUESTED,
    SET_MARK,
    SET_STATUS,
    STATUS_CHANGED,
    TICK,
    USER_MISMATCH,
    write_about_command,
    write_bare,
    write_canceled,
)
from sim.book.matching import enter, match_without_terms
from sim.book.prefetch import LARGE_BOOK_ROWS, look_ahead
from sim.book.queues import (
    DONE,
    EVENTS_FULL,
    WITH_TERMS,
    drop_order,
    find_account,
    find_order,
    shortage,
)
from sim.book.reduce_only import cut_plain, keep_reducing
from sim.book.rules import asks_for_terms, limit_price, move_band, refusal
from sim.rows import columns, kernels, messages
from sim.rows.kernels import Number, cached_kernel, inlined

KERNEL_MODULES = (
    book_parts,
    book_arrays,
    book_prefetch,
    columns,
    event_rows,
    fill_counting,
    kernels,
    messages,
    order_index,
    order_matching,
    order_rules,
    position_cuts,
    price_band,
    price_levels,
)


@inlined
def place(book: Book, events: Integers, command: Records) -> None:
    """An order comes in: rejected, or matched and its rest settled."""
    limit_ticks = limit_price(book, command)
    reason = refusal(book, command, limit_ticks)
    if reason != NONE:
        write_about_command(book, events, command, REJECTED, reason, command.quantity_lots)
    else:
        enter(book, events, command, limit_ticks, match_without_terms)


@inlined
def asked_by(command: Records) -> Number:
    """The reason of what a CANCEL or CANCEL_ALL ends."""
    if command.reason == DEAD_MANS_SWITCH or command.reason == OPERATOR:
        return command.reason
    return REQUESTED


@inlined
def cancel(book: Book, events: Integers, command: Records, drop: Number) -> None:
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
        drop(book, slot)


@inlined
def cancel_all(book: Book, events: Integers, command: Records, drop: Number) -> None:
    """All orders of an account are taken back, in order of acceptance."""
    if book.state[STATUS] == HALTED:
        write_bare(book, events, command, CANCEL_REJECTED, MARKET_HALTED, 0)
        return
    account = book.accounts[find_account(book, command.account_id)]
    while account.head != 0:
        slot = account.head
        write_canceled(book, events, command, slot, asked_by(command))
        drop(book, slot)


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
def apply_other(book: Book, events: Integers, command: Records, drop: Number) -> None:
    """One COMMAND row of a kind that brings no order. `drop` is the part that takes one out."""
    if command.kind == CANCEL:
        cancel(book, events, command, drop)
    elif command.kind == CANCEL_ALL:
        cancel_all(book, events, command, drop)
    elif command.kind == SET_STATUS:
        set_status(book, events, command)
    elif command.kind == SET_MARK:
        set_mark(book, events, command)
    elif command.kind != TICK:
        lots = command.quantity_lots
        write_about_command(book, events, command, REJECTED, INVALID_COMMAND, lots)


@inlined
def apply_row(book: Book, events: Integers, command: Records) -> None:
    """One COMMAND row of whatever kind but AMEND."""
    book.state[INPUT_SEQ] += 1
    if command.kind == PLACE:
        place(book, events, command)
    else:
        apply_other(book, events, command, drop_order)


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

    commands (n,) COMMAND; events (m, EVENT_WORDS) int64, written from state[EVENT_COUNT] on.
    Answers DONE, or what must grow before the row at CURSOR; or WITH_TERMS where that row, or an
    order of the book, has terms: see watching.py.
    """
    state = book.state
    large = max(len(book.orders), len(book.accounts)) > LARGE_BOOK_ROWS
    while state[CURSOR] < len(commands):
        command = commands[state[CURSOR]]
        if state[TERMS_LIVE] > 0 or asks_for_terms(command):
            return WITH_TERMS
        short = room(book, events, command)
        if short != DONE:
            return short
        if large:
            look_ahead(book, commands, state[CURSOR])
        apply_row(book, events, command)
        state[CURSOR] += 1
    return DONE


@inlined
def move_lots(
    book: Book,
    events: Integers,
    giver_id: int,
    taker_id: int,
    signed_lots: int,
    time_us: int,
    cut: Number,
) -> None:
    """Lots move from one position to another without an order; both accounts are known here."""
    giver, taker = find_account(book, giver_id), find_account(book, taker_id)
    book.accounts[giver].position_lots -= signed_lots
    book.accounts[taker].position_lots += signed_lots
    keep_reducing(book, events, time_us, giver, cut)
    keep_reducing(book, events, time_us, taker, cut)


@cached_kernel(*KERNEL_MODULES)
def transfer(
    book: Book, events: Integers, giver_id: int, taker_id: int, signed_lots: int, time_us: int
) -> None:
    """`move_lots` in a book in which no order has terms.

    events (m, EVENT_WORDS) as for `run`, with room for each reduce-only order and two more.
    """
    move_lots(book, events, giver_id, taker_id, signed_lots, time_us, cut_plain)
