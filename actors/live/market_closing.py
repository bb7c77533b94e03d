"""What a market applies of its own accord before anything else, given how it stands."""

import numpy as np

from sim.book.engine import MarketEngine
from sim.rows.messages import CommandKind, MarketStatus, Reason, Rows, empty_commands
from storage.market.halts import Standing, Wish

OWN_ROWS_MAX = 10_000
"""Rows of one batch: the orders of a large book are cancelled in several."""


def own_batches(engine: MarketEngine, standing: Standing, time_us: int) -> list[Rows]:
    """COMMAND rows that make a recovered engine what the market's row says, in batches.

    A halted market takes nothing but cancels: what was accepted before comes to its end, and
    nobody trades. To drain it is to cancel all that rests or waits; to resume it, to open it.
    """
    status = engine.status
    if standing.wish == Wish.RESUME:
        status = MarketStatus.ACTIVE
    elif standing.wish == Wish.DRAIN or standing.halt_reason is not None:
        status = MarketStatus.CANCEL_ONLY
    parts = [status_row(status)] if engine.status != status else []
    if standing.wish == Wish.DRAIN:
        parts.append(cancels(engine))
    rows = np.concatenate(parts) if parts else empty_commands(0)
    rows["time_us"] = time_us
    return [rows[at : at + OWN_ROWS_MAX] for at in range(0, len(rows), OWN_ROWS_MAX)]


def status_row(status: MarketStatus) -> Rows:
    """One SET_STATUS row."""
    row = empty_commands(1)
    row["kind"], row["status"] = CommandKind.SET_STATUS, status
    return row


def cancels(engine: MarketEngine) -> Rows:
    """An operator's CANCEL row for every order that is open, clients' and strategies'."""
    orders = engine.open_orders()
    rows = empty_commands(len(orders))
    rows["kind"], rows["reason"] = CommandKind.CANCEL, Reason.OPERATOR
    rows["order_id"], rows["account_id"] = orders["order_id"], orders["account_id"]
    return rows


def answer_of(wish: Wish, engine: MarketEngine) -> str:
    """What an operator is told when a wish is done."""
    if wish == Wish.RESUME:
        return "is ACTIVE again, its state the one that the journal's head says"
    return f"is drained: {engine.open_order_count} orders rest in its book"
