"""Who asks. On a loopback bind the family is open to the built-in paper account, for whoever sits
at this machine; who shows credentials is judged by them everywhere."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from api.credentials.shown import NONE_SENT
from api.desk.paper import paper_user
from api.door.callers import Caller, admin, reader, trader
from api.door.front import FOREIGN_PAGE, call_of, looked_at
from api.door.origins import Origins
from api.door.routing import services_of
from sim.refusals import Refusal, Refused
from sim.roles import Role

NO_ACCOUNT = (
    "These routes take no header X-Account: a session is named by session_id, and without one it is"
    " the main account"
)


async def looker(request: Request) -> Caller:
    """An active user who may look, or the paper account's; also where a question is a POST."""
    hear_no_account(request)
    return await paper(request) if is_open_to(request) else await reader(request)


async def dealer(request: Request) -> Caller:
    """An active user who may trade, or the paper account's."""
    hear_no_account(request)
    return await paper(request) if is_open_to(request) else await trader(request)


async def chief(request: Request) -> Caller:
    """An ADMIN, or whoever sits at this machine."""
    hear_no_account(request)
    return await paper(request) if is_open_to(request) else await admin(request)


def hear_no_account(request: Request) -> None:
    """Raises Refused where one is chosen as other families' clients do: who thinks that it is heard
    would trade in another."""
    if "x-account" in request.headers:
        raise Refused(Refusal.INVALID_REQUEST, NO_ACCOUNT)


def is_open_to(request: Request) -> bool:
    """Whether a request needs no credentials: it shows none, and the family is open."""
    return services_of(request).agents_open and call_of(request.scope).credentials == NONE_SENT


async def paper(request: Request) -> Caller:
    """The paper account's user. Raises Refused for a page of another site, also where it reads."""
    services = services_of(request)
    if Origins(services.settings).is_foreign(looked_at(request.scope)):
        raise Refused(*FOREIGN_PAGE)
    return Caller(await paper_user(services.pool, services.settings.opening_atoms), Role.TRADER)


Looker = Annotated[Caller, Depends(looker)]
Dealer = Annotated[Caller, Depends(dealer)]
Chief = Annotated[Caller, Depends(chief)]
