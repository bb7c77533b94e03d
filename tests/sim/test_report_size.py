"""However large a scenario, its page stays small and counts what it does not show."""

import re
from decimal import Decimal

import numpy as np

from sim.market import MarketSpec
from sim.record.run import OtherGain, RunRecord, ShockDone, StrategyRecord
from sim.report.choice import HAPPENINGS_MAX, MARKETS_DRAWN_MAX, STRATEGY_ROWS_MAX, largest
from sim.report.page_of_run import html_report
from sim.report.strategies import sum_of_gains
from sim.rows.messages import Side
from sim.scenario.scenario import MarketShock
from sim.units import ATOMS_PER_UNIT
from tests.sim.run_records import market_record, run_record, strategy_record

BYTES_MAX = 1_000_000
SEED = 12
HOUR_S, DAY_S = 3_600, 86_400
POPULATIONS_MAX, LIST_MAX = 1_000, 1_000


def dice() -> np.random.Generator:
    print(f"seed {SEED}")
    return np.random.default_rng(SEED)


def walk(seconds: int) -> np.ndarray:
    return 33_000_000 + np.cumsum(dice().integers(-2_500, 2_501, seconds))


def spec(place: int) -> MarketSpec:
    return MarketSpec(f"M{place}-USD", "BTC", "USD", Decimal("0.1"), Decimal("0.001"), 1_000)


def restless(rng: np.random.Generator, seconds: int, place: int, markets: int) -> StrategyRecord:
    """A maker that holds something else in every market at every sample, of twelve traders."""
    equity = 1_000 + np.cumsum(rng.integers(-5, 6, seconds))
    record = strategy_record(equity, f"population-number-{place:03}", "ladder", markets)
    record.inventory_lots[:] = rng.integers(-99, 100, (seconds, markets))
    record.trader_pnl_atoms = rng.integers(-(10**12), 10**12, 12)
    record.standings["volume_atoms"] = place * ATOMS_PER_UNIT
    return record


def crowded(populations: int, markets: int, seconds: int) -> RunRecord:
    rng, prices = dice(), walk(seconds)
    record = run_record(
        [market_record(prices + 10 * place, spec(place)) for place in range(markets)],
        [restless(rng, seconds, place, markets) for place in range(populations)],
    )
    gained = sum_of_gains(record)
    record.others = (OtherGain("fees of the exchange", -gained),)
    return record


def page_of(record: RunRecord) -> str:
    page = html_report(record)
    print(f"{len(page.encode()):,} bytes")
    assert len(page.encode()) < BYTES_MAX
    return page


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def test_a_day_of_eight_markets_and_many_strategies_is_under_a_megabyte() -> None:
    page_of(crowded(24, 8, DAY_S))


def test_a_thousand_populations_are_under_a_megabyte_and_those_without_charts_are_counted() -> None:
    record = crowded(POPULATIONS_MAX, 8, HOUR_S // 4)
    page = page_of(record)
    cards = page.count('<article class="card">')
    assert 8 <= cards < STRATEGY_ROWS_MAX
    said = plain(page)
    assert (
        f"{cards} of 1,000 strategies, the largest by volume, have charts here;"
        f" {1_000 - cards} have none."
    ) in said
    assert "<h3>population-number-999</h3>" in page
    assert f"<h3>population-number-{999 - cards:03}</h3>" not in page


def test_the_rows_that_are_left_out_have_one_for_all_and_the_sum_is_still_zero() -> None:
    record = crowded(POPULATIONS_MAX, 1, 120)
    page = page_of(record)
    head, _, table = page.partition('<section id="strategies">')
    rows = re.findall(r"<tr><th>(.*?)</th>(.*?)</tr>", table.partition("</table>")[0])
    names = [re.sub("<small>.*", "", name) for name, _ in rows]
    first = POPULATIONS_MAX - STRATEGY_ROWS_MAX
    assert names[1 : STRATEGY_ROWS_MAX + 1] == [
        f"population-number-{place:03}" for place in range(first, POPULATIONS_MAX)
    ]
    assert names[STRATEGY_ROWS_MAX + 1 :] == [
        *(f"{first} other strategies", "fees of the exchange", "sum")
    ]
    cells = [re.findall("<td>(.*?)</td>", cells) for _, cells in rows]
    rest = record.strategies[:first]
    gained = sum(int(one.trader_pnl_atoms.sum()) for one in rest) / ATOMS_PER_UNIT
    assert cells[-3][:3] == [
        *(f"{10 * first:,}", f"{gained:,.2f}".replace("-", "\u2212"), f"{sum(range(first)):,}")
    ]
    assert cells[-1][1] == "0.00"
    assert head


def test_many_markets_and_many_shocks_are_under_a_megabyte_and_counted() -> None:
    prices = walk(HOUR_S)
    markets = [market_record(prices, spec(place)) for place in range(LIST_MAX // 5)]
    shocks = [MarketShock("M0-USD", 10 + 30 * place, Side.SELL, 5, 10) for place in range(LIST_MAX)]
    markets[0].shocks = tuple(ShockDone(one, 5, 10**12, one.step * 100_000) for one in shocks)
    makers = [restless(dice(), HOUR_S, 7, len(markets))]
    page = page_of(run_record(markets, makers, tuple(shocks)))
    said = plain(page)
    assert page.count('<section id="m') == MARKETS_DRAWN_MAX
    assert "8 of 200 markets, those of most trades, have charts here; 192 have none." in said
    assert "100 other markets" in said
    assert f"Of 1,000 shocks, jumps and halts the first {HAPPENINGS_MAX} are shown." in said
    assert "Inventory at mark, the 8 largest of 200 markets" in said


def test_a_run_that_fits_leaves_nothing_out() -> None:
    page = plain(page_of(crowded(5, 2, 600)))
    assert "have none" not in page
    assert "other strategies" not in page
    assert "other markets" not in page


def test_of_equals_the_first_are_shown_in_their_order() -> None:
    assert largest([1, 5, 5, 9, 5], 3) == [1, 2, 3]
    assert largest([0, 0, 0], 2) == [0, 1]
    assert largest([], 2) == []
