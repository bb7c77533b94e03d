"""The strategy that agents and sessions go by: its defaults, and what the API has changed."""

from collections.abc import Mapping
from typing import Any

from sim.signals.bounds import read
from sim.signals.terms import StrategyTerms
from storage.agents.settings import changed_settings
from storage.postgres.database import AsyncPool

RISK_SETTINGS = (
    *("max_position_size", "max_positions", "max_daily_loss", "max_drawdown"),
    *("default_stop_loss", "default_take_profit", "default_quantity"),
)
"""What the configuration and the risk agent's section of a strategy call alike."""

MIN_CONFIDENCE = "min_confidence"


async def terms_in_force(pool: AsyncPool) -> StrategyTerms:
    """As they are this moment. Raises DatabaseUnavailable, and TermsRefused where what is stored is
    not what the API lets in."""
    return read(StrategyTerms, as_sections(await changed_settings(pool)))


def as_sections(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the configuration in the sections that a strategy has them in."""
    risk = {name: changed[name] for name in RISK_SETTINGS if name in changed}
    voting = {MIN_CONFIDENCE: changed[MIN_CONFIDENCE]} if MIN_CONFIDENCE in changed else {}
    return {"agents": {"risk": risk}, "voting": voting}
