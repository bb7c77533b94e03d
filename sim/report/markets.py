"""What a report shows of a market: price with what befell it, spread, depth, volume, closings."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sim.facts.performance import Drawdown, max_drawdown
from sim.ratios import Floats
from sim.record.run import Integers, MarketRecord, RunRecord
from sim.report.charts import BAR_BUCKETS, Bars, Chart, Line, Mark, Span, chart_html
from sim.report.choice import HAPPENINGS_MAX
from sim.report.series import MarketSeries
from sim.report.shocks import spans_of
from sim.report.text import NONE, duration, escaped, number, percent, significant

PRICE_HEIGHT_PX = 300


def market_charts(record: RunRecord, market: MarketRecord, series: MarketSeries) -> str:
    """All charts of a market, the price first and widest."""
    base, end_us = series.spec.base_asset, series.end_us
    spans = spans_of(record, market)[:HAPPENINGS_MAX]
    plain = [Span(span.kind, "", span.begin_us, span.end_us) for span in spans]
    lots = max(0, -int(series.spec.lot_size.normalize().as_tuple().exponent))
    times_us = series.times_us
    spread = Line("spread", times_us, series.spread_ppm, 3, is_noisy=True)
    sides = (
        Line("bids", times_us, series.bid_depth, 2, lots, is_noisy=True),
        Line("asks", times_us, series.ask_depth, "loss", lots, is_noisy=True),
    )
    volume = Bars("volume", binned(series, series.volume), 0, lots)
    parts = [
        Chart("Spread", "ppm", end_us, [spread], spans=plain, may_be_log=True),
        Chart("Volume", _per_bar(base, series), end_us, bars=[volume], spans=plain, from_zero=True),
        Chart("Visible depth", base, end_us, sides, spans=plain, from_zero=True),
    ]
    if series.liquidations.any():
        closings = Bars("closings", binned(series, series.liquidations), "loss")
        unit = _per_bar("trades", series)
        bars = Chart("Liquidations", unit, end_us, (), [closings], plain, from_zero=True)
        parts.append(replace(bars, is_whole=True))
    smaller = "".join(chart_html(part) for part in parts)
    return f'{chart_html(_price_chart(series, spans))}<div class="pair">{smaller}</div>'


def _price_chart(series: MarketSeries, spans: list[Span]) -> Chart:
    times_us, decimals = series.times_us, series.decimals
    lines = [
        Line("index", times_us, series.index, "index", decimals),
        Line("mark", times_us, series.mark, 1, decimals),
        Line("last", times_us, series.last, 0, decimals),
    ]
    closings = binned(series, series.liquidations) if series.liquidations.any() else None
    return Chart(
        "Price",
        f"{series.spec.quote_asset} by simulated time (h:mm)",
        series.end_us,
        lines,
        spans=spans,
        marks=_extremes(series),
        strip=None if closings is None else Bars("liquidations", closings, "loss"),
        height_px=PRICE_HEIGHT_PX,
        may_be_log=True,
    )


def _extremes(series: MarketSeries) -> list[Mark]:
    """The highest and the lowest last price, where they differ."""
    if not np.isfinite(series.last).any():
        return []
    low, high = int(np.nanargmin(series.last)), int(np.nanargmax(series.last))
    if series.last[low] == series.last[high]:
        return []
    return [
        Mark(int(series.times_us[row]), price, number(price, series.decimals), row == high)
        for row, price in ((low, float(series.last[low])), (high, float(series.last[high])))
    ]


def bar_count(series: MarketSeries) -> int:
    """At most BAR_BUCKETS, each of the same number of samples (the last one may have fewer)."""
    samples = len(series.times_us)
    each = max(1, -(-samples // BAR_BUCKETS))
    return max(1, -(-samples // each))


def binned(series: MarketSeries, values: Floats | Integers) -> Floats:
    """Sums of a count per sample over `bar_count` equal stretches of the run: float64 (bars,).

    A sample tells of the time before it, so one that ends a stretch belongs to it. NaN where
    there is no sample at all.
    """
    bars = bar_count(series)
    if len(values) == 0:
        return np.full(bars, np.nan)
    place = np.clip((series.times_us - 1) * bars // max(1, series.end_us), 0, bars - 1)
    return np.bincount(place, weights=values, minlength=bars).astype(np.float64)


def _per_bar(what: str, series: MarketSeries) -> str:
    return f"{what} in {duration(series.end_us // bar_count(series))}"


def market_row(series: MarketSeries, holding: str) -> tuple[str, list[str]]:
    """A market's row in the table of all: heading and cells of MARKET_HEAD, as HTML."""
    prices = series.last[np.isfinite(series.last)]
    spread = series.spread_ppm[np.isfinite(series.spread_ppm)]
    first, last = (float(prices[0]), float(prices[-1])) if len(prices) else (None, None)
    change = last / first - 1 if first is not None and last is not None else None
    fall = _deepest_fall(series)
    cells = [
        number(first, series.decimals),
        number(last, series.decimals),
        percent(change),
        number(float(prices.min()) if len(prices) else None, series.decimals),
        number(float(prices.max()) if len(prices) else None, series.decimals),
        "–" if fall is None else f"{percent(fall.fraction)}<small>{_length(fall)}</small>",
        significant(float(np.median(spread)) if len(spread) else None),
        f"{significant(float(series.volume.sum()), 4)} {escaped(series.spec.base_asset)}",
        number(float(series.trades.sum()) if len(series.times_us) else None),
        number(float(series.liquidations.sum()) if len(series.times_us) else None),
        holding,
    ]
    return escaped(series.spec.market_id), cells


def rest_row(rest: Sequence[MarketSeries]) -> tuple[str, list[str]]:
    """The sums of all markets that have no row of their own."""
    cells = [NONE] * (len(MARKET_HEAD) - 1)
    cells[TRADES] = number(sum(traded(one) for one in rest))
    cells[LIQUIDATIONS] = number(sum(int(one.liquidations.sum()) for one in rest))
    return f"{number(len(rest))} other markets", cells


def traded(series: MarketSeries) -> int:
    """How many trades a market saw."""
    return int(series.trades.sum())


TRADES, LIQUIDATIONS = 8, 9
"""Among the cells of a row."""

MARKET_HEAD = (
    *("market", "first price", "last", "change", "lowest", "highest", "deepest fall"),
    *("median spread, ppm", "volume", "trades", "liquidations", "facts that hold"),
)


def _deepest_fall(series: MarketSeries) -> Drawdown | None:
    known = np.isfinite(series.last)
    return max_drawdown(series.times_us[known], series.last[known]) if known.any() else None


def _length(fall: Drawdown) -> str:
    if fall.length_us == 0:
        return ""
    return f"{'over' if fall.is_recovered else 'not back in'} {duration(fall.length_us)}"
