"""What a report shows of the strategies: metrics side by side, then each by itself."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from sim.facts.performance import Performance, equity_curve, performance
from sim.ratios import Floats, drawdowns
from sim.record.run import Integers, RunRecord, StrategyRecord
from sim.report.charts import BUCKETS, COLOURS, Chart, Line, chart_html, histogram_html
from sim.report.choice import CARDS_BYTES_MAX, STRATEGY_ROWS_MAX, chosen, largest
from sim.report.html import table_html
from sim.report.text import NONE, duration, escaped, nice_step, number, percent, significant
from sim.sums import exact_sum
from sim.units import ATOMS_PER_UNIT

COMPARED_MAX = COLOURS
"""More lines than colours cannot be told apart in one chart."""

CARD_BUCKETS, CARD_BUCKETS_OF_MANY = 240, 120
CARD_COLUMNS, CARD_COLUMNS_OF_MANY = 40, 20
CARD_TIME_TICKS = 3
FAR = 8
BINS_MIN, BINS_MAX, TAIL = 6, 30, 0.005
SMALL_PX = 110

PERFORMANCE_HEAD = (
    *("strategy", "traders", "profit", "volume<small>turnover</small>", "return", "volatility"),
    *("Sharpe", "Sortino", "max drawdown", "win rate", "profit factor"),
    *("fees<small>funding</small>", "liquidated"),
)
TRADERS, PROFIT, VOLUME, FEES, LIQUIDATED = 0, 1, 2, 10, 11
"""Among the cells of a row."""

SUM = "sum"


def performance_table(record: RunRecord) -> str:
    """The metrics of the largest strategies, the sums of the rest, what others gained, and the
    sum of it all; in quote units."""
    shown = largest(volumes(record), STRATEGY_ROWS_MAX)
    rows = [_performance_row(performance(record.strategies[place])) for place in shown]
    rest = [one for place, one in enumerate(record.strategies) if place not in set(shown)]
    rows += [_rest_row(rest)] if rest else []
    others = [one for one in record.others if one.gain_atoms or one.volume_atoms]
    if record.others:
        rows += [_other_row(one.name, one.gain_atoms, one.volume_atoms) for one in others]
        rows.append(_other_row(SUM, sum_of_gains(record), 0))
    return table_html(PERFORMANCE_HEAD, rows)


def volumes(record: RunRecord) -> list[int]:
    """Atoms that each strategy has traded."""
    return [total_of(strategy, "volume_atoms") for strategy in record.strategies]


def total_of(strategy: StrategyRecord, column: str) -> int:
    """A total of STANDING at the end."""
    return int(strategy.standings[-1][column]) if len(strategy.standings) else 0


def sum_of_gains(record: RunRecord) -> int:
    """Atoms of all strategies and all others: zero, for what one gains another loses."""
    gained = sum(exact_sum(strategy.trader_pnl_atoms) for strategy in record.strategies)
    return gained + sum(one.gain_atoms for one in record.others)


def _other_row(name: str, gain_atoms: int, volume_atoms: int) -> tuple[str, list[str]]:
    """Of who is no strategy: there is no capital to compare a gain with."""
    cells = [NONE] * (len(PERFORMANCE_HEAD) - 1)
    cells[PROFIT] = number(gain_atoms / ATOMS_PER_UNIT, 2)
    if volume_atoms:
        cells[VOLUME] = number(volume_atoms / ATOMS_PER_UNIT)
    return escaped(name), cells


def _rest_row(rest: Sequence[StrategyRecord]) -> tuple[str, list[str]]:
    """The sums of all strategies that have no row of their own."""
    name = f"{number(len(rest))} other strategies"
    gained = sum(exact_sum(one.trader_pnl_atoms) for one in rest)
    volume, fees, funding, liquidated = (
        sum(total_of(one, column) for one in rest)
        for column in ("volume_atoms", "fees_atoms", "funding_atoms", "liquidated_traders")
    )
    _, cells = _other_row(name, gained, volume)
    cells[TRADERS] = number(sum(one.traders for one in rest))
    paid = _small_print(number(funding / ATOMS_PER_UNIT))
    cells[FEES] = number(fees / ATOMS_PER_UNIT) + paid
    cells[LIQUIDATED] = number(liquidated)
    return name, cells


def _performance_row(row: Performance) -> tuple[str, list[str]]:
    fall = row.drawdown
    lasted = f"{'' if fall.is_recovered else 'still '}{duration(fall.length_us)}"
    length = f"<small>{lasted}</small>" if fall.length_us else ""
    cells = [
        number(row.traders),
        number(row.profit_units, 2),
        number(row.volume_units) + _small_print(significant(row.turnover), "×"),
        percent(row.return_fraction),
        _judged(row, percent(row.volatility)),
        significant(row.sharpe),
        significant(row.sortino),
        percent(fall.fraction) + length,
        percent(row.win_rate),
        significant(row.profit_factor),
        number(row.fees_units) + _small_print(number(row.funding_units)),
        number(row.liquidated_traders),
    ]
    return f"{escaped(row.name)}<small>{escaped(row.strategy)}</small>", cells


def _small_print(figure: str, unit: str = "") -> str:
    """Below another figure."""
    return f"<small>{figure}{unit if figure != NONE else ''}</small>"


def _judged(row: Performance, figure: str) -> str:
    """A figure of the year, or why there is none of this row."""
    why = row.why_not_judged
    return f'{figure}<small class="why">{escaped(why)}</small>' if why else figure


def compared_returns(record: RunRecord) -> str:
    """The returns of all strategies in one chart, where they are few enough to tell apart; those
    that moved far more than the others in a chart of their own, for they would flatten the rest."""
    if not 1 < len(record.strategies) <= COMPARED_MAX:
        return ""
    lines = []
    for place, strategy in enumerate(record.strategies):
        times_us, equity = equity_curve(strategy)
        if strategy.capital_atoms > 0:
            returns = 100 * (equity / strategy.capital_atoms - 1)
            lines.append(Line(strategy.name, times_us, returns, place))
    far, near = told_apart(lines)
    whose = (", of those that moved most", ", of the others") if far else ("", "")
    charts = [
        _returns_chart(record, group, of) for group, of in zip((far, near), whose, strict=True)
    ]
    return f'<div class="card">{"".join(charts)}</div>'


def _returns_chart(record: RunRecord, lines: list[Line], of: str) -> str:
    if not lines:
        return ""
    whose = f", {lines[0].name}" if len(lines) == 1 else of  # one line has no legend
    return chart_html(
        Chart(f"Return on capital{whose}", "%", _end_us(record), lines, height_px=220)
    )


def told_apart(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Those that reach FAR times as far from 0 as all of the others, and the others; in order."""
    reaches = [float(np.abs(line.values).max(initial=0.0)) for line in lines]
    ordered = sorted(reaches)
    steps = [(high / low, high) for low, high in pairwise(ordered) if low > 0 and high >= FAR * low]
    least = max(steps)[1] if steps else np.inf
    far = [line for line, reach in zip(lines, reaches, strict=True) if reach >= least]
    return far, [line for line, reach in zip(lines, reaches, strict=True) if reach < least]


