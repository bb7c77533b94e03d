"""What stands at the root: what this is, and where to go on."""

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from api.door.answers import example, reply
from api.door.describing import Door, documented
from api.door.openapi import Words
from api.door.refusal_examples import FIELD_TWICE
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

FIELDS = {
    "RootAnswer.name": "What runs here.",
    "version": "Its version.",
    "RootAnswer.status": "running",
    "description": "What it is.",
    "docs": "Where a person reads on.",
    "openapi": "Where a program reads on.",
    "health": "Whether it works.",
    "RootAnswer.markets": "Where the markets are listed.",
    "register": "Where one begins.",
}

WORDS = Words(
    "api.root",
    FIELDS,
    refusals={"getServer": {400: FIELD_TWICE}},
    operation_ids={"get_root": "getServer"},
)

router = APIRouter(route_class=ExactRoute, tags=["Operations"])


@router.get("/", summary="What this is", **documented(200, RootAnswer, opens=Door.NOTHING))
async def get_root() -> Response:
    """Name, version, and where the documentation is."""
    return reply(ROOT)
