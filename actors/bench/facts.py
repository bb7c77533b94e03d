"""`sandpit bench facts`: which stylised facts a scenario shows, seed by seed, beside real trades.

Every run records all trades and goes through sim/facts/stylized.py, as do the files to compare
with. A fact that cannot be told on a tape counts as not held. One process, no Ray: the state
hash is that of `sandpit simulate` with the same seed.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from actors.command_line import tell
from sim.book.engine import warm_up
from sim.facts.stylized import Fact, FactTable, Verdict, fact_table
from sim.record.tape import real_tape, simulated_tape
from sim.scenario.fields import ScenarioError
from sim.stepping.world import SimulatedWorld, Timing
from storage.files.scenario_file import load_scenario, scenario_prices
from storage.files.trades_file import DECIMALS, TradesFileError, read_traded

PRICE_UNIT = Decimal(1).scaleb(-DECIMALS)
"""Prices of a file are read as exactly as it writes them: only their ratios are used."""

WIDTH_ELSEWHERE = 160
"""Columns of the table where no terminal says how many there are."""

MARKS = {Verdict.HOLDS: "+", Verdict.DOES_NOT: "-", Verdict.NOT_ENOUGH_DATA: "?"}
Tables = dict[str, list[FactTable]]
"""The tables of a market, one a seed, by the market's id."""


def bench_facts(
    scenario: str, first_seed: int, seeds: int, duration_s: int | None, compare: Sequence[Path]
) -> int:
    """Print a table for each market; the exit code."""
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH_ELSEWHERE
    try:
        real = [real_table(path) for path in compare]
        found = simulated_tables(scenario, range(first_seed, first_seed + seeds), duration_s)
    except (ScenarioError, TradesFileError) as error:
        tell(str(error))
        return 1
    for market_id, tables in found.items():
        show(console, f"{scenario}, {market_id}", tables, real)
    return 0


def simulated_tables(scenario: str, seeds: range, duration_s: int | None) -> Tables:
    """Run the scenario with each seed. Raises ScenarioError."""
    warm_up()
    found: Tables = {}
    for seed in seeds:
        for market_id, table in run_tables(scenario, seed, duration_s):
            found.setdefault(market_id, []).append(table)
    return found


def run_tables(scenario: str, seed: int, duration_s: int | None) -> Iterator[tuple[str, FactTable]]:
    """Each market's id and table after one run. Raises ScenarioError."""
    described = load_scenario(scenario, seed, duration_s, "all")
    world = SimulatedWorld(described, scenario_prices(described))
    world.run()
    for market in world.record(Timing()).markets:
        yield market.spec.market_id, fact_table(simulated_tape(str(seed), market.trades))


def real_table(path: Path) -> FactTable:
    """The facts of a file of real trades. Raises TradesFileError."""
    trades = read_traded(path, PRICE_UNIT)
    columns = trades.times_us, trades.prices_ticks, trades.quantities_e8, trades.buyer_is_maker
    return fact_table(real_tape(path.name.partition("-trades")[0], *columns))


def show(
    console: Console, title: str, tables: Sequence[FactTable], real: Sequence[FactTable]
) -> None:
    """A row a fact: band, median, verdict of every seed, then the real values."""
    table = Table(title=f"{title}: + holds, - does not, ? cannot be told")
    for heading in ("fact", "band", "median", "holds", *(one.name for one in tables)):
        table.add_column(heading)
    for one in real:
        table.add_column(one.name)
    for place, fact in enumerate(tables[0].facts):
        across = [one.facts[place] for one in tables]
        shown = [MARKS[one.verdict] for one in across]
        beside = [real_text(one.facts[place]) for one in real]
        table.add_row(
            fact.description.name,
            fact.description.band.told,
            median_text(across),
            f"{held(across)}/{len(across)}",
            *shown,
            *beside,
        )
    counts = [str(one.holding) for one in (*tables, *real)]
    table.add_row("all", "", "", str(median(one.holding for one in tables)), *counts)
    console.print(table)


def held(facts: Sequence[Fact]) -> int:
    """In how many runs a fact holds."""
    return sum(fact.verdict is Verdict.HOLDS for fact in facts)


def median_text(facts: Sequence[Fact]) -> str:
    """The median of the values there are."""
    values: list[Any] = [fact.value for fact in facts if fact.value is not None]
    return f"{median(values):.3g}" if values else ""


def real_text(fact: Fact) -> str:
    """A value with its verdict."""
    value = "" if fact.value is None else f"{fact.value:.3g} "
    return value + MARKS[fact.verdict]
