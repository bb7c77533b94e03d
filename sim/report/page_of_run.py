"""The report of a run: one HTML page that opens without the internet, in light and dark."""

from collections.abc import Sequence

from sim.facts.of_run import MarketFacts, Reference, run_facts
from sim.facts.performance import RETURNS_MIN
from sim.record.run import Origin, RunRecord
from sim.report.agents import agents_section
from sim.report.chain import chain_section
from sim.report.choice import (
    HAPPENINGS_MAX,
    MARKET_ROWS_MAX,
    MARKETS_DRAWN_MAX,
    SENTENCES_MAX,
    chosen,
    largest,
)
from sim.report.facts import facts_section
from sim.report.html import page_html, table_html, tiles_html
from sim.report.markets import MARKET_HEAD, market_charts, market_row, rest_row, traded
from sim.report.series import MarketSeries, market_series
from sim.report.shocks import shock_sentences, untold
from sim.report.strategies import compared_returns, performance_table, strategy_cards
from sim.report.text import SECOND_US, clock, duration, escaped, memory, number, significant
from sim.scenario.unreached import unreached

CONVENTIONS = (
    "A strategy is one account: sums over its traders. Profit is equity at the end less the"
    " capital; with what others gained it sums to zero, where the price of inventories is the other"
    " side of what they have become worth more. Volatility, Sharpe and Sortino are of its returns"
    " over a minute, annualised to 365 days at a risk-free rate of 0; they are not judged from"
    f" fewer than {RETURNS_MIN} returns, nor where equity fell to nothing. Win rate and profit"
    " factor count its traders. Turnover is traded notional over capital. Amounts are in the quote"
    " asset; positions are valued at the mark price."
)
FACTS_NOTE = (
    "Δ is the interval of the returns r. A fact holds where its value lies in the band; it cannot"
    " be judged where the tape is too short for it or an edge of the band lies within two standard"
    " errors of the value."
)


def html_report(
    record: RunRecord,
    reference: Reference | None = None,
    facts: Sequence[MarketFacts] | None = None,
) -> str:
    """The page of a finished or interrupted run, under 1 MB: what is too much for that is counted
    (sim/report/choice.py).

    reference   real trades to stand beside the run's
    facts       what `run_facts(record)` gave, for whoever has them already
    """
    facts = run_facts(record) if facts is None else facts
    series = [market_series(record, market) for market in record.markets]
    drawn = largest([traded(one) for one in series], MARKETS_DRAWN_MAX)
    sections = [_head(record, drawn), _overview(series, facts)]
    sections.append(chosen("markets", len(drawn), len(series), "those of most trades"))
    sections += [_market(record, place, series[place]) for place in drawn]
    sections += [chain_section(record), agents_section(record)]
    sections += [_strategies(record), _facts([facts[place] for place in drawn], reference)]
    return page_html(f"{record.scenario}, seed {record.seed}: simulation report", sections)


def is_partial(record: RunRecord) -> bool:
    """Whether the run was interrupted."""
    return record.steps < record.steps_planned


def _head(record: RunRecord, drawn: Sequence[int]) -> str:
    done_us, planned_us = (n * record.step_us for n in (record.steps, record.steps_planned))
    badge = ""
    if is_partial(record):
        share = 100 * record.steps // max(1, record.steps_planned)
        said = f"partial: {clock(done_us)} of {clock(planned_us)}, {share} %"
        badge = f' <span class="badge">{said}</span>'
    wall_s = max(record.wall_s, 1e-9)
    tiles = [
        ("seed", str(record.seed)),
        ("simulated time", clock(done_us)),
        (f"steps of {duration(record.step_us)}", number(record.steps)),
        ("orders", number(record.orders)),
        ("fills", number(record.fills)),
        ("wall time", duration(round(record.wall_s * SECOND_US))),
        ("orders/s", number(record.orders / wall_s)),
        ("times real time", f"{significant(done_us / SECOND_US / wall_s)}×"),
        ("peak memory", memory(record.peak_memory_bytes)),
    ]
    origin = record.origin
    wide = [("command", origin.command)] if origin.command else []
    wide += [("how it ran", record.actors), ("state hash", record.state_hash)]
    links = [
        f'<a href="#m{place}">{escaped(record.markets[place].spec.market_id)}</a>'
        for place in drawn
    ]
    links += ['<a href="#chain">Pools and droids</a>'] if record.chain else []
    links += ['<a href="#strategies">Strategies</a>', '<a href="#facts">Stylised facts</a>']
    return (
        f'<header><p class="soft">{escaped(_made(origin))}</p>'
        f"<h1>{escaped(record.scenario)}{badge}</h1>"
        f"{tiles_html(tiles, wide)}{_left_out(record)}<nav>{''.join(links)}</nav></header>"
    )


def _left_out(record: RunRecord) -> str:
    """What was to befall the markets after the run's end."""
    sentences = unreached(record.happenings, record.steps, record.step_us)
    told = [f"<p>{escaped(one[:1].upper() + one[1:])}.</p>" for one in sentences[:SENTENCES_MAX]]
    more = len(sentences) - len(told)
    return "".join(told) + (f"<p>And {number(more)} more are left out.</p>" if more else "")


def _made(origin: Origin) -> str:
    """Sandpit 0.2.0 simulation, 2026-11-27 08:01:30 UTC; as much of it as is known."""
    by = f"Sandpit {origin.version}".rstrip()
    return ", ".join(part for part in (f"{by} simulation", origin.made_at) if part)


def _overview(series: Sequence[MarketSeries], facts: Sequence[MarketFacts]) -> str:
    rows = []
    shown = largest([traded(one) for one in series], MARKET_ROWS_MAX)
    for place in shown:
        fact = facts[place]
        open_ = f"<small>{fact.open_facts} cannot be judged</small>" if fact.open_facts else ""
        holding = f"{fact.table.holding} of {len(fact.table.facts)}{open_}"
        rows.append(market_row(series[place], holding))
    rest = [one for place, one in enumerate(series) if place not in set(shown)]
    rows += [rest_row(rest)] if rest else []
    return f"<h2>Markets</h2>{table_html(MARKET_HEAD, rows)}"


def _market(record: RunRecord, place: int, series: MarketSeries) -> str:
    market = record.markets[place]
    sentences = "".join(shock_sentences(record, market, series)[:HAPPENINGS_MAX])
    sentences += untold(record, market)
    silence = _silence(series)
    charts = market_charts(record, market, series)
    name = escaped(series.spec.market_id)
    return (
        f'<section id="m{place}"><h2>{name}</h2>{sentences}{silence}'
        f'<div class="card">{charts}</div></section>'
    )


def _silence(series: MarketSeries) -> str:
    """Why a market's charts may be empty."""
    if len(series.times_us) == 0:
        return "<p>The run ended before its first sample.</p>"
    return "" if series.trades.any() else "<p>There was no trade.</p>"


def _strategies(record: RunRecord) -> str:
    return (
        f'<section id="strategies"><h2>Strategies</h2>{compared_returns(record)}'
        f'{performance_table(record)}<p class="soft">{CONVENTIONS}</p>{strategy_cards(record)}'
        "</section>"
    )


def _facts(facts: Sequence[MarketFacts], reference: Reference | None) -> str:
    compared = ""
    if reference is not None:
        whom = escaped(", ".join(reference.market_ids))
        compared = f"<p>Real trades: {escaped(reference.file)}, compared with {whom}.</p>"
    return (
        f'<section id="facts"><h2>Stylised facts</h2>{compared}'
        f'<p class="soft">{FACTS_NOTE}</p>{facts_section(facts, reference)}</section>'
    )
