"""For whoever runs the exchange."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api.door.answers import reply
from api.door.callers import operator_of_this_machine
from api.door.describing import Door, documented
from api.door.routing import ExactRoute, services_of
from api.flux.answers import DrainAnswer
from sim.refusals import Refusal, Refused
from storage.intake.drain import drain
from storage.reading.market_data import halted_markets

DRAIN_S_MAX = 30.0
DRAINS_MAX = 4
"""Callers who wait in one process at once: each asks the database again and again."""

router = APIRouter(route_class=ExactRoute, tags=["Admin"])


@router.post("/admin/drain", summary="Drain", **documented(200, DrainAnswer, opens=Door.SESSION))
async def post_drain(
    allowed: Annotated[None, Depends(operator_of_this_machine)], request: Request
) -> Response:
    """Returns when everything accepted before this call is matched and can be read. Markets that
    are halted are not waited for; the answer names them."""
    services = services_of(request)
    if services.draining >= DRAINS_MAX:
        raise Refused(
            Refusal.UNAVAILABLE, f"{DRAINS_MAX} callers wait for the markets already; try again"
        )
    services.draining += 1
    try:
        processed = await drain(services.pool, DRAIN_S_MAX)
    finally:
        services.draining -= 1
    if processed is None:
        raise Refused(Refusal.UNAVAILABLE, f"The markets are more than {DRAIN_S_MAX:.0f} s behind")
    halted = await halted_markets(services.pool)
    return reply(DrainAnswer(processed=processed, halted_markets=halted or None))
