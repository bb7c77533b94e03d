"""A droid's config as its row keeps it: JSON in which exact decimals are text."""

import json
from collections.abc import Mapping
from decimal import Decimal

from sim.droid.config import CHOICES, DroidConfig, read_config
from sim.droid.written import written
from sim.pool.terms import PoolTerms


def config_text(config: DroidConfig) -> str:
    """As it is kept."""
    return json.dumps(written(config))


def config_of(text: str, terms: PoolTerms) -> DroidConfig:
    """And back, of a droid in the pool with these terms."""
    return read_config(exact(json.loads(text)), terms)


def exact(kept: Mapping[str, object]) -> dict[str, object]:
    """Fields in which decimals are written as text, as sim/droid/config.py reads them."""
    return {
        name: Decimal(value) if isinstance(value, str) and name not in CHOICES else value
        for name, value in kept.items()
    }
