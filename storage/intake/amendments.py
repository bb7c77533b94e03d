"""An open order is to be for another quantity, at another price or trigger: one AMEND command.

What the order will need beyond what it has reserved is reserved with the command and stands in a
row of its own, for the order's row is the recorder's alone. When the market has done it, or not,
the recorder moves that to the order or gives it back: see sim/money/amending.py. So an order has
one amendment at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sim.market import MarketSpec
from sim.money.acceptance import (
    borne,
    check_margin,
    check_size,
    exposure,
    order_terms,
    reserved_asset,
)
from sim.money.amending import Amendment, extra_atoms
from sim.money.margin import Need, order_need
from sim.orders import OrderStatus, PlaceOrder, Terms
from sim.refusals import Refusal, Refused
from sim.rows.messages import (
    CommandKind,
    OrderFlag,
    OrderType,
    Side,
    TimeInForce,
    empty_commands,
)
from sim.rows.order_types import LIMIT, type_when_triggered, waits_for_trigger
from storage.intake.accept_check import authorized, open_market
from storage.intake.accept_request import OrderRequest
from storage.intake.accept_sql import NOTIFY, load_accounts
from storage.intake.accept_state import Accounts
from storage.intake.idempotency import Asked
from storage.intake.session_accounts import check_session
from storage.market.markets import FIELDS, SPEC_COLUMNS_OF_M, spec_from_row
from storage.people.accounts import COLLATERAL, archived
from storage.postgres.database import now_us
from storage.postgres.unit_of_work import Connection

LOCK = f"SELECT 1 FROM balances WHERE account_id = %s AND asset = '{COLLATERAL}' FOR UPDATE"
"""The recorder writes an order under this lock: so what is read behind it stays."""

OWNED = f"""
SELECT {SPEC_COLUMNS_OF_M}, o.side, o.order_type, o.time_in_force, o.price_ticks, o.quantity_lots,
    o.filled_lots, o.leverage, o.reduce_only, o.may_open, o.post_only, o.trigger_ticks, o.on_mark,
    o.triggered_at_us, o.reserved_atoms, o.status,
    EXISTS (SELECT FROM amendments a WHERE a.order_id = o.id)
FROM orders o JOIN markets m USING (market_id) WHERE o.id = %s AND o.account_id = %s"""
RESERVE = f"""
UPDATE balances SET version = version + 1,
    locked_atoms = locked_atoms + CASE asset WHEN %(asset)s THEN %(atoms)s ELSE 0 END
WHERE account_id = %(account)s AND asset IN (%(asset)s, '{COLLATERAL}')"""
COMMAND = """
INSERT INTO commands (market_id, account_id, order_id, payload, created_at_us)
VALUES (%s, %s, %s, %b, %s)"""
REMEMBER = """
INSERT INTO amendments (order_id, account_id, added_lots, price_ticks, trigger_ticks,
    reserved_atoms, needed_atoms, needed_lots, may_open)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"""
TURNS = {None: 0, True: int(OrderFlag.MAY_OPEN), False: int(OrderFlag.REDUCE_ONLY)}
"""How the market is told whether an order may open a position from now on."""


@dataclass(frozen=True)
class OpenOrder:
    """An open order as it would be placed today, and how far it has come. Its price is 0 where it
    becomes MARKET, its limit then follows from the trigger.

    may_open   whether the market lets it open a position, as was settled when it was placed, or
               moved last
    """

    place: PlaceOrder
    filled_lots: int
    is_triggered: bool
    may_open: bool
    limit_ticks: int
    reserved_atoms: int

    @property
    def open_lots(self) -> int:
        """What is left of it."""
        return self.place.quantity_lots - self.filled_lots


Amend = Callable[[OpenOrder], OpenOrder]
"""From an order as it is to what it is to become. Raises Refused."""


async def amend(connection: Connection, asked: Asked, order_id: int, amended: Amend) -> None:
    """Accept an amendment. The caller's transaction commits. Raises Refused."""
    account_id = asked.account_id
    await connection.execute(LOCK, (account_id,))
    row = await (await connection.execute(OWNED, (order_id, account_id))).fetchone()
    if row is None:
        raise Refused(Refusal.ORDER_NOT_FOUND, "No such order")
    before = amendable(account_id, row)
    after = amended(before)
    request = OrderRequest(asked, (as_it_stands(after),), is_single=True)
    accounts = await load_accounts(connection, [request], lock=True, without=(order_id,))
    amendment = decide_amendment(before, after, accounts, asked)
    market_id = before.place.spec.market_id
    payload = amend_payload(account_id, amendment)
    reserved = {"asset": reserved_asset(before.place), "atoms": amendment.reserved_atoms}
    await connection.execute(RESERVE, {"account": account_id, **reserved})
    await connection.execute(COMMAND, (market_id, account_id, order_id, payload, now_us()))
    await connection.execute(REMEMBER, (order_id, account_id, *vars(amendment).values()))
    await connection.execute(NOTIFY)


