"""What a person may order in the account of a trading session: whatever they like in the market of
its symbol, as long as the session trades.

The session's own orders are not asked this: they are placed under the session's lock, and its last
ones close what there is when its owner may not order any more.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import psycopg

from sim.orders import PlaceOrder
from sim.refusals import Name, Refusal, Refused


class SessionStatus(StrEnum):
    """How a session stands."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"

    @property
    def trades(self) -> bool:
        """Whether its owner may still have orders placed in it."""
        return self in (SessionStatus.RUNNING, SessionStatus.PAUSED)


class OwnName(StrEnum):
    """What a session's own orders are for: their client ids begin so, and nobody else's do."""

    DECISION = "decision"
    STOP = "stop"
    TAKE = "take"
    CLOSE = "close"


OWN_NAMES = tuple(f"{one}:" for one in OwnName)
SESSIONS = """
SELECT account_id, status, symbol, market_id FROM trading_sessions WHERE account_id = ANY(%b)"""


class SessionAccount(NamedTuple):
    """The session that an account belongs to."""

    status: SessionStatus
    symbol: str
    market_id: str


async def load_sessions(
    connection: psycopg.AsyncConnection[Any], account_ids: Sequence[int]
) -> psycopg.AsyncCursor[Any]:
    """Behind the statement that reads the accounts, or locks them: whoever stops a session changes
    its account's version in the same transaction, so an order that is decided on what stood before
    is decided again."""
    return await connection.execute(SESSIONS, (list(account_ids),))


def sessions_in(rows: Sequence[tuple[Any, ...]]) -> dict[int, SessionAccount]:
    """Rows of SESSIONS by account."""
    return {row[0]: SessionAccount(SessionStatus(row[1]), row[2], row[3]) for row in rows}


def check_session(order: PlaceOrder, session: SessionAccount | None) -> None:
    """Raises Refused where a person may not order this in the session's account."""
    if session is None:
        return
    if not session.status.trades:
        details = {"brief": "session is not running", "status": session.status}
        raise Refused(Refusal.INVALID_REQUEST, "The session does not trade any more", details)
    market_id = session.market_id
    if order.spec.market_id != market_id:
        raise Refused(
            Refusal.INVALID_REQUEST,
            f"This account is a trading session's on {session.symbol}: it takes orders in"
            f" {market_id} alone",
            {"brief": "session trades another symbol", "field": Name.MARKET_ID},
        )
    if (order.client_order_id or "").startswith(OWN_NAMES):
        raise Refused(
            Refusal.INVALID_REQUEST,
            f"{Name.CLIENT_ORDER_ID} begins as the session's own orders do: {', '.join(OWN_NAMES)}",
            {"field": Name.CLIENT_ORDER_ID},
        )
