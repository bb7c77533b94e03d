"""The strategy that agents and sessions go by: its defaults, and what the API has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sim.signals.bounds import read
from sim.signals.terms import RiskTerms, StrategyTerms, VotingTerms
from storage.agents.settings import changed_settings
from storage.postgres.database import AsyncPool

RISK_SETTINGS = (
    *("max_position_size", "max_positions", "max_daily_loss", "max_drawdown"),
    *("default_stop_loss", "default_take_profit", "default_quantity"),
)
"""What the configuration and the risk agent's section of a strategy call alike."""

VOTING_SETTINGS = ("min_confidence",)


async def terms_in_force(pool: AsyncPool) -> StrategyTerms:
    """As they are this moment. Raises DatabaseUnavailable, and TermsRefused where what is stored is
    not what the API lets in."""
    return read(StrategyTerms, as_sections(await changed_settings(pool)))


def as_sections(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the configuration in the sections that a strategy has them in."""
    return {
        "agents": {"risk": _section(RiskTerms, RISK_SETTINGS, changed)},
        "voting": _section(VotingTerms, VOTING_SETTINGS, changed),
    }


def _section(kind: type[Any], names: Sequence[str], changed: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration has no upper bounds for some of what a strategy has one for."""
    highest = {one.name: one.metadata["bound"].high for one in fields(kind) if one.metadata}
    return {name: min(changed[name], highest[name]) for name in names if name in changed}
