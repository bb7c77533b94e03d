"""The page of a run: whole, safe with any name, small for any length, honest about little."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import numpy as np
import pytest

from sim.facts.of_run import Reference, compared_markets, run_facts, tape_facts
from sim.market import MarketSpec
from sim.record.run import Origin, OtherGain, RunRecord, ShockDone
from sim.record.tape import real_tape
from sim.report.axes import time_axis, value_axis
from sim.report.charts import Line, thinned
from sim.report.html import CONTENT_SECURITY_POLICY
from sim.report.page_of_run import html_report
from sim.report.strategies import result_bins, sum_of_gains, told_apart
from sim.report.text import clock, duration, number, percent, significant
from sim.rows.messages import MarketStatus, Side
from sim.scenario.scenario import IndexJump, MarketShock, StatusChange
from sim.stepping.world import Timing
from tests.sim.run_records import BTC, market_record, run_record, strategy_record
from tests.sim.scenario_texts import EVERYONE, scenario_of, world_of

VOID = {"meta", "link"}
SEED = 11
HOSTILE = "</title><script>alert(1)</script><img src=x onerror='alert(2)'>\"'&\x00\ud800"
HOUR_S = 3_600


class Page(HTMLParser):
    """Every tag with its attributes, the text, and what was left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))

    def attributes(self) -> Iterator[tuple[str, str]]:
        for _, attributes in self.tags:
            yield from ((name, value or "") for name, value in attributes.items())


def path_of_prices(count: int) -> np.ndarray:
    print(f"seed {SEED}")
    moves = np.random.default_rng(SEED).integers(-50, 51, count)
    return 660_000 + np.cumsum(moves)


def small_run(seconds: int = 600) -> RunRecord:
    prices = path_of_prices(seconds)
    noise = strategy_record(np.full(seconds, 1_000), "noise", "noise", makes_markets=False)
    return run_record([market_record(prices)], [strategy_record(1_000 + np.arange(seconds)), noise])


def test_a_page_of_a_real_run_is_well_formed_and_asks_nobody_for_anything() -> None:
    world = world_of(scenario_of(duration_s=8))
    world.run()
    text = html_report(world.record(Timing(1.0)))
    page = Page(text)
    assert page.open == []
    assert not re.search(r"https?://|//[a-z]+\.|@import|url\(|\bnan\b|\binf\b", text)
    assert {value for name, value in page.attributes() if name == "href"} >= {"data:,", "#facts"}
    assert not {"src", "style", "srcset"} & {name for name, _ in page.attributes()}
    for said in ("BTC-PERP", "ETH-PERP", "Price", "Spread", "Visible depth", "Volume", "Sharpe"):
        assert said in page.text
    assert world.state_hash() in page.text


def test_only_of_who_makes_markets_the_inventory_is_shown() -> None:
    run = world_of(scenario_of(EVERYONE, duration_s=3))
    run.run()
    record = run.record(Timing())
    assert [one.name for one in record.strategies if one.makes_markets] == ["makers"]
    assert html_report(record).count("Inventory at mark") == 1


def test_the_policy_of_a_page_names_its_own_style_and_script_and_nothing_else() -> None:
    text = html_report(small_run())
    assert f'content="{CONTENT_SECURITY_POLICY}"' in text
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert (text.count("<style>"), text.count("<script>")) == (1, 1)
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'")


def test_no_name_becomes_markup() -> None:
    spec = MarketSpec(HOSTILE, HOSTILE, HOSTILE, BTC.tick_size, BTC.lot_size, 1_000)
    prices = path_of_prices(400)
    shock = MarketShock(HOSTILE, 1_000, Side.SELL, 5, 10)
    record = run_record([market_record(prices, spec)], [], (shock,))
    record.strategies = [strategy_record(prices, HOSTILE, HOSTILE)] * 2
    record.scenario = record.actors = record.state_hash = HOSTILE
    facts = tape_facts(real_tape(HOSTILE, *real_columns()))
    page = Page(html_report(record, Reference(HOSTILE, (HOSTILE,), facts)))
    assert page.open == []
    counts = [sum(tag == name for tag, _ in page.tags) for name in ("script", "img", "title")]
    assert counts[:2] == [1, 0]
    assert not [name for name, _ in page.attributes() if name.startswith("on")]
    assert "<script>alert(1)" in page.text  # as a text that anybody can read
    html_report(record).encode()


