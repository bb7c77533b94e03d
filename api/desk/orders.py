"""Placing an order: from what a client wrote to a PlaceOrder on its market's grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from api.desk.on_grid import impossible, not_valid, on_grid
from api.desk.order_terms import TermsWish, called, checked_terms, words_of
from sim.market import MarketSpec
from sim.orders import PlaceOrder, Terms
from sim.refusals import Name, Refusal, Refused
from sim.rows.messages import OrderType, Side, TimeInForce
from sim.rows.order_types import LIMIT, type_when_triggered
from storage.intake.accept_request import OrderRequest
from storage.intake.idempotency import Asked
from storage.reading.market_data import ListedMarket, MarketCatalog

BODY_HASH_BYTES = 16
BATCH_ROUTE = "orders/batch"
NOTHING_LENT = f"orders are paid in full and have no {Name.LEVERAGE}; leave it out"
NOTHING_TO_REDUCE = f"it has no positions to reduce; leave {Name.REDUCE_ONLY} out"
NO_MARKET = f"No such market; {Name.LIST_MARKETS} lists them"


@dataclass(frozen=True)
class OrderWish:
    """An order in a client's words: decimal text, names. None is not given."""

    market_id: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce | None
    quantity: str
    price: str | None
    leverage: int | None
    reduce_only: bool
    post_only: bool
    client_order_id: str | None
    terms: TermsWish


@dataclass(frozen=True)
class Unreadable:
    """What stands in the place of an order: as it was sent, and why it is none."""

    sent: str
    refused: Refused


async def find_market(markets: MarketCatalog, market_id: str) -> ListedMarket:
    """The market, or Refused MARKET_NOT_FOUND."""
    market = await markets.find(market_id)
    if market is None:
        raise no_such_market()
    return market


def no_such_market() -> Refused:
    """The refusal of a market's name that is none."""
    return Refused(Refusal.MARKET_NOT_FOUND, NO_MARKET, {"field": Name.MARKET_ID})


async def build_order(markets: MarketCatalog, account_id: int, wish: OrderWish) -> PlaceOrder:
    """The order, legal in its market. Raises Refused MARKET_NOT_FOUND or INVALID_ORDER.

    What changes from moment to moment, money and the market's status, is checked
    when the order is accepted: a repetition must get the first order back even
    where a new one would be refused by now.
    """
    market = await find_market(markets, wish.market_id)
    spec = market.spec
    time_in_force = checked_time_in_force(wish)
    quantity_lots = on_grid(
        Name.QUANTITY, wish.quantity, spec.lot_size, spec.min_quantity_lots, spec.max_quantity_lots
    )
    price_ticks = checked_price(wish, spec)
    terms = checked_terms(wish.order_type, time_in_force, wish.terms, spec)
    check_leverage(wish.leverage, spec)
    if wish.reduce_only and spec.is_spot:
        raise impossible(
            Name.REDUCE_ONLY, f"{spec.market_id} is a spot market: {NOTHING_TO_REDUCE}"
        )
    return PlaceOrder(
        account_id=account_id,
        spec=spec,
        side=wish.side,
        order_type=wish.order_type,
        time_in_force=time_in_force,
        quantity_lots=quantity_lots,
        price_ticks=price_ticks,
        leverage=wish.leverage,
        reduce_only=wish.reduce_only,
        post_only=wish.post_only,
        client_order_id=wish.client_order_id,
        body_hash=body_hash(wish, time_in_force, quantity_lots, price_ticks, spec, terms),
        terms=terms,
    )


async def build_batch(
    markets: MarketCatalog,
    whose: tuple[int, int],
    wishes: Sequence[OrderWish | Unreadable],
    key: str | None,
) -> OrderRequest:
    """Several orders of one request; what is not legal stands in it as refused.

    whose   the account and the user who asks
    """
    account_id, asker = whose
    entries = [await entry_of(markets, account_id, wish) for wish in wishes]
    meaning = blake2b(digest_size=BODY_HASH_BYTES)
    for wish, entry in zip(wishes, entries, strict=True):
        if isinstance(entry, PlaceOrder):
            meaning.update(entry.body_hash)
        else:
            meaning.update(repr(wish).encode())
    asked = Asked(account_id, BATCH_ROUTE, meaning.digest(), key, asker)
    return OrderRequest(asked, tuple(entries), is_single=False)


async def entry_of(
    markets: MarketCatalog, account_id: int, wish: OrderWish | Unreadable
) -> PlaceOrder | Refused:
    """One order of a batch, or why it is none."""
    if isinstance(wish, Unreadable):
        return wish.refused
    try:
        return await build_order(markets, account_id, wish)
    except Refused as refused:
        return refused


def checked_time_in_force(wish: OrderWish) -> TimeInForce:
    """GTC unless said otherwise; a MARKET order never rests, so for it IOC."""
    is_market = wish.order_type == OrderType.MARKET
    if wish.post_only and type_when_triggered(wish.order_type) != LIMIT:
        raise impossible(Name.POST_ONLY, f"{Name.POST_ONLY} needs a LIMIT order")
    if wish.time_in_force is None:
        return TimeInForce.IOC if is_market else TimeInForce.GTC
    if wish.post_only and wish.time_in_force != TimeInForce.GTC:
        raise impossible(Name.POST_ONLY, f"{Name.POST_ONLY} needs {Name.TIME_IN_FORCE} GTC or GTD")
    return wish.time_in_force


def checked_price(wish: OrderWish, spec: MarketSpec) -> int:
    """The limit in ticks; 0 for what is or becomes a MARKET order."""
    if type_when_triggered(wish.order_type) != LIMIT:
        if wish.price is not None:
            raise impossible(Name.PRICE, f"{called(wish.order_type)} has no price")
        return 0
    if wish.price is None:
        raise impossible(Name.PRICE, f"{called(wish.order_type)} needs a price")
    return on_grid(Name.PRICE, wish.price, spec.tick_size, 1, spec.max_price_ticks)


def check_leverage(leverage: int | None, spec: MarketSpec) -> None:
    """From 1 to the market's maximum, where it is said; a spot market has none."""
    if leverage is not None and spec.is_spot:
        raise impossible(Name.LEVERAGE, f"{spec.market_id} is a spot market: {NOTHING_LENT}")
    if leverage is not None and not 1 <= leverage <= spec.max_leverage:
        raise not_valid(Name.LEVERAGE, leverage, min(max(leverage, 1), spec.max_leverage))


def body_hash(
    wish: OrderWish,
    time_in_force: TimeInForce,
    quantity: int,
    price: int,
    spec: MarketSpec,
    terms: Terms,
) -> bytes:
    """What makes two requests the same order: its meaning, not its spelling.

    Without a leverage it is the market's default here, whichever is in force: a repetition has to
    be known again when that has changed.
    """
    leverage = spec.default_leverage if wish.leverage is None else wish.leverage
    meaning = (
        f"{wish.market_id}|{wish.side:d}|{wish.order_type:d}|{time_in_force:d}|{quantity}|{price}"
        f"|{leverage}|{wish.reduce_only:d}|{wish.post_only:d}|{wish.client_order_id}"
        f"{words_of(terms)}"
    )
    return blake2b(meaning.encode(), digest_size=BODY_HASH_BYTES).digest()
