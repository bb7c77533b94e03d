"""A user's accounts: one for each thing that is tried, with its own money, orders and positions."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.desk import accounts as desk
from api.desk import transfers
from api.door.answers import reply, reply_page
from api.door.callers import IdempotencyKey, Trader, TraderOfNamed, Viewer, number_of
from api.door.describing import documented
from api.door.routing import ExactRoute, services_of
from api.flux.account_answers import (
    OwnedAccountAnswer,
    TransferAnswer,
    owned_answer,
    transfer_answer,
)
from api.flux.account_schemas import AccountChangeSent, AccountsAsked, AccountSent, TransferSent
from api.flux.answers import BalanceAnswer
from api.flux.schemas import ResetSent
from api.flux.wording import balance_answer
from storage.people.owned_accounts import owned_accounts

router = APIRouter(route_class=ExactRoute, tags=["Accounts"])


@router.get("/accounts", summary="Accounts", **documented(200, OwnedAccountAnswer, many=True))
async def get_accounts(
    query: Annotated[AccountsAsked, Query()], caller: Viewer, request: Request
) -> Response:
    """One's own, the main one first."""
    found = await owned_accounts(services_of(request).pool, caller.user_id, query.archived)
    return reply_page([owned_answer(account) for account in found])


@router.post("/accounts", summary="Open an account", **documented(201, OwnedAccountAnswer, 409))
async def post_account(
    sent: AccountSent, caller: Trader, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """A paper account beside the main one. Its `id` in the header `X-Account` says of any other
    request that it is about this account."""
    account = await desk.open_account(
        services_of(request).pool, caller.user_id, sent.name, sent.balances, idempotency_key
    )
    return reply(owned_answer(account), 201)


@router.post(
    "/accounts/transfers",
    summary="Move money between accounts",
    **documented(201, TransferAnswer, 404, 409),
)
async def post_transfer(
    sent: TransferSent, caller: Trader, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Between two of one's own, at most what could be withdrawn; one ledger transaction."""
    wish = desk.TransferWish(
        number_of(sent.source), number_of(sent.target), sent.asset, sent.amount
    )
    pool = services_of(request).pool
    done = await desk.transfer(pool, caller.user_id, wish, idempotency_key)
    return reply(transfer_answer(done, caller.user_id), 201)


@router.patch(
    "/accounts/{account_id}",
    summary="Rename or archive an account",
    **documented(200, OwnedAccountAnswer, 404, 409),
)
async def patch_account(
    sent: AccountChangeSent, holder: TraderOfNamed, request: Request
) -> Response:
    """An archived one takes no orders and moves no money until `archived` is false again; all that
    it has stays. The main one cannot be archived, nor one with orders or positions."""
    pool = services_of(request).pool
    account = await desk.change_account(
        pool, holder.account_id, holder.user_id, sent.name, sent.archived
    )
    return reply(owned_answer(account))


@router.post(
    "/accounts/{account_id}/reset",
    summary="Start an account again",
    **documented(200, BalanceAnswer, 404, 409),
)
async def post_account_reset(
    holder: TraderOfNamed,
    request: Request,
    sent: ResetSent | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """What `POST /account/reset` does, of the account that the path names."""
    pool, balances = services_of(request).pool, sent.balances if sent is not None else {}
    balance = await transfers.reset(pool, holder.account_id, balances, idempotency_key)
    return reply(balance_answer(balance, holder.user_id))