def real_columns(count: int = 2_000) -> tuple[np.ndarray, ...]:
    times = 1_000_000 * np.arange(count)
    sides = np.random.default_rng(SEED).random(count) < 0.5
    return times, path_of_prices(count), np.ones(count, np.int64), sides


def grid() -> tuple[Decimal, Decimal]:
    return BTC.tick_size, BTC.lot_size


def test_an_interrupted_run_says_partial_and_how_far() -> None:
    record = small_run(600)
    whole = Page(html_report(record))
    partial = Page(html_report(replace(record, steps_planned=36_000)))
    assert "partial" not in whole.text
    assert "partial: 0:10:00 of 1:00:00, 16 %" in partial.text


@pytest.mark.parametrize("samples", [0, 1, 2, 3])
@pytest.mark.parametrize("price", [0, 660_000])
def test_a_run_of_few_samples_or_without_a_trade_has_a_page(samples: int, price: int) -> None:
    prices = np.full(samples, price)
    equity = np.full(samples, 1_000)
    record = run_record([market_record(prices)], [strategy_record(equity)], steps_planned=100)
    text = html_report(record)
    page = Page(text)
    assert page.open == []
    assert not re.search(r"\bnan\b|\binf\b", text)
    said = "before its first sample" if samples == 0 else "There was no trade"
    assert (said in page.text) == (samples == 0 or price == 0)
    assert "cannot be judged" in page.text


def test_a_run_that_never_stepped_has_a_page() -> None:
    record = run_record([market_record(np.zeros(0, np.int64))], [], steps_planned=100)
    assert "partial: 0:00:00 of 0:00:10, 0 %" in Page(html_report(record)).text


def test_a_shock_is_told_with_its_depth_and_the_time_it_took_to_be_made_good() -> None:
    prices = np.full(600, 660_000)
    prices[100:130] = np.linspace(650_000, 594_000, 30)
    prices[130:160] = np.linspace(600_000, 659_000, 30)
    shock = MarketShock("BTC-PERP", 1_001, Side.SELL, 250_000, 300)
    done = ShockDone(shock, 250_000, BTC.notional_atoms(625_000, 250_000), 131_000_000)
    halts = (
        StatusChange("BTC-PERP", 3_001, MarketStatus.HALTED),
        StatusChange("BTC-PERP", 3_601, MarketStatus.ACTIVE),
    )
    jump = IndexJump("BTC-PERP", 4_001, -20_000)
    market = replace(market_record(prices), shocks=(done,))
    record = run_record([market], [], (shock, *halts, jump))
    text = html_report(record)
    said = Page(text).text
    assert "0:01:40 sold 250 of 250 BTC at 62,500.0 on average, by 0:02:11; price from" in said
    assert "price from 66,000.0 to 59,400.0" in said
    assert "−10 %) at 0:02:10; back by half at 0:02:25, by nine tenths at 0:02:38." in said
    assert (text.count('class="shock"'), text.count('class="halt"')) == (8, 4)
    assert "halted" in said
    assert "index −2 %" in said


def test_a_shock_that_the_end_cuts_short_is_told_with_what_was_traded() -> None:
    shock = MarketShock("BTC-PERP", 101, Side.SELL, 250_000, 300)
    prices = np.linspace(660_000, 650_000, 60).astype(np.int64)
    for lots, said in (
        (10_980, "0:00:10 sold 10.98 of 250 BTC at 65,500.0 on average, by 0:00:42; the run ended"),
        (0, "0:00:10 sold 0 of 250 BTC ; the run ended before the rest."),
    ):
        done = ShockDone(shock, lots, BTC.notional_atoms(655_000, lots), 42_000_000 if lots else 0)
        market = replace(market_record(prices), shocks=(done,))
        page = Page(html_report(run_record([market], [], (shock,), steps_planned=99_999)))
        assert said in page.text


