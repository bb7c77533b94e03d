"""Who asks for simulations, as the desk of simulations knows them."""

from starlette.requests import Request

from api.desk.simulations import Requester, Scenarios
from api.door.callers import Caller
from api.door.front import call_of
from api.door.routing import services_of


def requester_of(caller: Caller, request: Request) -> Requester:
    """The caller, from where they ask, and within which limits."""
    origin = call_of(request.scope).address
    return Requester(caller.user_id, caller.role, origin, services_of(request).settings)


def scenarios_of(request: Request) -> Scenarios:
    """What the desk works with."""
    services = services_of(request)
    return Scenarios(services.pool, services.scenarios)
