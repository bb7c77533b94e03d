"""Which language models are asked, as clients are told it; where they are, and with which key, is
nobody's business."""

from decimal import Decimal
from typing import Any

from starlette.requests import Request

from api.cryptofunk.wire import Told
from api.door.routing import services_of
from api.door.wire import ExactDecimal
from storage.agents.model_budget import spent_today
from storage.errors import StorageError
from storage.model_settings import NOT_A_MODEL
from storage.postgres.database import now_us
from storage.settings import Settings

NO_GATEWAY, GATEWAY = "none", "openai-compatible"
NOBODY_ASKED: dict[str, Any] = {
    "gateway": NO_GATEWAY,
    "primary_model": NOT_A_MODEL,
    "fallback_model": NOT_A_MODEL,
    "enable_caching": True,
}


class ModelsTold(Told):
    """Whether language models are asked, and what the day has left for that."""

    gateway: str
    tokens_left: int
    usd_left: ExactDecimal


def models_asked(settings: Settings) -> dict[str, Any]:
    """Who is asked; behind the last one the rules speak."""
    if not settings.llm_models:
        return NOBODY_ASKED
    first, second = (*settings.llm_models, NOT_A_MODEL)[:2]
    return {**NOBODY_ASKED, "gateway": GATEWAY, "primary_model": first, "fallback_model": second}


async def models_left(request: Request) -> ModelsTold | None:
    """None where the database does not tell."""
    services = services_of(request)
    settings = services.settings
    if not settings.llm_models:
        return ModelsTold(gateway=NO_GATEWAY, tokens_left=0, usd_left=Decimal(0))
    try:
        spent = await spent_today(services.pool, now_us())
    except StorageError:
        return None
    return ModelsTold(
        gateway=GATEWAY,
        tokens_left=max(0, settings.llm_tokens_a_day - spent.tokens),
        usd_left=max(Decimal(0), settings.llm_usd_max - spent.usd),
    )
