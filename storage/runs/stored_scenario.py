"""Scenarios of the API: those that ship, by name, and those that were sent, as text.

They read no files: nothing here opens a path that somebody sent. Candles that a market walks lie
beside the text.
"""

from collections.abc import Mapping
from dataclasses import replace

from sim.prices.processes import Integers
from sim.scenario.fields import ScenarioError
from sim.scenario.markets import CandlePath, Constant, Same, Synthetic
from sim.scenario.scenario import Scenario, parse_scenario
from sim.signals.terms import StrategyTerms
from storage.files.scenario_file import SHIPPED_DIRECTORY, shipped_scenarios
from storage.runs.kept_candles import KeptCandles, unpacked
from storage.runs.simulations import SimulationWish

MADE_WITHOUT_FILES = (Synthetic, Constant, Same)
FOUND_LENGTH_MAX = 60
OTHER_CANDLES = "found other candles than those that lie beside it, allowed are the same"


def shipped_text(name: str) -> str:
    """The text of a shipped scenario. Raises ScenarioError where there is none of this name."""
    if name not in shipped_scenarios():
        found, known = repr(name)[:FOUND_LENGTH_MAX], ", ".join(_shipped_without_files())
        raise ScenarioError(f"scenario: found {found}, allowed is one of {known}")
    return _text(name)


def _shipped_without_files() -> list[str]:
    return [name for name in shipped_scenarios() if not _reads_files(parse_scenario(_text(name)))]


def _text(name: str) -> str:
    return (SHIPPED_DIRECTORY / f"{name}.toml").read_text()


def _reads_files(scenario: Scenario) -> bool:
    return not all(isinstance(one.price, MADE_WITHOUT_FILES) for one in scenario.world.markets)


def scenario_of(wish: SimulationWish) -> Scenario:
    """The scenario to run. Raises ScenarioError."""
    return read_scenario(wish.scenario, wish.seed, wish.duration_s, candles_of(wish))


def candles_of(wish: SimulationWish) -> KeptCandles | None:
    """Those that lie beside its text."""
    return None if wish.history is None else unpacked(wish.history)


def paths_of(wish: SimulationWish) -> Mapping[str, Integers]:
    """What the markets of the wish walk, by id, where they walk candles."""
    candles = candles_of(wish)
    return {} if candles is None else candles.paths


def read_scenario(
    text: str,
    seed: int | None = None,
    duration_s: int | None = None,
    candles: KeptCandles | None = None,
) -> Scenario:
    """A scenario from its text; without recorded trades. Raises ScenarioError.

    candles   that lie beside it
    """
    scenario = parse_scenario(text, seed, duration_s)
    for place, market in enumerate(scenario.world.markets):
        price, market_id = market.price, market.spec.market_id
        if isinstance(price, CandlePath) and candles is not None:
            if market_id not in candles.minutes or price.digest != candles.digest(market_id):
                raise ScenarioError(f"markets[{place}].price.digest: {OTHER_CANDLES}")
        elif not isinstance(price, MADE_WITHOUT_FILES):
            raise ScenarioError(
                f"markets[{place}].price.process: found one that reads a file (the command line"
                " may do that), allowed here is one of constant, same, synthetic"
            )
    if candles is None:
        return scenario
    lengths = [
        crowd.parameters.candle_s
        for crowd in scenario.world.populations
        if isinstance(crowd.parameters, StrategyTerms)
    ]
    return replace(scenario, past=candles.pasts(lengths[0])) if lengths else scenario
