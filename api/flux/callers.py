"""Who asks. The token says who, the database says what they may do at this moment."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header
from starlette.requests import Request

from api.front import call_of
from api.routing import services_of
from sim.refusals import Refusal, Refused
from storage.accounts import Role, Standing, UserStatus, find_standing

NO_TOKEN = "A valid bearer token is needed"


@dataclass(frozen=True)
class Caller:
    """An active user."""

    user_id: int
    role: Role


async def bearer(request: Request) -> int:
    """The user id of a valid token; the role is for whoever locks the account to check."""
    claims = call_of(request.scope).claims
    if claims is None:
        raise Refused(Refusal.UNAUTHENTICATED, NO_TOKEN)
    return claims.user_id


async def viewer(request: Request) -> Caller:
    """An active user who may look."""
    user_id = await bearer(request)
    return viewer_in(user_id, await find_standing(services_of(request).pool, user_id))


def viewer_in(user_id: int, standing: Standing | None) -> Caller:
    """The caller, if this standing lets them look."""
    if standing is None or standing.status != UserStatus.ACTIVE:
        raise Refused(Refusal.UNAUTHENTICATED, "This account is not active")
    return with_role(Caller(user_id, standing.role), Role.VIEWER)


async def trader(request: Request) -> Caller:
    """An active user who may trade and move money."""
    return with_role(await viewer(request), Role.TRADER)


async def operator_of_this_machine(request: Request) -> None:
    """An ADMIN, or anyone where the server is bound to this machine only."""
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
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key and body is the same request; another body is 409",
    ),
]
