"""The application: which routes there are, in which order, and what lies around them."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import health, root
from api.cryptofunk import (
    agents,
    audit,
    backtests,
    candles,
    config,
    decisions,
    feedback,
    feedback_figures,
    positions,
    strategies,
)
from api.cryptofunk import document as agents_document
from api.cryptofunk import envelope as agents_envelope
from api.cryptofunk import health as agents_health
from api.cryptofunk import orders as agent_orders
from api.cryptofunk import sessions as agent_sessions
from api.cryptofunk import stream as agents_stream
from api.door import errors
from api.door.bodies import BodyLimits
from api.door.families import Families, Family
from api.door.front import Front
from api.door.openapi import describe, document_of
from api.door.services import Services
from api.flux import (
    account,
    accounts,
    admin,
    amendments,
    api_keys,
    auth,
    bench_route,
    deposits,
    document,
    envelope,
    margin,
    markets,
    orders,
    stream,
)
from api.havencap import admin as app_admin
from api.havencap import auth as app_auth
from api.havencap import devbe as app_devbe
from api.havencap import document as app_document
from api.havencap import droids as app_droids
from api.havencap import envelope as app_envelope
from api.havencap import explorer as app_explorer
from api.havencap import money as app_money
from api.havencap import orders as app_orders
from api.havencap import tokens as app_tokens
from api.havencap.explorer_answers import ExplorerHealthAnswer
from api.simulations import document as document_of_simulations
from api.simulations import routes as simulations
from storage.process_limits import settle_garbage_collection
from storage.settings import Settings

SECTIONS = (
    orders.router,
    amendments.router,
    account.router,
    margin.router,
    markets.router,
    deposits.router,
    auth.router,
    accounts.router,
    api_keys.router,
    admin.router,
    stream.router,
    simulations.router,
    app_orders.router,
    app_money.router,
    app_droids.router,
    app_devbe.router,
    app_auth.router,
    app_admin.router,
    app_tokens.router,
    app_explorer.router,
    agent_orders.router,
    positions.router,
    agents.router,
    agent_sessions.router,
    decisions.router,
    feedback.router,
    feedback_figures.router,
    config.router,
    agents_stream.router,
    strategies.router,
    strategies.texts,
    candles.router,
    backtests.router,
    audit.router,
    agents_health.router,
    agents_health.health_router(app_explorer.tell_health, ExplorerHealthAnswer),
    health.router,
    root.router,
)
"""The busiest first: routes are tried one after the other."""

FAMILIES = (
    Family(
        "api.flux",
        "/",
        envelope.refuse,
        envelope.rate_kind,
        document.ERRORS,
        sockets=stream.SOCKETS,
    ),
    Family(
        "api.havencap",
        "/api/",
        app_envelope.refuse,
        app_envelope.rate_kind,
        app_document.ERRORS,
        takes_cookies=True,
        also=("/api/v1/transactions/", "/api/v1/blocks/", "/api/v1/tokens/"),
    ),
    Family(
        "api.cryptofunk",
        "/api/v1/",
        agents_envelope.refuse,
        agents_envelope.rate_kind,
        agents_document.ERRORS,
        takes_cookies=True,
        slashed=("/api/v1/positions/",),
        sockets=agents_stream.SOCKETS,
    ),
)

WORDS = (
    document.WORDS,
    document_of_simulations.WORDS,
    app_document.WORDS,
    agents_document.WORDS,
    health.WORDS,
    root.WORDS,
    document.WORDS_OF_ADMIN,
)
"""In the order in which a newcomer needs their sections."""

ABOUT = """Paper money, real matching: orders meet in a price-time book, positions have margin, and
simulated traders give the markets prices and depth. Funding is paid and positions are closed by
force in simulations; here not yet.

A first order: `POST /auth/guest` gives a token (press **Authorize** and paste it),
`POST /deposits` money, `POST /orders` an order. Prices, quantities and amounts are decimal
strings; JSON numbers, also with an exponent, are read as exactly. Every refusal is
`{"error":{"code","message"}}`, its message a sentence that names the nearest valid value where
there is one.

What happens is told over a WebSocket, `GET /ws`, which this document's format cannot describe: send
`{"op":"subscribe","channel":"trades","market":"BTC-PERP"}`. `GET /api/v1/ws` tells whoever runs
agents of their sessions, and needs nothing to be sent. See `docs/streams.md`."""

PAGE = {
    "docExpansion": "list",
    "defaultModelsExpandDepth": 0,
    "displayRequestDuration": True,
    "persistAuthorization": True,
    "tryItOutEnabled": True,
}
"""How the documentation's page opens: operations as a list, schemas folded."""


UNOBSERVED: Any = {"tracing": False, "metrics": False, "logs": False}
"""/metrics is our own; to ask for OpenTelemetry's providers would cost every request its time."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """A new application. Raises ConfigurationError."""
    services = Services(settings or Settings.load())
    app: FastAPI = FastAPIOffline(
        title="Sandpit",
        version=root.VERSION,
        summary="A paper-trading exchange for perpetual futures and spot markets",
        description=ABOUT,
        redoc_url=None,
        swagger_ui_parameters=PAGE,
        lifespan=opened(services),
        redirect_slashes=False,
        telemetry=UNOBSERVED,
    )
    app.state.services = services
    sections = list(SECTIONS)
    if os.environ.get(bench_route.BENCH_VARIABLE) == "1":
        sections.insert(0, bench_route.router)
    description = Route("/openapi.json", send_document, include_in_schema=False)
    app.router.routes[:0] = [route for section in sections for route in section.routes] + [
        description
    ]
    app.state.families = families = Families(FAMILIES)
    bodies = body_limits(services.settings)
    app.add_middleware(Front, services=services, families=families, bodies=bodies)
    errors.install(app)
    app.openapi = lambda: describe(app, families, WORDS)  # type: ignore[method-assign]
    return app


def body_limits(settings: Settings) -> BodyLimits:
    """How large bodies may be, route by route."""
    return BodyLimits(
        settings.body_limit_bytes, {**simulations.LARGE_BODIES, **strategies.LARGE_BODIES}
    )


async def send_document(request: Request) -> Response:
    """The OpenAPI document, written once and not for each who asks."""
    return Response(document_of(request.app), media_type="application/json")


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
