"""What befell a market, as a report shows it: stretches of its charts, and a sentence for every
shock that says what was traded, not what was planned, and what the price made of it."""

import numpy as np

from sim.record.run import MarketRecord, RunRecord, ShockDone
from sim.report.charts import Span
from sim.report.choice import HAPPENINGS_MAX
from sim.report.series import MarketSeries
from sim.report.text import SECOND_US, clock, escaped, number, percent
from sim.rows.messages import MarketStatus, Side
from sim.scenario.scenario import Happening, IndexJump, StatusChange
from sim.units import PPM, format_steps

AFTERMATH_MIN_US = 600 * SECOND_US
AFTERMATH_LENGTHS = 10
"""A shock's farthest price is looked for within ten minutes, or ten times its length."""

PARTS = (0.5, 0.9)
"""Of the way back, when they were made up."""


def spans_of(record: RunRecord, market: MarketRecord) -> list[Span]:
    """Shocks and halts of a market that began before the run's end, as stretches of its time."""
    end_us = record.steps * record.step_us
    own = [one for one in record.happenings if one.market_id == market.spec.market_id]
    found = [_shock_span(record, market, done) for done in market.shocks]
    for place, one in enumerate(own):
        begin_us = (one.step - 1) * record.step_us
        if isinstance(one, IndexJump):
            label = f"index {'+' if one.jump_ppm > 0 else ''}{percent(one.jump_ppm / PPM)}"
            found.append(Span("shock", label, begin_us, begin_us))
        if isinstance(one, StatusChange) and not _is_active(one):
            ends = (later.step for later in own[place + 1 :] if _is_active(later))
            until_us = (next(ends, record.steps + 1) - 1) * record.step_us
            label = one.status.name.lower().replace("_", " ")
            found.append(Span("halt", label, begin_us, until_us))
    found.sort(key=lambda span: span.begin_us)
    return [
        Span(span.kind, span.label, span.begin_us, min(span.end_us, end_us))
        for span in found
        if span.begin_us < end_us
    ]


def _is_active(one: Happening) -> bool:
    return isinstance(one, StatusChange) and one.status == MarketStatus.ACTIVE


def _shock_span(record: RunRecord, market: MarketRecord, done: ShockDone) -> Span:
    """Until the last trade, or the end where not all was traded by then."""
    begin_us = (done.shock.step - 1) * record.step_us
    until_us = done.until_us if done.is_whole else record.steps * record.step_us
    return Span("shock", deed(market, done), begin_us, until_us)


def deed(market: MarketRecord, done: ShockDone) -> str:
    """sold 10.98 of 250 BTC."""
    word = "bought" if done.shock.side == Side.BUY else "sold"
    traded, planned = (
        format_steps(lots, market.spec.lot_size)
        for lots in (done.traded_lots, done.shock.quantity_lots)
    )
    return f"{word} {traded} of {planned} {market.spec.base_asset}"


def shock_sentences(record: RunRecord, market: MarketRecord, series: MarketSeries) -> list[str]:
    """What was done of each shock and what the price made of it, as HTML paragraphs."""
    begun = [one for one in market.shocks if one.shock.step <= record.steps]
    return [
        f"<p><b>{clock((one.shock.step - 1) * record.step_us)} {escaped(deed(market, one))}</b>"
        f"{_how(one, series)}{_after(record, market, one, series)}</p>"
        for one in begun
    ]


def untold(record: RunRecord, market: MarketRecord) -> str:
    """How many of the shocks and halts have neither a sentence nor a mark."""
    count = len(spans_of(record, market))
    if count <= HAPPENINGS_MAX:
        return ""
    said = f"Of {number(count)} shocks, jumps and halts the first {HAPPENINGS_MAX} are shown."
    return f"<p>{said}</p>"


def _how(done: ShockDone, series: MarketSeries) -> str:
    """At what price, by when, and why no more."""
    rest = "" if done.is_whole else "; the run ended before the rest"
    if not done.traded_lots:
        return rest
    atoms = done.notional_atoms / done.traded_lots
    average = atoms / series.spec.notional_atoms(1, 1) * float(series.spec.tick_size)
    at = f" at {number(average, series.decimals)} on average, by {clock(done.until_us)}"
    return f"{at}{rest}"


def _after(record: RunRecord, market: MarketRecord, done: ShockDone, series: MarketSeries) -> str:
    """The price until the next shock begins."""
    if not done.traded_lots:
        return "."
    begins = [(one.shock.step - 1) * record.step_us for one in market.shocks]
    begin_us = (done.shock.step - 1) * record.step_us
    until_us = min((later for later in begins if later > begin_us), default=None)
    effect = _effect(series, done.shock.side, begin_us, done.until_us - begin_us, until_us)
    return f"; {effect}"


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
