"""The strategy that agents and sessions go by: its defaults, and what the API has changed.

Each value lies in one place: what the configuration and a strategy call alike is a field of the
configuration, all else of the strategy lies under STRATEGY beside those fields. So whatever was
changed last holds, be it by the one or the other.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sim.signals.strategy import Strategy, merged, read_strategy, written_strategy
from sim.signals.terms import RiskTerms, StrategyTerms, VotingTerms
from storage.agents.settings import change_settings, changed_settings
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection

RISK_SETTINGS = (
    *("max_position_size", "max_positions", "max_daily_loss", "max_drawdown"),
    *("default_stop_loss", "default_take_profit", "default_quantity"),
)
"""What the configuration and the risk agent's section of a strategy call alike."""

VOTING_SETTINGS = ("min_confidence",)
STRATEGY = "strategy"


async def terms_in_force(pool: AsyncPool) -> StrategyTerms:
    """As they are this moment. Raises DatabaseUnavailable, and TermsRefused where what is stored is
    not what the API lets in."""
    return (await strategy_in_force(pool)).terms


async def strategy_in_force(pool: AsyncPool) -> Strategy:
    """The same with its name."""
    return read_strategy(as_sections(await changed_settings(pool)))


async def put_in_force(connection: Connection, strategy: Strategy) -> None:
    """For ever: also in the place of what the configuration was changed to. The caller's
    transaction commits."""
    settings = as_settings(strategy)
    await change_settings(connection, json.dumps(settings), list(settings), True)


def as_sections(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the configuration in the sections that a strategy has them in."""
    shared = {
        "agents": {"risk": _section(RiskTerms, RISK_SETTINGS, changed)},
        "voting": _section(VotingTerms, VOTING_SETTINGS, changed),
    }
    return merged(changed.get(STRATEGY, {}), shared)


def as_settings(strategy: Strategy) -> dict[str, Any]:
    """And back."""
    sections = written_strategy(strategy)
    risk, voting = sections["agents"]["risk"], sections["voting"]
    shared = {name: risk.pop(name) for name in RISK_SETTINGS}
    shared |= {name: voting.pop(name) for name in VOTING_SETTINGS}
    return {**shared, STRATEGY: sections}


def _section(kind: type[Any], names: Sequence[str], changed: Mapping[str, Any]) -> dict[str, Any]:
    """What was stored before the configuration had a strategy's bounds is held to them."""
    highest = {one.name: one.metadata["bound"].high for one in fields(kind) if one.metadata}
    return {name: min(changed[name], highest[name]) for name in names if name in changed}
