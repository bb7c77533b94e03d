"""Whether this process can do its work, and what it has counted."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.door.answers import example, reply
from api.door.callers import watcher
from api.door.describing import Door, documented
from api.door.openapi import Words
from api.door.refusal_examples import FIELD_TWICE
from api.door.routing import ExactRoute, services_of
from api.door.wire import Wire
from storage.errors import StorageError
from storage.postgres.database import now_us
from storage.reading.audit_readings import read_audit
from storage.reading.market_data import halted_markets

Health = Annotated[str, Field(pattern="^(up|down)$")]


class HealthAnswer(Wire):
    """Whether this process can do its work. `degraded`: it can, but the markets in
    `haltedMarkets` are halted, for the reasons there, or what the auditor found in `gaps` does
    not heal."""

    ok: bool
    status: Annotated[str, Field(pattern="^(ok|degraded|down)$")]
    checks: dict[str, Health]
    halted_markets: dict[str, str] | None = None
    gaps: list[str] | None = None

    model_config = example(ok=True, status="ok", checks={"database": "up"})


DOWN: dict[int | str, dict[str, Any]] = {
    503: {
        "model": HealthAnswer,
        "description": "The database does not answer",
        "content": {
            "application/json": {
                "example": {"ok": False, "status": "down", "checks": {"database": "down"}}
            }
        },
    }
}

FIELDS = {
    "ok": "True while all checks are up.",
    "checks": "Each thing that is needed: up or down.",
    "HealthAnswer.haltedMarkets": "Markets that are halted, with the reason.",
    "gaps": "What the auditor found and what does not heal, a sentence each.",
}

WORDS = Words(
    "api.health",
    FIELDS,
    refusals={"getHealth": {400: FIELD_TWICE}},
    tags={"Operations": "Whether this server works."},
)

router = APIRouter(route_class=ExactRoute, tags=["Operations"])


@router.get(
    "/health", summary="Health", **documented(200, HealthAnswer, opens=Door.NOTHING, instead=DOWN)
)
async def get_health(request: Request) -> Response:
    """200 while the database answers, else 503. A halted market, or a gap that the auditor found,
    is no reason to start this process again, so it is told and changes nothing."""
    pool = services_of(request).pool
    try:
        halted = await halted_markets(pool)
        gaps = (await read_audit(pool, now_us())).gaps
    except StorageError:
        down = HealthAnswer(ok=False, status="down", checks={"database": "down"})
        return reply(down, 503, {"Retry-After": "1"})
    health = HealthAnswer(
        ok=True,
        status="degraded" if halted or gaps else "ok",
        checks={"database": "up"},
        halted_markets=halted or None,
        gaps=gaps or None,
    )
    return reply(health)


@router.get("/metrics", summary="Metrics", include_in_schema=False)
async def get_metrics(allowed: Annotated[None, Depends(watcher)], request: Request) -> Response:
    """What this process has counted, for Prometheus."""
    services = services_of(request)
    text = await services.metrics.text(services.pool)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