def test_what_the_run_ended_before_is_said_on_the_page() -> None:
    shock = MarketShock("BTC-PERP", 6_001, Side.SELL, 250_000, 300)
    record = run_record([market_record(np.full(60, 660_000))], [], (shock,), steps_planned=99_999)
    page = Page(html_report(record))
    assert "The sell shock of BTC-PERP at 600 s is left out: the run ends after 60 s." in page.text


def test_who_is_no_strategy_has_a_row_and_all_profits_sum_to_zero() -> None:
    record = small_run()
    record.strategies[0].trader_pnl_atoms[0] -= 1  # an atom that nobody gained
    lost = -sum(int(one.trader_pnl_atoms.sum()) for one in record.strategies)
    record.others = (
        OtherGain("fees of the exchange", lost + 2_000_000, 0),
        OtherGain("insurance fund", 0),
        OtherGain("shocks", -2_000_000, 16_147_386_000_000),
    )
    assert sum_of_gains(record) == 0
    text = re.sub(r"[\s–]+", " ", Page(html_report(record)).text)
    assert " shocks −2.00 16,147,386 " in text
    assert " sum 0.00 " in text
    assert "insurance fund" not in text


def test_a_page_says_where_it_comes_from() -> None:
    origin = Origin("sandpit simulate 'a <b>'", "0.9.1", "2026-11-27 08:00:00 UTC")
    said = Page(html_report(replace(small_run(), origin=origin))).text
    assert "Sandpit 0.9.1 simulation, 2026-11-27 08:00:00 UTC" in said
    assert "sandpit simulate 'a <b>'" in said
    assert "Sandpit simulation" in Page(html_report(small_run())).text


def test_strategies_that_moved_far_more_than_others_do_not_flatten_them() -> None:
    def line(name: str, reach: float) -> Line:
        return Line(name, np.arange(3), np.array([0.0, reach, reach / 2]), 0)

    lines = [line("a", 0.2), line("b", -70.0), line("c", 0.0), line("d", 1.1)]
    far, near = told_apart(lines)
    assert ([one.name for one in far], [one.name for one in near]) == (["b"], ["a", "c", "d"])
    assert told_apart(lines[2:]) == ([], lines[2:])
    assert told_apart([line("a", 2.0), line("b", -9.0)])[0] == []


def test_what_lies_after_the_end_of_an_interrupted_run_is_not_shown() -> None:
    shock = MarketShock("BTC-PERP", 90_001, Side.SELL, 250_000, 300)
    market = replace(market_record(path_of_prices(60)), shocks=(ShockDone(shock, 0, 0, 0),))
    record = run_record([market], [], (shock,), steps_planned=99_999)
    assert "250 BTC" not in html_report(record)


def test_thinning_keeps_the_extremes_of_every_bucket_and_the_gaps() -> None:
    values = path_of_prices(100_000).astype(np.float64)
    values[5_000], values[70_000] = 1.0, 9e9
    values[30_000:40_000] = np.nan
    times = np.arange(100_000)
    rows, starts = thinned(times, values, 100_000, 480)
    assert len(rows) <= 2 * 480
    assert {5_000, 70_000} <= set(rows.tolist())
    assert rows[starts].tolist()[0] == rows[0]
    assert len(starts) == 2
    assert times[rows[starts[1]]] >= 40_000
    few, pieces = thinned(times[:5], np.array([1, np.nan, 2, 3, np.nan]), 5, 480)
    assert (few.tolist(), pieces.tolist()) == ([0, 2, 3], [0, 1])


