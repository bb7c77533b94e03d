"""Charts of a report as inline SVG: what is drawn is thinned, what is written stays sharp.

A chart library as large as its readers expect weighs megabytes and would be somebody else's
minified script; a report needs lines, bars and labels. The shapes stand in an SVG that is
stretched to whatever width the page has (strokes keep their width), labels stand outside of it
in units of the screen, so that a phone shows the same text as a desk. Positions are attributes,
not styles: the page's Content-Security-Policy allows no style but its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.ratios import Floats
from sim.record.run import Integers
from sim.report.axes import TICKS_TIME, Axis, bin_axis, time_axis, value_axis
from sim.report.text import clock, escaped, number, significant

BUCKETS = 480
"""A line is thinned to so many stretches of time, the lowest and the highest value of each."""

BAR_BUCKETS = 240
HOVER_COLUMNS = 48
WIDTH, HEIGHT_PER_PX = 960, 2
LABEL_PX, GUTTER_MIN_PX = 6.7, 46
TIME_LABELS_PX = 20
COLOURS = 8
STRIP_PART = 0.12
LABEL_ROWS, LABEL_ROW_PX = 3, 15


@dataclass(frozen=True)
class Line:
    """values: float64 (samples,), NaN where there is none; colour: 0 to COLOURS − 1 or a name.

    is_filled   the area between the line and 0 is tinted
    is_noisy    where there are many samples, the medians of stretches are a line and the range
                from the lowest to the highest is tinted
    """

    name: str
    times_us: Integers
    values: Floats
    colour: int | str
    decimals: int | None = None
    is_filled: bool = False
    is_noisy: bool = False


@dataclass(frozen=True)
class Bars:
    """values: float64 (bars,), of equal stretches of the x axis from its low end to its high."""

    name: str
    values: Floats
    colour: int | str
    decimals: int = 0


@dataclass(frozen=True)
class Span:
    """A stretch of time in which something happened; kind is shock or halt."""

    kind: str
    label: str
    begin_us: int
    end_us: int


@dataclass(frozen=True)
class Mark:
    """A point with a label above or below it."""

    time_us: int
    value: float
    label: str
    is_above: bool


@dataclass(frozen=True)
class Band:
    """From low to high for a stretch of time."""

    begin_us: int
    end_us: int
    low: float
    high: float
    colour: int | str


@dataclass(frozen=True)
class Chart:
    """Lines and bars over simulated time from 0 to end_us; strip: low bars on a scale of their
    own at the bottom; bands: behind the lines, as far as those reach unless all bands are to be
    seen."""

    title: str
    unit: str
    end_us: int
    lines: Sequence[Line] = ()
    bars: Sequence[Bars] = ()
    spans: Sequence[Span] = ()
    marks: Sequence[Mark] = ()
    strip: Bars | None = None
    height_px: int = 150
    from_zero: bool = False
    may_be_log: bool = False
    is_whole: bool = False
    bands: Sequence[Band] = ()
    shows_bands: bool = False
    buckets: int = BUCKETS
    columns: int = HOVER_COLUMNS
    time_ticks: int = TICKS_TIME


def chart_html(chart: Chart) -> str:
    """A <figure>; one that says so where there is nothing to draw."""
    values = [line.values for line in chart.lines] + [bars.values for bars in chart.bars]
    if chart.shows_bands:
        values.append(np.array([edge for one in chart.bands for edge in (one.low, one.high)]))
    drawn = np.concatenate([*values, np.zeros(0)])
    if not np.isfinite(drawn).any():
        return _figure(chart.title, chart.unit, "", '<p class="none">Nothing to draw.</p>')
    x = time_axis(chart.end_us, chart.time_ticks)
    y = value_axis(drawn, chart.from_zero, chart.may_be_log, chart.is_whole, chart.height_px)
    y = y.with_room_below(STRIP_PART) if chart.strip else y
    height = chart.height_px * HEIGHT_PER_PX
    shapes = [_span_shape(x, span, height) for span in chart.spans]
    shapes += [_band_shape(x, y, band, height) for band in chart.bands]
    shapes += [_bars_shape(y, bars, height) for bars in chart.bars]
    shapes += [_line_shape(x, y, line, height, chart.buckets) for line in chart.lines]
    shapes += [_strip_shape(chart.strip, height)] if chart.strip else []
    over = [_span_label(x, span, number) for number, span in enumerate(chart.spans) if span.label]
    over += [_mark(x, y, mark, chart.height_px) for mark in chart.marks]
    unit = f"{chart.unit}, logarithmic" if y.is_log else chart.unit
    labelled = sum(bool(span.label) for span in chart.spans)
    top_px = LABEL_ROW_PX * min(LABEL_ROWS, labelled)
    body = plot(x, y, chart.height_px, shapes, over, _hover_titles(chart), top_px)
    return _figure(chart.title, unit, _legend(chart), body)


def histogram_html(
    title: str, unit: str, edges: Floats, counts: Integers, height_px: int = 120
) -> str:
    """How many values lie between neighbouring edges (bars + 1), losses apart from gains."""
    x, y = (
        bin_axis(float(edges[0]), float(edges[-1])),
        value_axis(counts.astype(np.float64), True, is_whole=True),
    )
    height = height_px * HEIGHT_PER_PX
    middles = (edges[:-1] + edges[1:]) / 2
    shapes = [
        _bars_shape(y, Bars("", np.where(own, counts, 0.0), colour), height)
        for own, colour in ((middles < 0, "loss"), (middles >= 0, "gain"))
    ]
    titles = [
        f"{significant(low)} to {significant(high)}: {number(count)} traders"
        for low, high, count in zip(edges[:-1], edges[1:], counts.tolist(), strict=True)
    ]
    return _figure(title, unit, "", plot(x, y, height_px, shapes, [], titles))


def plot(
    x: Axis,
    y: Axis,
    height_px: int,
    shapes: Sequence[str],
    over: Sequence[str],
    titles: list[str],
    top_px: int = 0,
) -> str:
    """The axes, the stretched shapes, what stands over them and the columns of the tooltips;
    top_px: room for labels above."""
    height = height_px * HEIGHT_PER_PX
    gutter = max(GUTTER_MIN_PX, int(LABEL_PX * max(len(text) for _, text in y.ticks)) + 10)
    rows = [(round((1 - y.place_of(at)) * height_px, 1), text) for at, text in y.ticks]
    side = "".join(
        f'<text x="{gutter - 6}" y="{min(max(place + 4, 10), height_px):g}">{text}</text>'
        for place, text in rows
    )
    grid = "".join(f"M0 {round(place * HEIGHT_PER_PX)}h{WIDTH}" for place, _ in rows)
    columns = "".join(
        f'<path d="M{place} 0h1v1h-1z"><title>{escaped(title)}</title></path>'
        for place, title in enumerate(titles)
    )
    box = f'width="100%" height="{height_px}" preserveAspectRatio="none"'
    view = f'viewBox="0 {-top_px} {gutter} {height_px + top_px}"'
    return (
        f'<div class="chart"><svg class="y" width="{gutter}" height="{height_px + top_px}" {view}>'
        f'{side}</svg><svg class="x" height="{height_px + top_px + TIME_LABELS_PX}">'
        f'<svg class="o" y="{top_px}">'
        f'<svg {box} viewBox="0 0 {WIDTH} {height}"><path class="grid" d="{grid}"/>'
        f"{''.join(shapes)}</svg>{_x_labels(x, height_px)}{''.join(over)}"
        f'<svg class="h" {box} viewBox="0 0 {len(titles)} 1">{columns}</svg></svg></svg></div>'
    )


def _x_labels(x: Axis, height_px: int) -> str:
    """Under the plot; the outermost ones do not reach beyond it."""
    texts = []
    for at, text in x.ticks:
        share = x.place_of(at)
        anchor = ' class="s"' if share < 0.04 else ' class="e"' if share > 0.94 else ""
        texts.append(f'<text x="{100 * share:.2f}%" y="{height_px + 15}"{anchor}>{text}</text>')
    return "".join(texts)


def thinned(
    times_us: Integers, values: Floats, end_us: float, buckets: int
) -> tuple[Integers, Integers]:
    """Which samples to draw, and which of them begin a stretch of their own.

    Both int64: rows of the samples, oldest first, and places among those rows. Few samples are
    all drawn; of many the lowest and the highest in each of `buckets` equal stretches of time. A
    NaN ends a stretch, where samples are thinned only one that fills a bucket.
    """
    finite = np.flatnonzero(np.isfinite(values))
    is_thinned = len(finite) > 2 * buckets
    bucket = np.minimum((times_us[finite] / end_us * buckets).astype(np.int64), buckets - 1)
    rows = finite
    if is_thinned:
        order = np.lexsort((values[finite], bucket))
        edges = np.flatnonzero(np.diff(bucket[order], prepend=-1))
        lowest, highest = order[edges], order[np.append(edges[1:], len(order)) - 1]
        kept = np.unique(np.concatenate([lowest, highest]))
        rows, bucket = finite[kept], bucket[kept]
    missing = np.cumsum(~np.isfinite(values))[rows]
    breaks = np.diff(missing) > 0
    if is_thinned:
        breaks &= np.diff(bucket) > 1
    return rows, np.concatenate([np.zeros(min(1, len(rows)), np.int64), np.flatnonzero(breaks) + 1])


def _line_shape(x: Axis, y: Axis, line: Line, height: int, buckets: int) -> str:
    if line.is_noisy and np.isfinite(line.values).sum() > buckets:
        return _range_shape(x, y, line, height, buckets // 2)
    rows, starts = thinned(line.times_us, line.values, x.high, buckets)
    across = np.rint(x.place(line.times_us[rows]) * WIDTH).astype(np.int64)
    down = np.rint((1 - y.place(line.values[rows])) * height).astype(np.int64)
    pieces = zip(np.split(across, starts[1:]), np.split(down, starts[1:]), strict=True)
    paths = [path_of(xs.tolist(), ys.tolist()) for xs, ys in pieces if len(xs)]
    shape = f'<path class="l s{line.colour}" d="{"".join(paths)}"/>'
    if not line.is_filled or len(starts) != 1:
        return shape
    zero = round((1 - y.place_of(0.0)) * height)
    area = f"{paths[0]}V{zero}H{across[0]}z"
    return f'<path class="a s{line.colour}" d="{area}"/>{shape}'


def _range_shape(x: Axis, y: Axis, line: Line, height: int, buckets: int) -> str:
    """A line of medians on a tinted range; each piece is a run of buckets with a value."""
    kept = np.flatnonzero(np.isfinite(line.values))
    bucket = np.minimum(x.place(line.times_us[kept]) * buckets, buckets - 1).astype(np.int64)
    order = np.lexsort((line.values[kept], bucket))
    first = np.flatnonzero(np.diff(bucket[order], prepend=-1))
    last = np.append(first[1:], len(order)) - 1
    rows = [kept[order[place]] for place in (first, (first + last) // 2, last)]
    low, middle, high = (
        np.rint((1 - y.place(line.values[one])) * height).astype(np.int64) for one in rows
    )
    filled = bucket[order[first]]
    across = np.rint((filled + 0.5) * WIDTH / buckets).astype(np.int64)
    tints, lines = [], []
    for piece in np.split(np.arange(len(filled)), np.flatnonzero(np.diff(filled) > 1) + 1):
        xs, back = across[piece].tolist(), piece[::-1]
        there_and_back = path_of(xs + xs[::-1], [*high[piece].tolist(), *low[back].tolist()])
        tints.append(f"{there_and_back}z")
        lines.append(path_of(xs, middle[piece].tolist()))
    return (
        f'<path class="a s{line.colour}" d="{"".join(tints)}"/>'
        f'<path class="l s{line.colour}" d="{"".join(lines)}"/>'
    )


def path_of(xs: list[int], ys: list[int]) -> str:
    """A path through points in as few characters as relative steps need; a dot for one point."""
    steps = [
        f"{right - left}{' ' if below >= above else ''}{below - above}"
        for left, right, above, below in zip(xs, xs[1:], ys, ys[1:], strict=False)
    ]
    return f"M{xs[0]} {ys[0]}" + ("l" + " ".join(steps) if steps else "h0")


def _bars_shape(y: Axis, bars: Bars, height: int) -> str:
    """Each as high as its value from 0, with a little room between neighbours."""
    width = WIDTH / len(bars.values)
    zero = (1 - y.place_of(0.0)) * height
    tops = (1 - y.place(bars.values)) * height
    gap = 0.2 * width if width > 3 else 0.0
    parts = [
        f"M{place * width + gap / 2:.4g} {zero:.4g}V{top:.4g}h{width - gap:.4g}V{zero:.4g}z"
        for place, (top, value) in enumerate(zip(tops.tolist(), bars.values.tolist(), strict=True))
        if value
    ]
    return f'<path class="b s{bars.colour}" d="{"".join(parts)}"/>'


def _strip_shape(bars: Bars, height: int) -> str:
    """The highest bar takes STRIP_PART of the height."""
    highest = float(bars.values.max()) or 1.0
    return _bars_shape(Axis(0.0, highest / STRIP_PART, ()), bars, height)


def _span_shape(x: Axis, span: Span, height: int) -> str:
    begin = x.place_of(span.begin_us) * WIDTH
    width = max(1.5, x.place_of(span.end_us) * WIDTH - begin)
    return f'<path class="{span.kind}" d="M{begin:.5g} 0h{width:.4g}v{height}h-{width:.4g}z"/>'


def _band_shape(x: Axis, y: Axis, band: Band, height: int) -> str:
    """What of it is within the plot."""
    left, right = (x.place_of(at) * WIDTH for at in (band.begin_us, band.end_us))
    top, bottom = (
        min(max((1 - y.place_of(edge)) * height, 0), height) for edge in (band.high, band.low)
    )
    if top >= bottom:
        return ""
    path = f"M{left:.5g} {top:.4g}H{right:.5g}V{bottom:.4g}H{left:.5g}z"
    return f'<path class="r s{band.colour}" d="{path}"/>'


def _span_label(x: Axis, span: Span, number: int) -> str:
    """Above the plot, neighbours in rows of their own."""
    share = x.place_of(span.begin_us)
    anchor = ' class="e"' if share > 0.6 else ' class="s"'
    shift = ' dx="-4"' if share > 0.6 else ' dx="4"'
    row = -4 - LABEL_ROW_PX * (number % LABEL_ROWS)
    return f'<text x="{100 * share:.2f}%" y="{row}"{anchor}{shift}>{escaped(span.label)}</text>'


def _mark(x: Axis, y: Axis, mark: Mark, height_px: int) -> str:
    share, down = x.place_of(mark.time_us), (1 - y.place_of(mark.value)) * height_px
    anchor = ' class="s"' if share < 0.2 else ' class="e"' if share > 0.8 else ""
    row = min(max(down + (-8 if mark.is_above else 17), 2), height_px - 4)
    return (
        f'<circle cx="{100 * share:.2f}%" cy="{down:.1f}" r="3.5"/>'
        f'<text x="{100 * share:.2f}%" y="{row:.1f}"{anchor}>{escaped(mark.label)}</text>'
    )


def _hover_titles(chart: Chart) -> list[str]:
    """What each column of a chart says: time, then the value of every line and bar at its end."""
    samples = max([len(line.times_us) for line in chart.lines] + [0])
    count = max(1, min(chart.columns, samples or max(len(bars.values) for bars in chart.bars)))
    ends_us = chart.end_us * np.arange(1, count + 1) // count
    titles = []
    for place, end_us in enumerate(ends_us.tolist()):
        said = [clock(end_us)]
        said += [f"{line.name} {_value_at(line, end_us)}" for line in chart.lines]
        said += [f"{bars.name} {_bars_within(bars, place, count)}" for bars in chart.bars]
        titles.append("\n".join(said))
    return titles


def _value_at(line: Line, end_us: int) -> str:
    row = int(np.searchsorted(line.times_us, end_us, side="right")) - 1
    value = float(line.values[row]) if row >= 0 else None
    return significant(value, 4) if line.decimals is None else number(value, line.decimals)


def _bars_within(bars: Bars, place: int, count: int) -> str:
    """The sum of the bars that a column covers."""
    edges = [len(bars.values) * end // count for end in (place, place + 1)]
    return number(float(bars.values[edges[0] : max(edges[1], edges[0] + 1)].sum()), bars.decimals)


def _series(chart: Chart) -> list[Line | Bars]:
    return [*chart.lines, *chart.bars, *([chart.strip] if chart.strip else [])]


def _legend(chart: Chart) -> str:
    """Names and colours, where there is more than one to tell apart."""
    series = [(one.name, one.colour) for one in _series(chart)]
    if len(series) < 2:
        return ""
    return "".join(f'<span class="k s{colour}">{escaped(name)}</span>' for name, colour in series)


def _figure(title: str, unit: str, legend: str, body: str) -> str:
    named = f"<b>{escaped(title)}</b>" + (f" <i>{escaped(unit)}</i>" if unit else "")
    return f"<figure><figcaption>{named}{legend}</figcaption>{body}</figure>"