def strategy_cards(record: RunRecord) -> str:
    """A card for each strategy: equity, drawdown, a maker's inventory, its traders' results.

    Where they are more than CARDS_BYTES_MAX, the largest by volume have one.
    """
    traded, cards, size = volumes(record), dict[int, str](), 0
    for place in sorted(range(len(traded)), key=lambda place: -traded[place]):
        card = _card(record, place)
        size += len(card)
        if size > CARDS_BYTES_MAX:
            break
        cards[place] = card
    left_out = chosen("strategies", len(cards), len(traded), "the largest by volume")
    shown = "".join(card for _, card in sorted(cards.items()))
    return f'{left_out}<div class="cards">{shown}</div>'


def _card(record: RunRecord, place: int) -> str:
    strategy = record.strategies[place]
    unit = record.markets[0].spec.quote_asset if record.markets else ""
    times_us, equity = equity_curve(strategy)
    profit = (equity - strategy.capital_atoms) / ATOMS_PER_UNIT
    fall = 100 * drawdowns(equity)
    colour = place % COLOURS
    parts = [
        _small(record, "Equity less capital", unit, [Line("equity", times_us, profit, colour)]),
        _small(record, "Drawdown", "%", [Line("drawdown", times_us, fall, "loss", None, True)]),
    ]
    if strategy.makes_markets:
        parts.append(_inventory_chart(record, strategy, unit))
    parts.append(_results(strategy, unit))
    capital = number(strategy.capital_atoms / ATOMS_PER_UNIT)
    about = f"{strategy.strategy}, {number(strategy.traders)} traders, capital {capital} {unit}"
    head = f'<h3>{escaped(strategy.name)}</h3><p class="soft">{escaped(about)}</p>'
    return f'<article class="card">{head}{"".join(parts)}</article>'


