"""Who comes with a token of `POST /api/user/token`: it opens the explorer and nothing else."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from api.door.front import call_of
from sim.refusals import Refusal, Refused
from sim.roles import Role
from storage.people.accounts import UserStatus, not_active
from storage.people.app_tokens import TokenHolder

NEEDED = "Send the header `Authorization: Bearer hc_live_…`; POST /api/user/token makes a token"
NOT_VALID = "This token opens nothing here: POST /api/user/token makes another one"
DISABLED = "This account is not active"


async def token_holder(request: Request) -> TokenHolder:
    """An active user, by their token. Raises Refused."""
    call = call_of(request.scope)
    holder = call.token_holder
    if holder is None:
        words = NEEDED if call.credentials.bearer is None else NOT_VALID
        raise Refused(Refusal.UNAUTHENTICATED, words)
    if holder.status == UserStatus.DISABLED:
        raise Refused(Refusal.FORBIDDEN, DISABLED)
    if holder.status != UserStatus.ACTIVE or not holder.role.at_least(Role.VIEWER):
        raise not_active(UserStatus.PENDING)
    return holder


ByToken = Annotated[TokenHolder, Depends(token_holder)]
