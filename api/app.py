"""The application: which routes there are, in which order, and what lies around them."""

import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline

from api import bench_route, errors, health
from api.flux import account, admin, api_keys, auth, deposits, markets, orders
from api.front import Front
from api.services import Services
from api.simulations import routes as simulations
from storage.settings import Settings

SECTIONS = (
    orders.router,
    account.router,
    markets.router,
    deposits.router,
    auth.router,
    api_keys.router,
    admin.router,
    simulations.router,
    health.router,
)
"""The busiest first: routes are tried one after the other."""

GC_ALLOCATIONS = 50_000
"""Net allocations between two collections of the youngest objects; Python's default is 700."""

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def create_app(settings: Settings | None = None) -> FastAPI:
    """A new application. Raises ConfigurationError."""
    services = Services(settings or Settings.load())
    app: FastAPI = FastAPIOffline(
        title="Sandpit",
        version="1",
        summary="A paper-trading exchange for perpetual futures",
        redoc_url=None,
        lifespan=opened(services),
        redirect_slashes=False,
    )
    app.state.services = services
    sections = list(SECTIONS)
    if os.environ.get(bench_route.BENCH_VARIABLE) == "1":
        sections.insert(0, bench_route.router)
    app.router.routes[:0] = [route for section in sections for route in section.routes]
    app.add_middleware(Front, services=services)
    errors.install(app)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


def opened(services: Services) -> Any:
    """The lifespan of an application with these services."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await services.open()
        settle_garbage_collection()
        try:
            yield
        finally:
            await services.close()

    return lifespan


def settle_garbage_collection() -> None:
    """What exists now stays: it is never looked at again, and the young are looked at less often.

    A request leaves next to no cycles, yet by default every few hundred of them
    would have all modules and routes walked through.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: FastAPI's, without the 422 that nothing here answers."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=app.routes
        )
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"].pop("422", None)
                exemplify(operation, schema)
        components = schema.setdefault("components", {})
        components["securitySchemes"] = SECURITY_SCHEMES
        for unused in ("HTTPValidationError", "ValidationError"):
            components.get("schemas", {}).pop(unused, None)
        app.openapi_schema = schema
    return app.openapi_schema


def exemplify(operation: dict[str, Any], schema: dict[str, Any]) -> None:
    """Show the body model's example with the operation that takes it."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        name = content["schema"]["$ref"].rsplit("/", 1)[1]
        content["example"] = schema["components"]["schemas"][name]["examples"][0]
