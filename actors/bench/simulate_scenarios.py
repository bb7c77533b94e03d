"""The scenarios that `sandpit bench simulate` measures, as TOML text."""

import re
from collections.abc import Mapping

HEAD = """
name = "{name}"
seed = {seed}
duration_s = {duration_s}
record = "none"
"""

MARKET = """
[[markets]]
id = "{market}"
base = "BTC"
quote = "USDC"
tick_size = "0.1"
lot_size = "0.001"
max_quantity = "1000"
price = {{process = "synthetic", start = "66000"}}
"""

POPULATION = """
[[populations]]
name = "{name}"
strategy = "{strategy}"
heads = {heads}
capital = "{capital}"
parameters = {{{parameters}}}
"""

STEPS_PER_S = 10
HEADS = re.compile(r"^heads = ([\d_]+)$", re.MULTILINE)
TRADERS_OF_MILLION = 1_000_000


def scenario_text(name: str, seed: int, steps: int, markets: int, *populations: str) -> str:
    """A scenario of so many steps of 100 ms on markets that are all alike."""
    head = HEAD.format(name=name, seed=seed, duration_s=max(1, steps // STEPS_PER_S))
    return (
        head
        + "".join(MARKET.format(market=f"M{n}-PERP") for n in range(markets))
        + "".join(populations)
    )


def population(
    strategy: str, heads: int, parameters: Mapping[str, int], capital: int = 1_000_000
) -> str:
    """Traders on all markets."""
    told = ", ".join(f"{name} = {value}" for name, value in parameters.items())
    return POPULATION.format(
        name=f"{strategy}s", strategy=strategy, heads=heads, capital=capital, parameters=told
    )


def noise(heads: int, activity_ppm: int) -> str:
    """Noise traders, of whom this part acts in a step."""
    return population("noise", heads, {"activity_ppm": activity_ppm})


def ladders(heads: int) -> str:
    """Makers with deep pockets."""
    return population("ladder", heads, {}, 1_000_000_000)


def fcn(heads: int, activity_ppm: int) -> str:
    """FCN traders with horizons as those of PAMS's example."""
    parameters = {"activity_ppm": activity_ppm, "horizon_min": 100, "horizon_max": 200}
    return population("fundamental-chartist-noise", heads, parameters)


def scaled(text: str, traders: int) -> str:
    """The scenario `million` with another number of traders, each population in its share."""
    return HEADS.sub(lambda found: f"heads = {_share(found[1], traders)}", text)


def _share(heads: str, traders: int) -> int:
    return max(1, int(heads.replace("_", "")) * traders // TRADERS_OF_MILLION)
