"""Builders of COMMAND rows and readers of EVENT rows for the tests of the engine."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias

from sim.book.engine import MarketEngine
from sim.market import MarketSpec
from sim.rows.messages import (
    CommandKind,
    EventKind,
    OrderType,
    Reason,
    Rows,
    Side,
    TimeInForce,
    empty_commands,
    joined,
)
from tests.sim.naive_book import NaiveBook

Engine: TypeAlias = MarketEngine | NaiveBook

Builder: TypeAlias = Callable[[int, int, int, int, int, int], Rows]
"""`limit` or `market`, told everything but flags."""

Happened: TypeAlias = tuple[str, str | int, int, int, int]
"""An event in short: kind, reason or maker's order id of a trade, order id, lots, price."""

Case: TypeAlias = tuple[
    Sequence[Rows], Sequence[Rows], Sequence[Happened], Sequence[tuple[int, int, int]]
]
"""Rows before, rows, their events, and order, price and lots of what rests then."""

SPEC = MarketSpec("TEST-PERP", "TEST", "USDC", Decimal("0.1"), Decimal("0.001"), 1_000_000)
BUY, SELL = Side.BUY, Side.SELL


def command(kind: int, **fields: int) -> Rows:
    """One COMMAND row; fields by their names in messages.py."""
    row = empty_commands(1)
    row["kind"] = kind
    for name, value in fields.items():
        row[name] = value
    return row


def limit(
    order_id: int,
    account_id: int,
    side: int,
    quantity_lots: int,
    price_ticks: int,
    tif: int = TimeInForce.GTC,
    flags: int = 0,
) -> Rows:
    return command(
        CommandKind.PLACE,
        order_id=order_id,
        account_id=account_id,
        side=side,
        quantity_lots=quantity_lots,
        price_ticks=price_ticks,
        order_type=OrderType.LIMIT,
        time_in_force=tif,
        flags=flags,
    )


def market(
    order_id: int,
    account_id: int,
    side: int,
    quantity_lots: int,
    worst_ticks: int = 0,
    tif: int = TimeInForce.IOC,
    flags: int = 0,
) -> Rows:
    row = limit(order_id, account_id, side, quantity_lots, worst_ticks, tif, flags)
    row["order_type"] = OrderType.MARKET
    return row


def stop(
    order_id: int,
    account_id: int,
    side: int,
    quantity_lots: int,
    trigger_ticks: int,
    **fields: int,
) -> Rows:
    """A STOP that becomes MARKET; `fields` make it another kind."""
    row = market(order_id, account_id, side, quantity_lots)
    row["order_type"], row["trigger_ticks"] = OrderType.STOP, trigger_ticks
    for name, value in fields.items():
        row[name] = value
    return row


def until(expires_us: int, row: Rows, **fields: int) -> Rows:
    """The same row, standing until a time."""
    row["expires_us"] = expires_us
    for name, value in fields.items():
        row[name] = value
    return row


def linked(first: Rows, second: Rows) -> list[Rows]:
    """Two orders of which a fill or trigger of one cancels the other."""
    first["link_id"] = second["link_id"] = first["order_id"]
    return [first, second]


def amend(
    order_id: int,
    account_id: int,
    more_lots: int = 0,
    price_ticks: int = 0,
    trigger_ticks: int = 0,
    flags: int = 0,
) -> Rows:
    return command(
        CommandKind.AMEND,
        order_id=order_id,
        account_id=account_id,
        quantity_lots=more_lots,
        price_ticks=price_ticks,
        trigger_ticks=trigger_ticks,
        flags=flags,
    )


def tick(time_us: int) -> Rows:
    return command(CommandKind.TICK, time_us=time_us)


def cancel(order_id: int, account_id: int) -> Rows:
    return command(CommandKind.CANCEL, order_id=order_id, account_id=account_id)


def cancel_all(account_id: int) -> Rows:
    return command(CommandKind.CANCEL_ALL, account_id=account_id)


def set_status(status: int) -> Rows:
    return command(CommandKind.SET_STATUS, status=status)


def set_mark(mark_ticks: int) -> Rows:
    return command(CommandKind.SET_MARK, price_ticks=mark_ticks)


def applied(engine: Engine, *rows: Rows) -> list[Happened]:
    """Apply rows as one batch; what happened, see `told`."""
    return told(engine.apply(joined(rows)))


def told(events: Rows) -> list[Happened]:
    """Events in short."""
    names = ["kind", "reason", "maker_order_id", "order_id", "quantity_lots", "price_ticks"]
    return [
        (EventKind(kind).name, maker if kind == EventKind.TRADE else Reason(reason).name, *what)
        for kind, reason, maker, *what in events[names].tolist()
    ]


def resting(engine: Engine) -> list[tuple[int, ...]]:
    """(order id, account, side, price, remaining, flags) in price-time order."""
    names = ["order_id", "account_id", "side", "price_ticks", "remaining_lots", "flags"]
    found: list[tuple[int, ...]] = engine.resting_orders()[names].tolist()
    return found


def depth_lists(engine: Engine, levels: int = 1000) -> list[list[list[int]]]:
    """Depth of both sides as lists of [price, quantity, orders]."""
    return [[[int(cell) for cell in row] for row in side] for side in engine.depth(levels)]


def rests(engine: Engine) -> list[tuple[int, int, int]]:
    """Order, price and lots of what stands in the book."""
    return [(order_id, price, lots) for order_id, _, _, price, lots, _ in resting(engine)]


def happens_as_told(engine: Engine, case: Case, kept: bool = False) -> None:
    """What a case says; `kept` goes through a snapshot in between."""
    before, rows, happens, left = case
    applied(engine, *before)
    engine = type(engine).restore(SPEC, engine.snapshot()) if kept else engine
    assert applied(engine, *rows) == happens
    assert rests(engine) == left
