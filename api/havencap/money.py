"""Spot markets, and money in and out."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.desk import transfers
from api.door.answers import reply_exact
from api.door.callers import AccountTrader, AccountViewer, IdempotencyKey, Viewer
from api.door.describing import Door, documented
from api.door.routing import ExactRoute, services_of
from api.havencap.trading_answers import (
    AppBalanceAnswer,
    AppBalancesAnswer,
    SpotMarketsAnswer,
    app_balance,
    spot_market,
)
from api.havencap.trading_schemas import AppDepositSent
from storage.reading.standing import standing

router = APIRouter(route_class=ExactRoute, tags=["Trading app: orders"])


@router.get(
    "/api/markets",
    summary="Spot markets",
    **documented(200, SpotMarketsAnswer, opens=Door.LOGIN_OR_KEY),
)
async def get_spot_markets(caller: Viewer, request: Request) -> Response:
    """Every market where an asset itself is traded."""
    listed = (await services_of(request).markets.markets()).values()
    return reply_exact(
        SpotMarketsAnswer(markets=[spot_market(market) for market in listed if market.spec.is_spot])
    )


@router.get(
    "/api/balances",
    summary="My money",
    **documented(200, AppBalancesAnswer, 404, opens=Door.LOGIN_OR_KEY),
)
async def get_app_balances(caller: AccountViewer, request: Request) -> Response:
    """By asset."""
    now = await standing(services_of(request).pool, caller.account_id)
    return reply_exact(AppBalancesAnswer(balances=[app_balance(one) for one in now.balances]))


@router.post(
    "/api/deposits",
    summary="Put money in",
    **documented(201, AppBalanceAnswer, 404, 409, opens=Door.LOGIN_OR_KEY),
)
async def post_app_deposit(
    sent: AppDepositSent,
    caller: AccountTrader,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Paper money from outside, in any asset that is listed; the new balance."""
    balance = await transfers.deposit(
        services_of(request).pool, caller.account_id, sent.asset, sent.amount, idempotency_key
    )
    return reply_exact(AppBalanceAnswer(balance=app_balance(balance)), 201)
