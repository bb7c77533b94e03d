"""Positions: round trips of the main account and of sessions."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.cryptofunk.callers import Looker
from api.cryptofunk.envelope import missing
from api.cryptofunk.identifiers import read_uuid
from api.cryptofunk.orders import WRONG_SESSION
from api.cryptofunk.symbols import listing_of
from api.cryptofunk.trading_answers import (
    AgentPosition,
    AgentPositionAnswer,
    AgentPositionsAnswer,
    agent_position,
)
from api.cryptofunk.trading_schemas import PositionAsked, PositionsAsked
from api.door.answers import reply_exact
from api.door.callers import Caller
from api.door.describing import documented
from api.door.routing import ExactRoute, services_of
from storage.agents import positions as storage
from storage.agents.sessions import own_session

IS_OPEN = {"open": True, "closed": False, "all": None}

router = APIRouter(route_class=ExactRoute, tags=["Agents: trading"])


@router.get("/api/v1/positions", summary="Positions", **documented(200, AgentPositionsAnswer, 404))
async def get_agent_positions(
    asked: Annotated[PositionsAsked, Query()], caller: Looker, request: Request
) -> Response:
    """Newest first, at most 500: of the main account and of all sessions, those that have stopped
    among them, or of one session. `status` also shows those that are closed."""
    found = await told(request, caller, asked.session_id, asked.symbol, IS_OPEN[asked.status])
    return reply_exact(AgentPositionsAnswer(positions=found, count=len(found)))


@router.get(
    "/api/v1/positions/{symbol:path}",
    summary="The latest position in a symbol",
    **documented(200, AgentPositionAnswer, 404),
)
async def get_agent_position(
    symbol: str, asked: Annotated[PositionAsked, Query()], caller: Looker, request: Request
) -> Response:
    """The open one that was opened last. The slash of a symbol may be encoded or not."""
    found = await told(request, caller, asked.session_id, symbol, True)
    if not found:
        raise missing("position", symbol=symbol)
    return reply_exact(AgentPositionAnswer(position=found[0]))


async def told(
    request: Request,
    caller: Caller,
    session_id: str | None,
    symbol: str | None,
    is_open: bool | None,
) -> list[AgentPosition]:
    """Positions of the caller's, in one symbol or in all."""
    pool, listing = services_of(request).pool, await listing_of(request)
    if session_id is None:
        accounts = await storage.own_accounts(pool, caller.user_id)
    else:
        named = read_uuid(session_id, WRONG_SESSION)
        accounts = [(await own_session(pool, named, caller.user_id)).account_id]
    market_id = None if symbol is None else listing.symbols.markets.get(symbol, "")
    found = await storage.positions(pool, caller.user_id, accounts, market_id, is_open)
    return [
        agent_position(
            view,
            listing.spec(view.market_id),
            listing.symbol_of(view.market_id),
            listing.position_id(view.market_id, view.trip.opened_fill_id),
        )
        for view in found
    ]