def test_axes_have_round_ticks_with_thousands_apart() -> None:
    assert [label for _, label in value_axis(np.array([65_912.4, 66_350.1])).ticks] == [
        *("65,900", "66,000", "66,100", "66,200", "66,300")
    ]
    axis = value_axis(np.array([900.0, 8_000_000.0]), may_be_log=True)
    assert axis.is_log
    assert [label for _, label in axis.ticks] == [
        "1,000",
        "10,000",
        "100,000",
        "1,000,000",
        "10,000,000",
    ]
    assert [label for _, label in time_axis(1_800_000_000).ticks][-1] == "0:30"
    assert [label for _, label in time_axis(3_000_000).ticks][1] == "0:00:01"


def test_bars_below_a_line_do_not_cover_it() -> None:
    for values in (np.array([-5.0, 20.0]), np.array([3.0, 4_000.0])):
        axis = value_axis(values, may_be_log=True)
        lowered = axis.with_room_below(0.2)
        assert lowered.place_of(axis.low) == pytest.approx(0.2)
        assert (lowered.high, lowered.ticks) == (axis.high, axis.ticks)


def test_results_are_counted_once_in_bins_of_which_zero_is_an_edge() -> None:
    pnl = np.random.default_rng(SEED).standard_t(2, 5_000) * 100
    edges, counts = result_bins(pnl)
    assert counts.sum() == 5_000
    assert np.isclose(edges, 0).any()
    assert len(counts) == len(edges) - 1 <= 40
    assert result_bins(np.array([1.0, 1.0, 5.0]))[1].sum() == 3


def test_numbers_and_times_read_as_in_a_newspaper() -> None:
    assert (number(-1234.56, 1), number(-0.001, 1), number(None)) == ("−1,234.6", "0.0", "–")
    assert (percent(0.12345), percent(None)) == ("12.3\u202f%", "–")
    assert (significant(0.00012345), significant(float("nan"))) == ("0.000123", "–")
    assert (clock(3_723_000_000), clock(90 * HOUR_S * 10**6, False)) == ("1:02:03", "90:00")
    assert [duration(us) for us in (100_000, 90_000_000, 7_500_000_000)] == [
        *("0.1 s", "1 min 30 s", "2 h 5 min")
    ]


def test_a_sample_of_the_trades_says_nothing_about_neighbouring_orders() -> None:
    market = market_record(path_of_prices(2_000))
    market.quotes["trades"] = 16
    (facts,) = run_facts(run_record([market], []))
    judged = {fact.description.key: facts.why_open(fact) for fact in facts.table.facts}
    for key in ("order_sign_persistence", "inter_arrival", "market_impact"):
        assert judged[key] == "one trade in 16 was recorded, it needs all (--record all)"
    assert judged["no_autocorrelation"].startswith("under 300 returns")


def test_real_trades_stand_beside_the_markets_that_their_file_names() -> None:
    markets = [("BTC-PERP", "BTC"), ("ETH-PERP", "ETH"), ("B-PERP", "B")]
    assert compared_markets("BTCUSDT-PERP-trades-2024-08-08.csv.gz", markets) == ("BTC-PERP",)
    assert compared_markets("trades.csv", markets) == ("BTC-PERP", "ETH-PERP", "B-PERP")
    eth = MarketSpec("ETH-PERP", "ETH", "USDC", *grid(), 1_000)
    prices = path_of_prices(900)
    record = run_record([market_record(prices), market_record(prices, eth)], [])
    facts = tape_facts(real_tape("BTCUSDT.csv", *real_columns()))
    said = Page(html_report(record, Reference("BTCUSDT.csv", ("BTC-PERP",), facts))).text
    assert "Real trades: BTCUSDT.csv, compared with BTC-PERP." in said
    assert re.search(r"BTC-PERP: \d+ of 11 hold; \d+ of 11 in BTCUSDT.csv", said)
    assert "not compared, BTCUSDT.csv is of another market" in said
    assert "real 2,000 trades, 33 min 19 s" in said
