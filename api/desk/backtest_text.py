"""Backtests of agents' strategies as the scenarios that they are: a market whose index walks
recorded candles, or one of a scenario that ships, and among its traders one signal agents' session.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.desk.scenario_text import checked_text, toml_of
from sim.market import MarketSpec
from sim.scenario.markets import SPEC_OPTIONS
from sim.scenario.work import CROWD_MIN
from sim.signals.bounds import written
from sim.signals.strategy import Strategy
from storage.files.world_file import shipped_world_text
from storage.runs.agent_backtests import SESSION
from storage.runs.kept_candles import KeptCandles
from storage.runs.stored_scenario import shipped_text

WORLD, AROUND = "default", ("makers", "noise", "reserve")
"""The world whose traders there are around recorded candles, and which of them: makers who quote
around the index, so that the book is where the candles are, and those who do not care. The others
follow prices, or trade in several markets."""

OF_ONE_MARKET = frozenset({"markets", "inventory"})
"""What is said of a population that another world cannot have."""

OF_SESSIONS = "signal-agents"
"""The strategy of simulations whose traders are sessions."""

NAME, POPULATIONS = "backtest", "populations"
STEP_US = 1_000_000
"""On history: agents look once in five seconds at the most."""

SAMPLE_MS = 10_000


@dataclass(frozen=True)
class Traded:
    """What a backtest's session has and trades.

    capital       as it was sent
    populations   who else trades, as tables; None for those of the scenario
    """

    market_ids: Sequence[str]
    capital: str
    populations: Sequence[Mapping[str, Any]] | None


def on_history(
    specs: Sequence[MarketSpec], candles: KeptCandles, traded: Traded, seed: int, duration_s: int
) -> dict[str, Any]:
    """The scenario of markets that walk their candles, its session apart."""
    return {
        "name": NAME,
        "seed": seed,
        "duration_s": duration_s,
        "step_us": STEP_US,
        "sample_ms": SAMPLE_MS,
        "record": "sampled",
        "markets": [market_table(spec, candles.digest(spec.market_id)) for spec in specs],
        POPULATIONS: crowd() if traded.populations is None else [*traded.populations],
    }


def crowd() -> list[dict[str, Any]]:
    """Who trades around recorded candles: of each as many as cost no more than the fewest do."""
    return [
        {name: value for name, value in one.items() if name not in OF_ONE_MARKET}
        | {"heads": min(one["heads"], CROWD_MIN)}
        for one in tomllib.loads(shipped_world_text(WORLD))[POPULATIONS]
        if one["name"] in AROUND
    ]


def of_scenario(name: str, traded: Traded) -> dict[str, Any]:
    """One that ships, with other traders where there are; its session apart. Raises
    ScenarioError."""
    table = tomllib.loads(shipped_text(name))
    return table if traded.populations is None else table | {POPULATIONS: [*traded.populations]}


def with_session(table: Mapping[str, Any], traded: Traded, strategy: Strategy) -> str:
    """The text of a scenario in which one session trades by a strategy, each of its terms on a line
    of its own. Raises ScenarioError."""
    rest = {name: value for name, value in table.items() if name != POPULATIONS}
    pieces = [toml_of(rest)]
    for one in (*table[POPULATIONS], session_table(traded)):
        pieces += [f"[[{POPULATIONS}]]\n", toml_of(one)]
    pieces += sections(f"{POPULATIONS}.parameters", written(strategy.terms))
    return checked_text("".join(pieces))


def sections(path: str, values: Mapping[str, Any]) -> Iterator[str]:
    """A table and those within it, each under its heading."""
    plain = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
    yield f"[{path}]\n{toml_of(plain)}"
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from sections(f"{path}.{name}", value)


def market_table(spec: MarketSpec, digest: str) -> dict[str, Any]:
    """A market of the exchange as a scenario has it."""
    sizes = {
        "tick_size": f"{spec.tick_size:f}",
        "lot_size": f"{spec.lot_size:f}",
        "max_quantity": f"{spec.max_quantity_lots * spec.lot_size:f}",
    }
    options = {name: getattr(spec, name) for name in SPEC_OPTIONS}
    assets = {"id": spec.market_id, "base": spec.base_asset, "quote": spec.quote_asset}
    return assets | sizes | options | {"price": {"process": "candles", "digest": digest}}


def session_table(traded: Traded) -> dict[str, Any]:
    """The population that the session is, its strategy apart."""
    return {
        "name": SESSION,
        "strategy": OF_SESSIONS,
        "heads": 1,
        "capital": traded.capital,
        "markets": [*traded.market_ids],
    }
