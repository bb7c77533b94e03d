"""Who asks. Token or API key say who, the database says what they may do at this moment."""

from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

from fastapi import Depends, Header
from starlette.requests import Request

from api.credentials.shown import Lack, unauthenticated
from api.credentials.tokens import Claims
from api.desk.identifiers import NOBODYS_ACCOUNT, parse_account_id
from api.door.findings import KEY_PATTERN
from api.door.front import Call, call_of
from api.door.routing import services_of
from sim.refusals import Refusal, Refused
from sim.roles import RANK, Role
from storage.people.accounts import (
    Standing,
    UserStatus,
    find_standing,
    no_such_account,
    not_active,
)
from storage.people.api_keys import Scope

READING = frozenset({"GET", "HEAD", "OPTIONS"})
KEY_ROLE_MAX = Role.TRADER
"""Whatever its user may do, a key is for trading: it does nothing that asks for a higher role."""


AccountHeader = Annotated[str | None, Header(alias="X-Account")]
"""Which of one's accounts a request is about; the main one where it is missing."""


@dataclass(frozen=True)
class Chosen:
    """Valid credentials' user, and the account they choose: whether it is theirs says whoever
    reads or locks it."""

    user_id: int
    account_id: int


@dataclass(frozen=True)
class Caller:
    """An active user."""

    user_id: int
    role: Role


@dataclass(frozen=True)
class Holder(Caller):
    """An active user, and an account that is theirs."""

    account_id: int


CallerT = TypeVar("CallerT", bound=Caller)


def claims_of(request: Request) -> Claims:
    """The claims of valid credentials. Raises Refused UNAUTHENTICATED that says what is wrong."""
    call = call_of(request.scope)
    if call.claims is None:
        raise unauthenticated(call.credentials, lack_of(call, request))
    return call.claims


def lack_of(call: Call, request: Request) -> Lack:
    """What is wrong with credentials that open nothing."""
    sent = call.credentials
    if sent.token is None and sent.api_key is None:
        return Lack.MISSING
    late = call.late or bool(sent.token and services_of(request).tokens.is_expired(sent.token))
    return Lack.EXPIRED if late else Lack.INVALID


async def bearer(request: Request) -> int:
    """The user id of a valid token, or of an API key whose scopes open this method; the role is
    for whoever locks the account to check."""
    return opened(request, Scope.READ if request.method in READING else Scope.TRADE)


def opened(request: Request, needed: Scope) -> int:
    """The same, where the API key needs this scope. Raises Refused."""
    claims = claims_of(request)
    if claims.scopes is not None and needed not in claims.scopes:
        raise Refused(Refusal.FORBIDDEN, f"This API key does not have the scope {needed}")
    return claims.user_id


async def viewer(request: Request) -> Caller:
    """An active user who may look."""
    user_id = await bearer(request)
    return await holder_of(request, Chosen(user_id, user_id))


async def reader(request: Request) -> Caller:
    """An active user who may look, by whatever method: it changes nothing."""
    user_id = opened(request, Scope.READ)
    return await holder_of(request, Chosen(user_id, user_id))


async def holder_of(request: Request, chosen: Chosen, role: Role = Role.VIEWER) -> Holder:
    """The user who has this role and the account, with the role that the credentials give."""
    pool = services_of(request).pool
    standing = await find_standing(pool, chosen.user_id, chosen.account_id)
    holder = holder_in(chosen, standing, role)
    if claims_of(request).scopes is None:
        return holder
    return replace(holder, role=min(holder.role, KEY_ROLE_MAX, key=RANK.__getitem__))


def holder_in(chosen: Chosen, standing: Standing | None, role: Role = Role.VIEWER) -> Holder:
    """The caller, if this standing gives them the role and the account."""
    if standing is None or standing.status != UserStatus.ACTIVE:
        raise not_active(standing.status if standing is not None else None)
    holder = with_role(Holder(chosen.user_id, standing.role, chosen.account_id), role)
    if not standing.owns_account:
        raise no_such_account()
    return holder


