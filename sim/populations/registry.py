"""Which strategies there are, by the name a scenario calls them."""

from dataclasses import dataclass
from typing import Any

from sim.populations.arbitrage import Arbitrage, ArbitrageParameters
from sim.populations.avellaneda_stoikov import AvellanedaStoikov, AvellanedaStoikovParameters
from sim.populations.crowd import Crowd
from sim.populations.dice import Dice
from sim.populations.fundamental_chartist_noise import (
    FundamentalChartistNoise,
    FundamentalChartistNoiseParameters,
)
from sim.populations.ladder import Ladder, LadderParameters
from sim.populations.mean_reversion import MeanReversion, MeanReversionParameters
from sim.populations.momentum import Momentum, MomentumParameters
from sim.populations.noise import Noise, NoiseParameters
from sim.populations.order_splitting import OrderSplitting, OrderSplittingParameters
from sim.populations.pov import Pov, PovParameters
from sim.populations.twap import Twap, TwapParameters
from sim.populations.value import Value, ValueParameters
from sim.populations.vwap import Vwap, VwapParameters


@dataclass(frozen=True)
class StrategyKind:
    """A population and its parameters: a dataclass of integers made with `bounded`."""

    population: type[Crowd]
    parameters: type[Any]


STRATEGIES = {
    "ladder": StrategyKind(Ladder, LadderParameters),
    "noise": StrategyKind(Noise, NoiseParameters),
    "momentum": StrategyKind(Momentum, MomentumParameters),
    "value": StrategyKind(Value, ValueParameters),
    "mean-reversion": StrategyKind(MeanReversion, MeanReversionParameters),
    "avellaneda-stoikov": StrategyKind(AvellanedaStoikov, AvellanedaStoikovParameters),
    "arbitrage": StrategyKind(Arbitrage, ArbitrageParameters),
    "twap": StrategyKind(Twap, TwapParameters),
    "vwap": StrategyKind(Vwap, VwapParameters),
    "pov": StrategyKind(Pov, PovParameters),
    "order-splitting": StrategyKind(OrderSplitting, OrderSplittingParameters),
    "fundamental-chartist-noise": StrategyKind(
        FundamentalChartistNoise, FundamentalChartistNoiseParameters
    ),
}


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
