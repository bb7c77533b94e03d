"""How models are asked, as the API has changed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.agents.settings import changed_settings
from storage.model_settings import ModelSettings
from storage.postgres.database import AsyncPool


@dataclass(frozen=True)
class ModelWishes:
    """How freely a model answers, and how long its answer may be."""

    temperature: float
    max_tokens: int


def wishes_of(settings: ModelSettings) -> ModelWishes:
    """Where nobody has changed them."""
    return ModelWishes(settings.llm_temperature, settings.llm_max_tokens)


async def wishes_in_force(pool: AsyncPool, given: ModelWishes) -> ModelWishes:
    """As they are this moment. Raises DatabaseUnavailable."""
    changed: Mapping[str, Any] = await changed_settings(pool)
    return ModelWishes(
        float(changed.get("llm_temperature", given.temperature)),
        int(changed.get("llm_max_tokens", given.max_tokens)),
    )


async def is_approval_required(pool: AsyncPool) -> bool:
    """Whether nothing is opened that no model has approved. Raises DatabaseUnavailable."""
    return bool((await changed_settings(pool)).get("llm_approval_required", False))