async def chosen_account(request: Request, x_account: AccountHeader = None) -> Chosen:
    """The account that a request names in its header, else the user's main one.

    A header that is empty or stands twice names none: who meant another account than the main one
    shall not trade there. `x_account` is for the document alone, it cannot tell these apart.
    """
    user_id, named = await bearer(request), request.headers.getlist("x-account")
    if not named:
        return Chosen(user_id, user_id)
    return Chosen(user_id, number_of(named[0]) if len(named) == 1 else NOBODYS_ACCOUNT)


async def account_viewer(request: Request, x_account: AccountHeader = None) -> Holder:
    """An active user who may look at the account that the request chooses."""
    return await holder_of(request, await chosen_account(request, x_account))


async def account_trader(request: Request, x_account: AccountHeader = None) -> Holder:
    """An active user who may trade and move money in the account that the request chooses."""
    return await holder_of(request, await chosen_account(request, x_account), Role.TRADER)


async def account_operator(request: Request, x_account: AccountHeader = None) -> Holder:
    """An OPERATOR who has logged in, and the account that the request chooses."""
    await operator(request)
    return await holder_of(request, await chosen_account(request, x_account), Role.OPERATOR)


async def trader_of_named(request: Request, account_id: str) -> Holder:
    """The same, of the account that the path names."""
    chosen = Chosen(await bearer(request), number_of(account_id))
    return await holder_of(request, chosen, Role.TRADER)


def number_of(account_id: str) -> int:
    """The account's number; that of nobody's for text that names none."""
    return parse_account_id(account_id) or NOBODYS_ACCOUNT


async def trader(request: Request) -> Caller:
    """An active user who may trade and move money."""
    return with_role(await viewer(request), Role.TRADER)


async def without_key(request: Request) -> None:
    """Anybody who does not come with an API key: a key opens an account, not a login."""
    if call_of(request.scope).credentials.api_key is not None:
        raise Refused(Refusal.FORBIDDEN, "An API key may not do this; send a bearer token")


async def logged_in(request: Request) -> Caller:
    """An active user who has logged in, and not with an API key."""
    await without_key(request)
    return await viewer(request)


async def admin(request: Request) -> Caller:
    """An ADMIN who has logged in."""
    return with_role(await logged_in(request), Role.ADMIN)


async def operator(request: Request) -> Caller:
    """An OPERATOR who has logged in."""
    return with_role(await logged_in(request), Role.OPERATOR)


async def operator_of_this_machine(request: Request) -> None:
    """An ADMIN, or anyone where the server is bound to this machine only; never an API key."""
    await without_key(request)
    if not services_of(request).on_loopback:
        await admin(request)


async def watcher(request: Request) -> None:
    """Any active user, or anyone where the server is bound to this machine only."""
    if not services_of(request).on_loopback:
        await viewer(request)


def with_role(caller: CallerT, role: Role) -> CallerT:
    """The caller, if the role suffices."""
    if not caller.role.at_least(role):
        raise Refused(Refusal.FORBIDDEN, f"The role {caller.role} may not do this")
    return caller


Viewer = Annotated[Caller, Depends(viewer)]
Trader = Annotated[Caller, Depends(trader)]
ChosenAccount = Annotated[Chosen, Depends(chosen_account)]
AccountViewer = Annotated[Holder, Depends(account_viewer)]
AccountTrader = Annotated[Holder, Depends(account_trader)]
AccountOperator = Annotated[Holder, Depends(account_operator)]
TraderOfNamed = Annotated[Holder, Depends(trader_of_named)]
LoggedIn = Annotated[Caller, Depends(logged_in)]
Operator = Annotated[Caller, Depends(operator)]
Admin = Annotated[Caller, Depends(admin)]
WithoutKey = Annotated[None, Depends(without_key)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=KEY_PATTERN,
        description="The same key and request is done once; the key with another request is 409",
    ),
]
