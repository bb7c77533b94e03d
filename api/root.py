"""What stands at the root: what this is, and where to go on."""

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from api.door.answers import example, reply
from api.door.describing import Door, documented
from api.door.routing import ExactRoute
from api.door.wire import Wire

NAME = "sandpit"
VERSION = version(NAME)

SAID: dict[str, Any] = {
    "name": NAME,
    "version": VERSION,
    "status": "running",
    "description": "A paper-trading exchange for perpetual futures and spot markets",
    "docs": "/docs",
    "openapi": "/openapi.json",
    "health": "/health",
    "markets": "/markets",
    "register": "/auth/register",
}


class RootAnswer(Wire):
    """What this server is, and where to go on."""

    name: str
    version: str
    status: str
    description: str
    docs: str
    openapi: str
    health: str
    markets: str
    register_at: Annotated[str, Field(alias="register")]

    model_config = example(**SAID)


ROOT = RootAnswer.model_validate(SAID)

router = APIRouter(route_class=ExactRoute, tags=["Operations"])


@router.get("/", summary="What this is", **documented(200, RootAnswer, opens=Door.NOTHING))
async def get_root() -> Response:
    """Name, version, and where the documentation is."""
    return reply(ROOT)
