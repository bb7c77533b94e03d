"""Orders of sessions: each is accepted in the transaction that notes it, and so never twice.

Whoever comes to a wish first locks it; where the session is paused or stopping by then, or the wish
too old, it is dropped. A process that ends anywhere leaves the wish as it was, or its order with
it. Client ids of orders are made of what they are for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

from sim.market import MarketSpec
from sim.orders import NO_TERMS, AcceptedOrder, PlaceOrder, Terms
from sim.refusals import Name, Refused
from sim.rows.messages import OrderType, Side, TimeInForce
from sim.signals.signal import Action
from storage.agents.new_decisions import OrderState
from storage.agents.outcomes import sum_up
from storage.agents.presence import Presence, seen
from storage.agents.sessions import Session
from storage.intake.accept import ROUTE, accept
from storage.intake.accept_request import OrderRequest
from storage.intake.accept_state import OpenOrdersMax
from storage.intake.idempotency import Asked
from storage.intake.session_accounts import OwnName, SessionStatus
from storage.market.markets import SPEC_COLUMNS_OF_M, spec_from_row
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, fetch_all, unit_of_work

WISHES = "SELECT id FROM decisions WHERE order_state = 'WISHED' ORDER BY seq"
WISH = f"""
SELECT d.action, d.quantity_lots, d.reduce_only, d.created_at_us, s.status, s.user_id,
    s.account_id, {SPEC_COLUMNS_OF_M}
FROM decisions d JOIN trading_sessions s ON s.id = d.session_id
JOIN markets m ON m.market_id = s.market_id
WHERE d.id = %s AND d.order_state = 'WISHED' FOR UPDATE OF d, s"""
SENT = f"""
UPDATE decisions SET order_state = '{OrderState.SENT}', order_id = %s,
    outcome = CASE WHEN reduce_only THEN NULL ELSE 'PENDING' END WHERE id = %s"""
DROPPED = f"""
UPDATE decisions SET order_state = '{OrderState.DROPPED}', note = %s WHERE id = %s
RETURNING cause_id"""
BODY_HASH_BYTES = 16


@dataclass(frozen=True)
class Owner:
    """Whose an order is."""

    user_id: int
    account_id: int


async def wishes(pool: AsyncPool) -> list[UUID]:
    """Verdicts whose orders are not sent yet, the oldest first."""
    return [row[0] for row in await fetch_all(pool, WISHES)]


async def send(
    pool: AsyncPool,
    presence: Presence,
    decision_id: UUID,
    oldest_us: int,
    open_orders_max: OpenOrdersMax,
) -> None:
    """The order of a verdict that was made since `oldest_us`; or why there will be none.

    Raises Superseded, DatabaseUnavailable (nothing happened) or OutcomeUnknown: whoever looks again
    finds the wish or its order.
    """
    async with unit_of_work(pool) as connection:
        await seen(connection, presence)
        row = await (await connection.execute(WISH, (decision_id,))).fetchone()
        if row is None:
            return
        action, lots, reduces, created_at_us, status, user_id, account_id, *spec = row
        if status != SessionStatus.RUNNING:
            await dropped(connection, decision_id, f"The session was {status} by then.")
            return
        if created_at_us < oldest_us:
            await dropped(connection, decision_id, "It was too old by then.")
            return
        order = market_order(
            account_id,
            spec_from_row(spec),
            Side.BUY if action == Action.BUY else Side.SELL,
            lots,
            f"{OwnName.DECISION}:{decision_id.hex}",
            reduces,
        )
        (answer,) = await placed(connection, Owner(user_id, account_id), [order], open_orders_max)
        if isinstance(answer, Refused):
            await dropped(connection, decision_id, plain_words(answer))
        else:
            await connection.execute(SENT, (answer.order_id, decision_id))


async def dropped(connection: Connection, decision_id: UUID, why: str) -> None:
    """There will be no order of it, and its consensus waits for none."""
    rows = await connection.execute(DROPPED, (why, decision_id))
    for (cause_id,) in await rows.fetchall():
        await sum_up(connection, cause_id)


def plain_words(refused: Refused) -> str:
    """Why an order was refused, for whoever reads a note: names as they are said, not as one family
    of the API spells them."""
    text = refused.message
    for name in Name:
        text = text.replace(name, name.strip("{}").replace("_", " "))
    return text


async def placed(
    connection: Connection,
    owner: Owner,
    orders: Sequence[PlaceOrder],
    open_orders_max: OpenOrdersMax,
) -> list[AcceptedOrder | Refused]:
    """What becomes of each of a session's own orders; under the account's lock, and the caller's
    transaction commits."""
    found: list[AcceptedOrder | Refused] = []
    for order in orders:
        asked = Asked(owner.account_id, ROUTE, order.body_hash, None, owner.user_id)
        request = OrderRequest(asked, (order,), is_single=True, of_session=True)
        (answers,) = await accept(connection, [request], open_orders_max, lock=True)
        assert answers is not None, "nobody changes an account that is locked"
        found += [answers] if isinstance(answers, Refused) else answers
    return found


def owner_of(session: Session) -> Owner:
    return Owner(session.user_id, session.account_id)


def market_order(
    account_id: int, spec: MarketSpec, side: Side, lots: int, name: str, reduces: bool
) -> PlaceOrder:
    """One that trades at once."""
    return _order(account_id, spec, side, lots, name, (OrderType.MARKET, reduces, NO_TERMS))


def leaving_order(
    account_id: int, spec: MarketSpec, side: Side, lots: int, name: str, at: tuple[OrderType, int]
) -> PlaceOrder:
    """One that leaves a position where mark comes to a price.

    at   STOP or TAKE_PROFIT, and the price in ticks
    """
    order_type, trigger_ticks = at
    terms = Terms(trigger_ticks=trigger_ticks, on_mark=True)
    return _order(account_id, spec, side, lots, name, (order_type, True, terms))


def _order(
    account_id: int,
    spec: MarketSpec,
    side: Side,
    lots: int,
    name: str,
    kind: tuple[OrderType, bool, Terms],
) -> PlaceOrder:
    order_type, reduces, terms = kind
    stands = order_type != OrderType.MARKET
    meaning = f"{name}|{spec.market_id}|{side:d}|{lots}|{order_type:d}|{terms.trigger_ticks}"
    return PlaceOrder(
        account_id=account_id,
        spec=spec,
        side=side,
        order_type=order_type,
        time_in_force=TimeInForce.GTC if stands else TimeInForce.IOC,
        quantity_lots=lots,
        price_ticks=0,
        leverage=None,
        reduce_only=reduces,
        post_only=False,
        client_order_id=name,
        body_hash=blake2b(meaning.encode(), digest_size=BODY_HASH_BYTES).digest(),
        terms=terms,
    )
