"""Whether this process can do its work, and what it has counted."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from api.flux.answers import HealthAnswer
from api.flux.callers import watcher
from api.flux.describing import documented
from api.flux.envelope import reply
from api.metrics import observe_audit, observe_simulations, observe_upkeep
from api.routing import ExactRoute, services_of
from storage.audit_readings import read_audit
from storage.database import now_us
from storage.errors import StorageError

DOWN: dict[int | str, dict[str, Any]] = {
    503: {
        "model": HealthAnswer,
        "description": "The database does not answer",
        "content": {"application/json": {"example": {"ok": False, "checks": {"database": "down"}}}},
    }
}

router = APIRouter(route_class=ExactRoute, tags=["Operations"])


@router.get("/health", summary="Health", **documented(200, HealthAnswer, public=True, instead=DOWN))
async def get_health(request: Request) -> Response:
    """200 while the database answers, else 503. Gaps are what the auditor finds and what does
    not heal; starting this process again would not heal them, so they change no status."""
    try:
        gaps = (await read_audit(services_of(request).pool, now_us())).gaps
    except StorageError:
        down = HealthAnswer(ok=False, checks={"database": "down"})
        return reply(down, 503, {"Retry-After": "1"})
    return reply(HealthAnswer(ok=True, checks={"database": "up"}, gaps=gaps or None))


@router.get("/metrics", summary="Metrics", include_in_schema=False)
async def get_metrics(allowed: Annotated[None, Depends(watcher)], request: Request) -> Response:
    """What this process has counted, for Prometheus."""
    await observe_simulations(services_of(request).pool)
    await observe_audit(services_of(request).pool)
    await observe_upkeep(services_of(request).pool)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
