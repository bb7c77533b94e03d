"""When an order is refused, and how far it may trade.

Parts of the matching kernel that read the book and change nothing.
"""

from sim.book.arrays import (
    BEST,
    HIGHEST_PRICE_TICKS,
    HIGHEST_PURCHASE,
    LOWEST_SALE,
    MARK,
    MAX_PRICE,
    MAX_QUANTITY,
    MIN_QUANTITY,
    PRICE_BAND_PPM,
    STATUS,
    Book,
    Integers,
    Records,
)
from sim.book.events import (
    ACTIVE,
    AMEND,
    BUY,
    DUPLICATE_ORDER_ID,
    FOK,
    FORCED,
    GTC,
    HALTED,
    INVALID_COMMAND,
    INVALID_PRICE,
    INVALID_QUANTITY,
    LIMIT,
    MARKET,
    MARKET_CANCEL_ONLY,
    MARKET_HALTED,
    NONE,
    POST_ONLY,
    POST_ONLY_REQUIRES_GTC,
    POST_ONLY_REQUIRES_LIMIT_ORDER,
    POST_ONLY_WOULD_TAKE,
    REDUCE_ONLY,
    REDUCE_ONLY_WOULD_INCREASE,
    SELL,
)
from sim.book.queues import find_account, find_order
from sim.book.reduce_only import reducible_lots
from sim.price_band import highest_purchase_ticks, lowest_sale_ticks
from sim.rows.kernels import Number, inlined, rule


@rule
def move_band(state: Integers, mark_ticks: int) -> None:
    """The band lies around this mark from here on."""
    state[MARK] = mark_ticks
    state[HIGHEST_PURCHASE] = highest_purchase_ticks(mark_ticks, state[PRICE_BAND_PPM])
    state[LOWEST_SALE] = lowest_sale_ticks(mark_ticks, state[PRICE_BAND_PPM])


@inlined
def opposite_side(side: int) -> Number:
    return 3 - side


@inlined
def own_limit(command: Records) -> Number:
    """The worst price an order itself would trade at; a MARKET order's 0 means any."""
    price_ticks = command.price_ticks
    if command.order_type == MARKET and price_ticks == 0 and command.side == BUY:
        return HIGHEST_PRICE_TICKS
    return price_ticks


@inlined
def within(price_ticks: int, limit_ticks: int, side: int) -> Number:
    """Whether an order of `side` with this limit may trade at a price."""
    return price_ticks <= limit_ticks if side == BUY else price_ticks >= limit_ticks


@inlined
def limit_price(book: Book, command: Records) -> Number:
    """The worst price an order may trade at: its own limit, and never beyond the price band.

    Most limits lie within it: to find that needs no look at the side, which nobody can foretell.
    """
    limit_ticks = own_limit(command)
    if book.state[LOWEST_SALE] <= limit_ticks <= book.state[HIGHEST_PURCHASE]:
        return limit_ticks
    if command.side == BUY:
        return min(limit_ticks, book.state[HIGHEST_PURCHASE])
    return max(limit_ticks, book.state[LOWEST_SALE])


@inlined
def crosses(book: Book, side: int, limit_ticks: int) -> Number:
    """Whether an order of `side` with this limit would meet the best opposite price."""
    best = book.state[BEST + opposite_side(side)]
    return best != 0 and within(best, limit_ticks, side)


@inlined
def malformed(command: Records) -> Number:
    """A PLACE that says something this engine has no word for."""
    return (
        command.order_id == 0
        or command.side < BUY
        or command.side > SELL
        or command.order_type < LIMIT
        or command.order_type > MARKET
        or command.time_in_force < GTC
        or command.time_in_force > FOK
        or command.flags > POST_ONLY | REDUCE_ONLY | FORCED
    )


@inlined
def asks_for_terms(command: Records) -> Number:
    """Whether a row is for the kernel that knows terms."""
    return has_terms(command) or command.kind == AMEND


@inlined
def has_terms(command: Records) -> Number:
    """Whether a PLACE waits, ends at a time or is linked, or only says so."""
    terms = command.expires_us | command.link_id | command.trigger_ticks
    return terms != 0 or command.order_type > MARKET


@inlined
def flag_refusal(book: Book, command: Records, limit_ticks: int, is_limit: bool) -> Number:
    """The reasons from POST_ONLY_REQUIRES_LIMIT_ORDER on, which need the flags or the book."""
    post_only = (command.flags & POST_ONLY) != 0
    if post_only and not is_limit:
        return POST_ONLY_REQUIRES_LIMIT_ORDER
    if post_only and command.time_in_force != GTC:
        return POST_ONLY_REQUIRES_GTC
    if find_order(book, command.order_id) != 0:
        return DUPLICATE_ORDER_ID
    if command.flags & REDUCE_ONLY:
        account = book.accounts[find_account(book, command.account_id)]
        if reducible_lots(account.position_lots, command.side) == 0:
            return REDUCE_ONLY_WOULD_INCREASE
    if post_only and crosses(book, command.side, limit_ticks):
        return POST_ONLY_WOULD_TAKE
    return NONE


@inlined
def least_lots(book: Book, command: Records) -> Number:
    """What may be ordered at least. A position that is smaller can still be closed."""
    return 1 if command.flags & REDUCE_ONLY else book.state[MIN_QUANTITY]


@inlined
def closed(book: Book) -> Number:
    """Why a market takes no orders; NONE where it does."""
    if book.state[STATUS] == ACTIVE:
        return NONE
    return MARKET_HALTED if book.state[STATUS] == HALTED else MARKET_CANCEL_ONLY


@inlined
def value_refusal(book: Book, command: Records, is_limit: bool) -> Number:
    """INVALID_QUANTITY, INVALID_PRICE, or NONE."""
    if command.quantity_lots < least_lots(book, command):
        return INVALID_QUANTITY
    if command.quantity_lots > book.state[MAX_QUANTITY]:
        return INVALID_QUANTITY
    if command.price_ticks < (1 if is_limit else 0):
        return INVALID_PRICE
    return INVALID_PRICE if command.price_ticks > book.state[MAX_PRICE] else NONE


@inlined
def refusal(book: Book, command: Records, limit_ticks: int) -> Number:
    """The first reason, in the order of Reason, to reject a PLACE; NONE to accept it."""
    if malformed(command):
        return INVALID_COMMAND
    reason = closed(book)
    if reason != NONE:
        return reason
    is_limit = command.order_type == LIMIT
    reason = value_refusal(book, command, is_limit)
    if reason != NONE:
        return reason
    return flag_refusal(book, command, limit_ticks, is_limit)
