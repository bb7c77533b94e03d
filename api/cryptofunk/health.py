"""Whether this process can do its work, in this family's words. One path of it is another family's
too: whoever comes there with a token of that one is answered by it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.cryptofunk.callers import Looker
from api.cryptofunk.models_told import NO_GATEWAY, ModelsTold, models_left
from api.cryptofunk.spelling import duration_text
from api.cryptofunk.stream import clients_of
from api.cryptofunk.wire import Told
from api.door.answers import example, reply_exact
from api.door.describing import Door, documented
from api.door.front import call_of
from api.door.routing import ExactRoute, services_of
from api.root import VERSION
from storage.errors import StorageError
from storage.postgres.unit_of_work import fetch_one

BEGAN_S = time.monotonic()
PING_S_MAX = 2.0
DATABASE_AWAY = "database connection failed"
TAG = "Agents"
FORMS: dict[str, Any] = {"status": "healthy", "version": VERSION, "uptime": "2h15m30s"}

OfBearer = Callable[[Request, Mapping[str, str]], Awaitable[Response]]
"""The other family's answer to a token of its own; this process's version and uptime are in it."""

router = APIRouter(route_class=ExactRoute, tags=[TAG])


class AgentsHealthAnswer(Told):
    """Whether this process can do its work."""

    status: str
    version: str
    uptime: str

    model_config = example(**FORMS)


class UnhealthyAnswer(Told):
    """The database does not answer."""

    status: str
    error: str
    version: str


class Components(Told):
    """Each part: healthy or unhealthy."""

    database: str
    api: str
    websocket: str


class WebSocketTold(Told):
    """The stream."""

    connected_clients: int


class AgentsStatusAnswer(Told):
    """How each part is doing: `operational`, or `degraded` where one of them is not."""

    status: str
    version: str
    uptime: str
    components: Components
    websocket: WebSocketTold
    models: ModelsTold | None

    model_config = example(
        status="operational",
        version=VERSION,
        uptime="2h15m30s",
        components={"database": "healthy", "api": "healthy", "websocket": "healthy"},
        websocket={"connected_clients": 3},
        models={"gateway": NO_GATEWAY, "tokens_left": 0, "usd_left": 0},
    )


UNHEALTHY = {"status": "unhealthy", "error": DATABASE_AWAY, "version": VERSION}
AWAY: dict[int | str, dict[str, Any]] = {
    503: {
        "model": UnhealthyAnswer,
        "description": "The database does not answer",
        "content": {"application/json": {"example": UNHEALTHY}},
    }
}


def health_router(of_bearer: OfBearer, its_answer: type[BaseModel]) -> APIRouter:
    """The path that both families document.

    its_answer   the model of the other family's answer
    """
    shared = APIRouter(route_class=ExactRoute, tags=[TAG])
    said = documented(200, AgentsHealthAnswer, 401, 403, opens=Door.NOTHING, instead=AWAY)
    said["responses"][200]["model"] = AgentsHealthAnswer | its_answer

    @shared.get("/api/v1/health", summary="Health", **said)
    async def get_agents_health(request: Request) -> Response:
        """Without a token of the explorer: whether the database answers. With one: how far the
        chain is indexed."""
        call, process = call_of(request.scope), {"version": VERSION, "uptime": uptime()}
        if call.credentials.bearer is not None and call.claims is None:
            return await of_bearer(request, process)
        if await answers(request):
            return reply_exact(AgentsHealthAnswer(status="healthy", **process))
        away = UnhealthyAnswer(status="unhealthy", error=DATABASE_AWAY, version=VERSION)
        return reply_exact(away, 503, {"Retry-After": "1"})

    return shared


@router.get(
    "/api/v1/status", summary="How each part is doing", **documented(200, AgentsStatusAnswer)
)
async def get_agents_status(caller: Looker, request: Request) -> Response:
    """Of this process. What is streamed is read from the database."""
    is_well = await answers(request)
    health = "healthy" if is_well else "unhealthy"
    return reply_exact(
        AgentsStatusAnswer(
            status="operational" if is_well else "degraded",
            version=VERSION,
            uptime=uptime(),
            components=Components(database=health, api="healthy", websocket=health),
            websocket=WebSocketTold(connected_clients=clients_of(services_of(request).hub)),
            models=await models_left(request) if is_well else None,
        )
    )


def uptime() -> str:
    """How long this process has been there."""
    return duration_text(int(time.monotonic() - BEGAN_S))


async def answers(request: Request) -> bool:
    """Whether the database does, in time."""
    try:
        async with asyncio.timeout(PING_S_MAX):
            return await fetch_one(services_of(request).pool, "SELECT 1") is not None
    except (StorageError, TimeoutError):
        return False