def amendable(account_id: int, row: tuple[Any, ...]) -> OpenOrder:
    """A row of OWNED. Raises Refused where its order has ended, or is being amended."""
    *head, reserved_atoms, status, is_amended = row
    if not OrderStatus(status).is_open:
        raise Refused(Refusal.ORDER_NOT_OPEN, "The order is not open any more")
    if is_amended:
        raise Refused(
            Refusal.AMENDMENT_UNDER_WAY,
            "The market has not done the last amendment of this order yet; send this one when the"
            " order tells how that ended",
        )
    columns = len(FIELDS)
    return open_order(account_id, spec_from_row(head[:columns]), head[columns:], reserved_atoms)


def open_order(
    account_id: int, spec: MarketSpec, columns: list[Any], reserved_atoms: int
) -> OpenOrder:
    """The columns of OWNED behind its market's as an order."""
    side, order_type, tif, limit, quantity, filled, leverage = columns[:7]
    reduces, may_open, post_only, trigger_ticks, on_mark, triggered_at_us = columns[7:]
    has_limit = type_when_triggered(order_type) == LIMIT
    place = PlaceOrder(
        account_id=account_id,
        spec=spec,
        side=Side(side),
        order_type=OrderType(order_type),
        time_in_force=TimeInForce(tif),
        quantity_lots=quantity,
        price_ticks=limit if has_limit else 0,
        leverage=leverage,
        reduce_only=reduces,
        post_only=post_only,
        client_order_id=None,
        body_hash=b"",
        terms=Terms(trigger_ticks, on_mark),
    )
    opens = may_open and not reduces  # orders of before may_open was kept say that they may
    return OpenOrder(place, filled, triggered_at_us > 0, opens, limit, reserved_atoms)


def as_it_stands(order: OpenOrder) -> PlaceOrder:
    """What is left of an order, as it would be placed today: once triggered it is a plain one."""
    place = replace(order.place, quantity_lots=order.open_lots)
    if waits_for_trigger(place.order_type) and order.is_triggered:
        return replace(place, order_type=OrderType(type_when_triggered(place.order_type)))
    return place


def decide_amendment(
    before: OpenOrder, after: OpenOrder, accounts: Accounts, asked: Asked
) -> Amendment:
    """What is to be reserved and sent; `accounts` are without the order. Raises Refused.

    One that moves is decided as if it were placed now: what it may open with it.
    """
    account, order = authorized(asked, accounts), as_it_stands(after)
    if account.is_archived:
        raise archived()
    check_session(order, accounts.sessions.get(order.account_id))
    market = open_market(order, accounts)
    added_lots = after.place.quantity_lots - before.place.quantity_lots
    if added_lots <= 0 and is_only_smaller(before, after):
        return Amendment(added_lots, 0, 0)
    held = exposure(order, market, account)
    terms = order_terms(order, market, now_us(), slack_ppm=0)
    need = order_need(held, terms)
    account.lock(reserved_asset(order), -before.reserved_atoms)
    terms, need = borne(order, market, account, terms, need)
    check_margin(order, need, account)
    check_size(order, account, max(terms.reserve_ticks, terms.limit_ticks))
    return amendment_of(before, after, need, terms.limit_ticks)


def is_only_smaller(before: OpenOrder, after: OpenOrder) -> bool:
    """Whether price and trigger stay: then an order needs no more than it has."""
    was, becomes = before.place, after.place
    return (was.price_ticks, was.terms) == (becomes.price_ticks, becomes.terms)


def amendment_of(before: OpenOrder, after: OpenOrder, need: Need, limit_ticks: int) -> Amendment:
    """What is sent and remembered; what stays as it is stands in it as 0."""
    added_lots = after.place.quantity_lots - before.place.quantity_lots
    trigger_ticks, lots = after.place.terms.trigger_ticks, after.open_lots
    has_new_trigger = trigger_ticks != before.place.terms.trigger_ticks
    return Amendment(
        added_lots,
        limit_ticks if limit_ticks != before.limit_ticks else 0,
        trigger_ticks if has_new_trigger else 0,
        extra_atoms(need.reserved_atoms, lots, added_lots, before.reserved_atoms),
        need.reserved_atoms,
        lots,
        None if need.opens == before.may_open else need.opens,
    )


def amend_payload(account_id: int, amendment: Amendment) -> bytes:
    """An AMEND as the bytes of one COMMAND row."""
    command = empty_commands(1)
    command["kind"], command["account_id"] = CommandKind.AMEND, account_id
    command["quantity_lots"] = amendment.added_lots
    command["price_ticks"] = amendment.price_ticks
    command["trigger_ticks"] = amendment.trigger_ticks
    command["flags"] = TURNS[amendment.may_open]
    return np.ascontiguousarray(command).tobytes()