def _small(record: RunRecord, title: str, unit: str, lines: list[Line]) -> str:
    many = len(record.strategies) > COMPARED_MAX
    return chart_html(
        Chart(
            title,
            unit,
            _end_us(record),
            lines,
            height_px=SMALL_PX,
            from_zero=True,
            buckets=min(BUCKETS, CARD_BUCKETS_OF_MANY if many else CARD_BUCKETS),
            time_ticks=CARD_TIME_TICKS,
            columns=CARD_COLUMNS_OF_MANY if many else CARD_COLUMNS,
        )
    )


def _inventory_chart(record: RunRecord, strategy: StrategyRecord, unit: str) -> str:
    """Of the markets where the strategy held most, as many as can be told apart."""
    lines = _inventory(record, strategy)
    shown = largest([int(np.abs(line.values).max(initial=0.0)) for line in lines], COLOURS)
    title = "Inventory at mark"
    if len(shown) < len(lines):
        title += f", the {len(shown)} largest of {len(lines)} markets"
    kept = [replace(lines[place], colour=colour) for colour, place in enumerate(shown)]
    return _small(record, title, unit, kept)


def _inventory(record: RunRecord, strategy: StrategyRecord) -> list[Line]:
    """What the strategy holds in each market where it ever held something, in quote units."""
    lines: list[Line] = []
    for market_no, market in enumerate(record.markets):
        lots, spec = strategy.inventory_lots[:, market_no], market.spec
        if lots.any() or len(record.markets) == 1:
            unit_value = float(spec.tick_size * spec.lot_size)
            held = lots * unit_value * market.quotes["mark_ticks"]
            times_us = market.quotes["time_us"].astype(np.int64)
            lines.append(Line(spec.market_id, times_us, held, len(lines) % COLOURS, 0))
    return lines


def _results(strategy: StrategyRecord, unit: str) -> str:
    """How the results of its traders are spread; those who neither won nor lost are a number."""
    pnl = strategy.trader_pnl_atoms[strategy.trader_pnl_atoms != 0] / ATOMS_PER_UNIT
    still = len(strategy.trader_pnl_atoms) - len(pnl)
    neither = f"; {number(still)} did neither" if still else ""
    if len(pnl) == 0:
        return '<p class="soft">No trader won or lost.</p>'
    if float(np.ptp(pnl)) == 0:
        each = f"{number(len(pnl))} of {number(len(strategy.trader_pnl_atoms))} traders"
        return f'<p class="soft">Result of {each}: {number(float(pnl[0]), 2)} {escaped(unit)}</p>'
    edges, counts = result_bins(pnl)
    title = f"traders by {unit} won or lost{neither}"
    return histogram_html("Results of traders", title, edges, counts)


def result_bins(pnl: Floats) -> tuple[Floats, Integers]:
    """Round edges (bins + 1), zero among them if it lies inside, and how many lie in each bin.

    The outermost half percent on each side counts to the outermost bins.
    """
    low, high = np.quantile(pnl, [TAIL, 1 - TAIL]).tolist()
    if high <= low:
        low, high = float(pnl.min()), float(pnl.max())
    bins = min(BINS_MAX, max(BINS_MIN, 2 * len(pnl) ** 0.5))
    step = nice_step((high - low) / bins)
    first, last = int(np.floor(low / step)), int(np.floor(high / step)) + 1
    edges = step * np.arange(first, last + 1, dtype=np.float64)
    place = np.clip(np.floor(pnl / step).astype(np.int64) - first, 0, last - first - 1)
    return edges, np.bincount(place, minlength=last - first).astype(np.int64)


def _end_us(record: RunRecord) -> int:
    return record.steps * record.step_us
