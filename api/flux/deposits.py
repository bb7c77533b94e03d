"""Money in, money out, and back to zero."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.desk import transfers
from api.door.answers import reply
from api.door.callers import AccountTrader, IdempotencyKey
from api.door.describing import documented
from api.door.routing import ExactRoute, services_of
from api.flux.answers import BalanceAnswer
from api.flux.schemas import AmountSent, ResetSent
from api.flux.wording import balance_answer

router = APIRouter(route_class=ExactRoute, tags=["Deposits"])


@router.post("/deposits", summary="Deposit", **documented(201, BalanceAnswer, 404, 409))
async def post_deposit(
    sent: AmountSent,
    holder: AccountTrader,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Paper money from outside; the new balance."""
    pool = services_of(request).pool
    balance = await transfers.deposit(
        pool, holder.account_id, sent.asset, sent.amount, idempotency_key
    )
    return reply(balance_answer(balance, holder.user_id), 201)


@router.post("/withdrawals", summary="Withdraw", **documented(201, BalanceAnswer, 404, 409))
async def post_withdrawal(
    sent: AmountSent,
    holder: AccountTrader,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """As far as neither orders nor positions need the money; the new balance."""
    pool = services_of(request).pool
    balance = await transfers.withdraw(
        pool, holder.account_id, sent.asset, sent.amount, idempotency_key
    )
    return reply(balance_answer(balance, holder.user_id), 201)


@router.post("/account/reset", summary="Start again", **documented(200, BalanceAnswer, 404, 409))
async def post_reset(
    holder: AccountTrader,
    request: Request,
    sent: ResetSent | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """A fresh account, without open orders and positions only: `balances`, or nothing, is what it
    has, and no profit of before is told any more. What happened stays in the ledger."""
    pool, balances = services_of(request).pool, sent.balances if sent is not None else {}
    balance = await transfers.reset(pool, holder.account_id, balances, idempotency_key)
    return reply(balance_answer(balance, holder.user_id))
