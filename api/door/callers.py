"""Who asks. Token or API key say who, the database says what they may do at this moment."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header
from starlette.requests import Request

from api.credentials.shown import Lack, unauthenticated
from api.credentials.tokens import Claims
from api.door.findings import KEY_PATTERN
from api.door.front import Call, call_of
from api.door.routing import services_of
from sim.refusals import Refusal, Refused
from sim.roles import RANK, Role
from storage.people.accounts import Standing, UserStatus, find_standing
from storage.people.api_keys import Scope

READING = frozenset({"GET", "HEAD", "OPTIONS"})
KEY_ROLE_MAX = Role.TRADER
"""Whatever its user may do, a key is for trading: it does nothing that asks for a higher role."""


@dataclass(frozen=True)
class Caller:
    """An active user."""

    user_id: int
    role: Role


def claims_of(request: Request) -> Claims:
    """The claims of valid credentials. Raises Refused UNAUTHENTICATED that says what is wrong."""
    call = call_of(request.scope)
    if call.claims is None:
        raise unauthenticated(call.credentials, lack_of(call, request))
    return call.claims


def lack_of(call: Call, request: Request) -> Lack:
    """What is wrong with credentials that open nothing."""
    sent = call.credentials
    if sent.bearer is None and sent.api_key is None:
        return Lack.MISSING
    late = call.late or bool(sent.bearer and services_of(request).tokens.is_expired(sent.bearer))
    return Lack.EXPIRED if late else Lack.INVALID


async def bearer(request: Request) -> int:
    """The user id of a valid token, or of an API key whose scopes open this method; the role is
    for whoever locks the account to check."""
    claims = claims_of(request)
    needed = Scope.READ if request.method in READING else Scope.TRADE
    if claims.scopes is not None and needed not in claims.scopes:
        raise Refused(Refusal.FORBIDDEN, f"This API key does not have the scope {needed}")
    return claims.user_id


async def viewer(request: Request) -> Caller:
    """An active user who may look."""
    user_id = await bearer(request)
    caller = viewer_in(user_id, await find_standing(services_of(request).pool, user_id))
    by_key = claims_of(request).scopes is not None
    return (
        Caller(user_id, min(caller.role, KEY_ROLE_MAX, key=RANK.__getitem__)) if by_key else caller
    )


def viewer_in(user_id: int, standing: Standing | None) -> Caller:
    """The caller, if this standing lets them look."""
    if standing is None or standing.status != UserStatus.ACTIVE:
        raise Refused(Refusal.UNAUTHENTICATED, "This account is not active")
    return with_role(Caller(user_id, standing.role), Role.VIEWER)


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


async def operator_of_this_machine(request: Request) -> None:
    """An ADMIN, or anyone where the server is bound to this machine only; never an API key."""
    await without_key(request)
    if not services_of(request).on_loopback:
        with_role(await viewer(request), Role.ADMIN)


async def watcher(request: Request) -> None:
    """Any active user, or anyone where the server is bound to this machine only."""
    if not services_of(request).on_loopback:
        await viewer(request)


def with_role(caller: Caller, role: Role) -> Caller:
    """The caller, if the role suffices."""
    if not caller.role.at_least(role):
        raise Refused(Refusal.FORBIDDEN, f"The role {caller.role} may not do this")
    return caller


Bearer = Annotated[int, Depends(bearer)]
Viewer = Annotated[Caller, Depends(viewer)]
Trader = Annotated[Caller, Depends(trader)]
LoggedIn = Annotated[Caller, Depends(logged_in)]
WithoutKey = Annotated[None, Depends(without_key)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=KEY_PATTERN,
        description="The same key and body is the same request; another body is 409",
    ),
]
