"""What a report shows of a market: price with what befell it, spread, depth, volume, closings."""

from dataclasses import dataclass, replace

import numpy as np

from sim.market import MarketSpec
from sim.messages import MarketStatus, Side
from sim.performance import Drawdown, Floats, max_drawdown
from sim.report_charts import BAR_BUCKETS, Bars, Chart, Line, Mark, Span, chart_html
from sim.report_text import SECOND_US, clock, duration, escaped, number, percent, significant
from sim.run_record import Integers, MarketRecord, RunRecord
from sim.simulation_scenario import Happening, IndexJump, MarketShock, StatusChange
from sim.units import PPM, format_steps

AFTERMATH_MIN_US = 600 * SECOND_US
AFTERMATH_LENGTHS = 10
"""A shock's farthest price is looked for within ten minutes, or ten times its length."""

PRICE_HEIGHT_PX = 300
NINE_TENTHS, HALF = 0.9, 0.5


@dataclass(frozen=True)
class MarketSeries:
    """A market's samples in units of the trade: float64 (samples,), NaN where a side was empty.

    Prices in quote units, depth and volume in base units, spread in millionths of the middle.
    """

    spec: MarketSpec
    end_us: int
    times_us: Integers
    last: Floats
    index: Floats
    mark: Floats
    spread_ppm: Floats
    bid_depth: Floats
    ask_depth: Floats
    volume: Floats
    trades: Integers
    liquidations: Integers

    @property
    def decimals(self) -> int:
        """Of a price."""
        return max(0, -int(self.spec.tick_size.normalize().as_tuple().exponent))


def market_series(record: RunRecord, market: MarketRecord) -> MarketSeries:
    """The samples of a market as they are drawn."""
    spec, quotes = market.spec, market.quotes
    tick, lot = float(spec.tick_size), float(spec.lot_size)
    bid, ask = _prices(quotes["best_bid_ticks"]), _prices(quotes["best_ask_ticks"])
    return MarketSeries(
        spec,
        record.steps * record.step_us,
        quotes["time_us"].astype(np.int64),
        _prices(quotes["last_price_ticks"]) * tick,
        _prices(quotes["index_ticks"]) * tick,
        _prices(quotes["mark_ticks"]) * tick,
        2 * PPM * (ask - bid) / (ask + bid),
        quotes["bid_lots"] * lot,
        quotes["ask_lots"] * lot,
        quotes["volume_lots"] * lot,
        quotes["trades"].astype(np.int64),
        quotes["liquidations"].astype(np.int64),
    )


def _prices(ticks: Integers) -> Floats:
    """No price is written as 0."""
    return np.where(ticks > 0, ticks, np.nan).astype(np.float64)


def market_charts(record: RunRecord, series: MarketSeries) -> str:
    """All charts of a market, the price first and widest."""
    base, end_us = series.spec.base_asset, series.end_us
    spans = spans_of(record, series.spec)
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


def spans_of(record: RunRecord, spec: MarketSpec) -> list[Span]:
    """Shocks and halts of a market that began before the run's end, as stretches of its time."""
    step_us, end_us = record.step_us, record.steps * record.step_us
    own = [one for one in record.happenings if one.market_id == spec.market_id]
    found = []
    for place, one in enumerate(own):
        begin_us = (one.step - 1) * step_us
        until_us = begin_us
        if isinstance(one, StatusChange):
            if one.status == MarketStatus.ACTIVE:
                continue
            later = (next_one for next_one in own[place + 1 :] if _is_active(next_one))
            until_us = next(((one.step - 1) * step_us for one in later), end_us)
        if isinstance(one, MarketShock):
            until_us = begin_us + one.slices * step_us
        kind = "halt" if isinstance(one, StatusChange) else "shock"
        found.append(Span(kind, _label(one, spec), begin_us, min(until_us, end_us)))
    return [span for span in found if span.begin_us < end_us]


def _is_active(one: Happening) -> bool:
    return isinstance(one, StatusChange) and one.status == MarketStatus.ACTIVE


def _label(one: Happening, spec: MarketSpec) -> str:
    if isinstance(one, MarketShock):
        word = "buy" if one.side == Side.BUY else "sell"
        return f"{word} {format_steps(one.quantity_lots, spec.lot_size)} {spec.base_asset}"
    if isinstance(one, IndexJump):
        return f"index {'+' if one.jump_ppm > 0 else ''}{percent(one.jump_ppm / PPM)}"
    return one.status.name.lower().replace("_", " ")


def shock_sentences(record: RunRecord, series: MarketSeries) -> list[str]:
    """What each shock did to the price, as HTML paragraphs: how far, and when it was back."""
    spans = spans_of(record, series.spec)
    own = [
        one
        for one in record.happenings
        if one.market_id == series.spec.market_id and isinstance(one, MarketShock)
    ]
    sentences = []
    for place, shock in enumerate(own):
        begin_us = (shock.step - 1) * record.step_us
        length_us = shock.slices * record.step_us
        label = next((span.label for span in spans if span.begin_us == begin_us), None)
        if label is None:
            continue
        until_us = (own[place + 1].step - 1) * record.step_us if place + 1 < len(own) else None
        effect = _effect(series, shock.side, begin_us, length_us, until_us)
        over = f" within {duration(length_us)}" if shock.slices > 1 else ""
        sentences.append(f"<p><b>{clock(begin_us)} {escaped(label)}</b>{over}: {effect}</p>")
    return sentences


def _effect(
    series: MarketSeries, side: int, begin_us: int, length_us: int, until_us: int | None
) -> str:
    """The farthest price after a shock, and when half and nine tenths of the way were made up."""
    times_us = series.times_us
    known = np.flatnonzero(np.isfinite(series.last) & (times_us <= begin_us))
    stop = len(times_us) if until_us is None else int(np.searchsorted(times_us, until_us))
    aftermath_us = begin_us + max(AFTERMATH_MIN_US, AFTERMATH_LENGTHS * length_us)
    inside = (times_us > begin_us) & (times_us <= aftermath_us) & np.isfinite(series.last)
    rows = np.flatnonzero(inside[:stop])
    if len(known) == 0 or len(rows) == 0:
        return "no price to compare with."
    before, direction = float(series.last[known[-1]]), 1 if side == Side.BUY else -1
    farthest = int(rows[np.argmax(direction * series.last[rows])])
    price = float(series.last[farthest])
    moved = price / before - 1
    if direction * moved <= 0:
        return "the price did not follow."
    said = (
        f"price from {number(before, series.decimals)} to {number(price, series.decimals)}"
        f" ({'+' if moved > 0 else ''}{percent(moved)}) at {clock(int(times_us[farthest]))}"
    )
    backs = [_back(series, farthest, stop, price + part * (before - price)) for part in PARTS]
    return f"{said}; {_recovery(backs)}."


PARTS = (HALF, NINE_TENTHS)


def _back(series: MarketSeries, row: int, stop: int, price: float) -> int | None:
    """When the last price is first at `price` again, after a sample; None: not before `stop`."""
    start = series.last[row]
    later = series.last[row:stop]
    there = np.flatnonzero(later >= price if price > start else later <= price)
    return int(series.times_us[row + there[0]]) if len(there) else None


def _recovery(backs: list[int | None]) -> str:
    half, most = backs
    if half is None:
        return "not back by half"
    said = f"back by half at {clock(half)}"
    return said + (f", by nine tenths at {clock(most)}" if most else ", not by nine tenths")


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
