"""What a person may order in the account of a trading session: whatever they like in the market of
its symbol, as long as the session trades; and when it has stopped, what closes a position that it
could not close itself.

The session's own orders are not asked this: they are placed under the session's lock, and its last
ones close what there is when its owner may not order any more.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

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
SESSION_OF = """
SELECT ARRAY[s.status, s.symbol, s.market_id] FROM trading_sessions s
WHERE s.account_id = {account}"""
"""Read with the account's version, which whoever stops a session changes in the same transaction:
an order that is decided on what stood before is decided again."""


class SessionAccount(NamedTuple):
    """The session that an account belongs to."""

    status: SessionStatus
    symbol: str
    market_id: str


def sessions_in(rows: Iterable[Sequence[Any]]) -> dict[int, SessionAccount]:
    """Of accounts, each beside what SESSION_OF tells of it, those that are a session's."""
    return {
        account_id: SessionAccount(SessionStatus(columns[0]), *columns[1:])
        for account_id, columns in rows
        if columns is not None
    }


def check_session(order: PlaceOrder, session: SessionAccount | None) -> None:
    """Raises Refused where a person may not order this in the session's account."""
    if session is None:
        return
    is_left_over = session.status is SessionStatus.STOPPED and order.reduce_only
    if not session.status.trades and not is_left_over:
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
