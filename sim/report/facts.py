"""The stylised-fact tables of a report: ours, those of real trades, the band, the verdict."""

from collections.abc import Sequence

from sim.facts.of_run import MarketFacts, Reference
from sim.facts.stylized import Fact, Verdict
from sim.report.html import table_html
from sim.report.text import SECOND_US, duration, escaped, number, significant

WORDS = {
    Verdict.HOLDS: ("holds", "holds"),
    Verdict.DOES_NOT: ("not", "does not"),
    Verdict.NOT_ENOUGH_DATA: ("open", "cannot be judged"),
}
"""Class and text of each verdict."""


def facts_section(facts: Sequence[MarketFacts], reference: Reference | None) -> str:
    """A table for each market."""
    return "".join(_facts_of(one, reference) for one in facts)


def _facts_of(ours: MarketFacts, reference: Reference | None) -> str:
    table = ours.table
    beside = reference if reference and table.name in reference.market_ids else None
    head = ["fact", "verdict", _column("here", ours)]
    head += [_column("real", beside.facts)] if beside else []
    head += ["literature"]
    rows = [
        _row(ours, place, beside.facts if beside else None) for place in range(len(table.facts))
    ]
    count = f"{table.holding} of {len(table.facts)} hold"
    return (
        f"<h3>{escaped(table.name)}: {count}{_real_count(reference, beside)}</h3>"
        f"{table_html(head, rows, words=True)}"
    )


def _real_count(reference: Reference | None, beside: Reference | None) -> str:
    if reference is None:
        return ""
    if beside is None:
        return f"; not compared, {escaped(reference.file)} is of another market"
    table = beside.facts.table
    return f"; {table.holding} of {len(table.facts)} in {escaped(beside.file)}"


def _column(name: str, facts: MarketFacts) -> str:
    table = facts.table
    interval = f"Δ\u202f{table.interval_us // SECOND_US}\u202fs"
    said = f"{number(table.trades)} trades, {duration(table.span_us)}, {interval}"
    return f"{name}<small>{said}</small>"


def _row(ours: MarketFacts, place: int, real: MarketFacts | None) -> tuple[str, list[str]]:
    fact = ours.table.facts[place]
    about = fact.description
    cells = [_verdict(ours, fact), _value(fact)]
    if real is not None:
        other = real.table.facts[place]
        cells.append(f"{_value(other)}<small>{_verdict(real, other)}</small>")
    cells.append(f"{escaped(about.band.told)}<small>{escaped(about.source)}</small>")
    return f"{escaped(about.name)}<small>{escaped(about.measured)}</small>", cells


def _value(fact: Fact) -> str:
    error = f" ± {significant(fact.error, 2)}" if fact.error and fact.value is not None else ""
    beside = ", ".join(
        f"{name} {significant(value)}" for name, value in fact.beside.items() if value is not None
    )
    small = f"<small>{escaped(beside)}</small>" if beside else ""
    return f"{significant(fact.value)}{error}{small}"


def _verdict(facts: MarketFacts, fact: Fact) -> str:
    kind, said = WORDS[fact.verdict]
    why = facts.why_open(fact)
    small = f"<small>{escaped(why)}</small>" if why else ""
    return f'<span class="{kind}">{said}</span>{small}'
