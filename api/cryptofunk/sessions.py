"""Trading sessions: start, pause, resume, stop, and look."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.cryptofunk.callers import Dealer, Looker
from api.cryptofunk.envelope import malformed
from api.cryptofunk.identifiers import read_uuid
from api.cryptofunk.orders import WRONG_SESSION
from api.cryptofunk.session_answers import (
    PAUSED,
    RESUMED,
    SessionPausedAnswer,
    SessionStartedAnswer,
    SessionStoppedAnswer,
    TradingSessionAnswer,
    TradingSessionsAnswer,
    started,
    stopped,
    trading_session,
)
from api.cryptofunk.symbols import listing_of
from api.cryptofunk.trading_schemas import (
    SessionNamed,
    SessionsAsked,
    SessionStartSent,
    SessionStopSent,
)
from api.desk import trading_sessions as desk
from api.door.answers import reply_exact
from api.door.callers import IdempotencyKey
from api.door.describing import documented
from api.door.paging import cursor_number, next_page, page_of
from api.door.routing import ExactRoute, services_of
from sim.units import ATOM_DECIMALS
from storage.agents.sessions import Session, own_session, own_sessions
from storage.intake.session_accounts import SessionStatus

LIST = "agent_sessions"
NO_LIVE = "There is no live trading here: mode must be PAPER"
PAUSE_NOTE = "This session opens nothing until it is resumed; others go on"
RESUME_NOTE = "This session trades again from the next decision on"

router = APIRouter(route_class=ExactRoute, tags=["Agents: sessions"])


@router.post(
    "/api/v1/trade/start",
    summary="Start a session",
    **documented(200, SessionStartedAnswer, 409),
)
async def post_session_start(
    sent: SessionStartSent,
    caller: Dealer,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """A paper run by an account of its own, which begins with `initial_capital`. Several may run at
    once."""
    if sent.mode != "PAPER":
        raise malformed("invalid request body", NO_LIVE, field="mode")
    market_id = (await listing_of(request)).market_of(sent.symbol)
    session = await desk.start(
        services_of(request).pool,
        caller.user_id,
        (sent.symbol, market_id),
        sent.initial_capital,
        idempotency_key,
    )
    return reply_exact(started(session))


@router.post(
    "/api/v1/trade/stop",
    summary="Stop a session",
    **documented(200, SessionStoppedAnswer, 404),
)
async def post_session_stop(sent: SessionStopSent, caller: Dealer, request: Request) -> Response:
    """Its orders are cancelled and its position is closed at market; the answer is the ledger's.
    503 where that takes longer than ten seconds: ask again."""
    session_id = read_uuid(sent.session_id, WRONG_SESSION)
    session = await desk.stop(services_of(request).pool, session_id, caller.user_id)
    return reply_exact(stopped(session, Decimal(sent.final_capital).scaleb(ATOM_DECIMALS)))


@router.post(
    "/api/v1/trade/pause",
    summary="Pause a session",
    **documented(200, SessionPausedAnswer, 404),
)
async def post_session_pause(sent: SessionNamed, caller: Dealer, request: Request) -> Response:
    """This session alone; it holds across restarts."""
    session = await changed(sent, caller.user_id, SessionStatus.PAUSED, request)
    return reply_exact(paused(session, PAUSED, PAUSE_NOTE))


@router.post(
    "/api/v1/trade/resume",
    summary="Resume a session",
    **documented(200, SessionPausedAnswer, 404),
)
async def post_session_resume(sent: SessionNamed, caller: Dealer, request: Request) -> Response:
    """One that is paused."""
    session = await changed(sent, caller.user_id, SessionStatus.RUNNING, request)
    return reply_exact(paused(session, RESUMED, RESUME_NOTE))


@router.get(
    "/api/v1/sessions",
    summary="Sessions",
    **documented(200, TradingSessionsAnswer, cursor=True),
)
async def get_sessions(
    asked: Annotated[SessionsAsked, Query()], caller: Looker, request: Request
) -> Response:
    """Newest first; the header X-Next-Cursor is the `cursor` of the next page."""
    status = None if asked.status is None else SessionStatus(asked.status)
    before_us = cursor_number(LIST, asked.cursor)
    pool = services_of(request).pool
    found = await own_sessions(pool, caller.user_id, status, before_us, asked.limit + 1)
    page, cursor = page_of(found, asked.limit, LIST, lambda one: one.started_at_us)
    answer = TradingSessionsAnswer(sessions=[trading_session(one) for one in page], count=len(page))
    return reply_exact(answer, headers=next_page(cursor))


@router.get(
    "/api/v1/sessions/{session_id}",
    summary="A session",
    **documented(200, TradingSessionAnswer, 404),
)
async def get_session(session_id: str, caller: Looker, request: Request) -> Response:
    """As it stands now."""
    named = read_uuid(session_id, WRONG_SESSION)
    session = await own_session(services_of(request).pool, named, caller.user_id)
    return reply_exact(TradingSessionAnswer(session=trading_session(session)))


async def changed(
    sent: SessionNamed, user_id: int, after: SessionStatus, request: Request
) -> Session:
    """The session that stands so from now on. Raises Refused."""
    before = SessionStatus.RUNNING if after == SessionStatus.PAUSED else SessionStatus.PAUSED
    session_id: UUID = read_uuid(sent.session_id, WRONG_SESSION)
    return await desk.change(services_of(request).pool, session_id, user_id, before, after)


def paused(session: Session, message: str, note: str) -> SessionPausedAnswer:
    """What has been done."""
    return SessionPausedAnswer(
        message=message, session_id=str(session.session_id), symbol=session.symbol, note=note
    )
