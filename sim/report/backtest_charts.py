"""What a report shows of a droid over time: its rungs around the price, worth, fees, gas, loss."""

from collections.abc import Sequence

import numpy as np

from sim.backtest.result import Result, Standing
from sim.pool.terms import PoolTerms
from sim.pool.words import Pair
from sim.ratios import Floats
from sim.record.run import Integers
from sim.report.charts import Band, Chart, Line, chart_html
from sim.report.text import SECOND_US

LADDER_HEIGHT_PX, PRICE_HEIGHT_PX, WORTH_HEIGHT_PX = 280, 180, 240
BANDS_MAX = 1_500
"""The first ones: 0.1 KB each, twice."""

CENTS = 2
RUNGS, PRICE, SIGNAL = 5, 0, 1


def backtest_charts(result: Result) -> str:
    """All charts, the ladder first and widest."""
    course = Course(result)
    bands = bands_of(result)
    smaller = (
        Chart("Fees", f"{course.quote}, all so far", course.end_us, [course.money("fees", 2)]),
        Chart("Gas", f"{course.quote}, all so far", course.end_us, [course.money("gas", "loss")]),
        Chart(
            "Impermanent loss",
            f"{course.quote}, of closed and open positions",
            course.end_us,
            [course.money("impermanent_loss", 3)],
            from_zero=True,
        ),
        Chart(
            "Beside half and half",
            f"{course.quote} more than who holds half in each",
            course.end_us,
            [course.difference("aum", "halves", 0), course.difference("full_range", "halves", 4)],
            from_zero=True,
        ),
    )
    return (
        f"{chart_html(_ladder(course, bands))}{chart_html(_price(course, bands))}"
        f"{chart_html(_worth(course))}"
        f'<div class="pair">{"".join(map(chart_html, smaller))}</div>'
    )


class Course:
    """Standings as arrays, in units of the trade: float64 (standings,)."""

    def __init__(self, result: Result) -> None:
        self._standings, self._terms = result.standings, result.log.pool.terms
        self.base, self.quote = "ETH", result.log.pool.quote.symbol
        begin_s = result.first.time_s
        self.end_us = max(result.last.time_s - begin_s, 1) * SECOND_US
        self.times_us: Integers = np.array(
            [(one.time_s - begin_s) * SECOND_US for one in self._standings], np.int64
        )

    def prices(self) -> Line:
        found = [self._terms.nearest_double(one.sqrt_price_x96) for one in self._standings]
        return Line("price", self.times_us, np.array(found), PRICE, CENTS)

    def signals(self) -> Line:
        found = np.array([one.signal for one in self._standings])
        return Line("signal", self.times_us, found, SIGNAL, CENTS)

    def money(self, field: str, colour: int | str, name: str = "") -> Line:
        """A worth, by its name in Standing."""
        told = name or field.replace("_", " ")
        return Line(told, self.times_us, self._values(field), colour, CENTS)

    def difference(self, field: str, less: str, colour: int) -> Line:
        values = self._values(field) - self._values(less)
        name = NAMES.get(field, field)
        return Line(name, self.times_us, values, colour, CENTS)

    def _values(self, field: str) -> Floats:
        unit = self._terms.quote_unit
        return np.array([getattr(one, field) / unit for one in self._standings], np.float64)


NAMES = {"aum": "droid", "full_range": "full range"}


def _ladder(course: Course, bands: Sequence[Band]) -> Chart:
    return Chart(
        "Price and rungs",
        f"{course.quote} for one {course.base}, by time since the beginning (h:mm)",
        course.end_us,
        [course.prices()],
        bands=bands,
        shows_bands=True,
        height_px=LADDER_HEIGHT_PX,
    )


def _price(course: Course, bands: Sequence[Band]) -> Chart:
    return Chart(
        "Price and signal, closer",
        course.quote,
        course.end_us,
        [course.prices(), course.signals()],
        bands=bands,
        height_px=PRICE_HEIGHT_PX,
    )


def _worth(course: Course) -> Chart:
    lines = [
        course.money("held", "index", "held as it began"),
        course.money("halves", 5, "half held in each"),
        course.money("full_range", 4, NAMES["full_range"]),
        course.money("aum", 0, NAMES["aum"]),
    ]
    unit = f"{course.quote}, with ether for gas"
    return Chart("Worth", unit, course.end_us, lines, height_px=WORTH_HEIGHT_PX)


def bands_of(result: Result) -> list[Band]:
    """Each rung from the block that it came in to that it went in, or to the end."""
    begin_s, terms = result.first.time_s, result.log.pool.terms
    open_since: dict[Pair, int] = {}
    bands: list[Band] = []
    for one in result.standings:
        time_us = (one.time_s - begin_s) * SECOND_US
        for ticks in [*open_since]:
            if ticks not in one.ranges:
                bands.append(_band(terms, ticks, open_since.pop(ticks), time_us))
        for ticks in one.ranges:
            open_since.setdefault(ticks, time_us)
    end_us = _end_us(result.standings, begin_s)
    bands += [_band(terms, ticks, since, end_us) for ticks, since in open_since.items()]
    return bands[:BANDS_MAX]


def _end_us(standings: Sequence[Standing], begin_s: int) -> int:
    return (standings[-1].time_s - begin_s) * SECOND_US


def _band(terms: PoolTerms, ticks: Pair, begin_us: int, end_us: int) -> Band:
    low, high = sorted(float(terms.price_at_tick(tick)) for tick in ticks)
    return Band(begin_us, end_us, low, high, RUNGS)
