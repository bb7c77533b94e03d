"""How an account stands, and its leverage in a market."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.desk.leverages import change_leverage
from api.door.answers import reply
from api.door.callers import AccountTrader, AccountViewer
from api.door.describing import documented
from api.door.routing import ExactRoute, services_of
from api.flux.margin_answers import AccountAnswer, LeverageAnswer, account_answer
from api.flux.schemas import LeverageSent
from storage.reading.standing import standing

router = APIRouter(route_class=ExactRoute, tags=["Queries"])


@router.get("/account", summary="Account", **documented(200, AccountAnswer, 404))
async def get_account(holder: AccountViewer, request: Request) -> Response:
    """Equity, margins and positions at mark, all at one moment."""
    now = await standing(services_of(request).pool, holder.account_id)
    return reply(account_answer(now, holder.user_id))


@router.put("/leverage", summary="Leverage", **documented(200, LeverageAnswer, 404, 409))
async def put_leverage(sent: LeverageSent, holder: AccountTrader, request: Request) -> Response:
    """One for the position in a market and for all orders to come, as far as the margin permits.
    Orders that are open keep theirs, so there must be none but reduce-only ones."""
    services, market_id = services_of(request), sent.market_id
    await change_leverage(
        services.pool, services.markets, holder.account_id, market_id, sent.leverage
    )
    return reply(LeverageAnswer(market_id=market_id, leverage=sent.leverage))
