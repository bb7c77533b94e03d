"""Which strategies there are, by the name a scenario calls them."""

from typing import Any

from sim.populations import (
    arbitrage,
    avellaneda_stoikov,
    fundamental_chartist_noise,
    ladder,
    mean_reversion,
    momentum,
    noise,
    order_splitting,
    pov,
    signal_agents,
    twap,
    value,
    vwap,
)
from sim.populations.crowd import Crowd, StrategyKind
from sim.populations.dice import Dice

DECLARED: tuple[StrategyKind, ...] = (
    arbitrage.STRATEGY,
    avellaneda_stoikov.STRATEGY,
    fundamental_chartist_noise.STRATEGY,
    ladder.STRATEGY,
    mean_reversion.STRATEGY,
    momentum.STRATEGY,
    noise.STRATEGY,
    order_splitting.STRATEGY,
    pov.STRATEGY,
    signal_agents.STRATEGY,
    twap.STRATEGY,
    value.STRATEGY,
    vwap.STRATEGY,
)
STRATEGIES = {kind.name: kind for kind in DECLARED}


def build_population(
    strategy: str,
    parameters: Any,
    accounts: range,
    markets: int,
    seed: int,
    strategy_no: int,
    first_trader: int = 0,
) -> Crowd:
    """The population of a strategy, or the part of it that begins at `first_trader`.

    accounts      of this part, one a trader
    markets       how many markets it sees, in the order of its views
    seed          of the world
    strategy_no   its number in the world: no two strategies draw the same numbers
    """
    dice = Dice(seed, strategy_no, len(accounts), first_trader)
    build: Any = STRATEGIES[strategy].population
    population: Crowd = build(parameters, accounts, markets, dice)
    return population
