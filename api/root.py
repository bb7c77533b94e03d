"""What stands at the root: what this is, and where to go on."""

from importlib.metadata import version

from fastapi import APIRouter
from starlette.responses import Response

from api.door.answers import reply
from api.door.describing import documented
from api.door.routing import ExactRoute
from api.flux.answers import RootAnswer

NAME = "sandpit"
VERSION = version(NAME)
ROOT = RootAnswer(
    name=NAME,
    version=VERSION,
    status="running",
    description="A paper-trading exchange for perpetual futures",
    docs="/docs",
    openapi="/openapi.json",
    health="/health",
    markets="/markets",
    register_at="/auth/register",
)

router = APIRouter(route_class=ExactRoute, tags=["Operations"])


@router.get("/", summary="What this is", **documented(200, RootAnswer, public=True))
async def get_root() -> Response:
    """Name, version, and where the documentation is."""
    return reply(ROOT)
