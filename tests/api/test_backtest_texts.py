"""Candles that are kept with a backtest: without gaps, whole behind and before its start."""

import random
from dataclasses import replace

import numpy as np
import pytest

from api.desk.backtest_text import Traded, on_history, with_session
from sim.money.candles import MINUTE_US
from sim.scenario.fields import ScenarioError
from sim.signals.steps import ExitReason
from sim.signals.strategy import Strategy, read_strategy
from sim.stepping.world import SimulatedWorld, Timing
from storage.files.scenario_file import scenario_prices
from storage.runs.kept_candles import KeptCandles, unpacked, without_gaps
from storage.runs.stored_scenario import read_scenario
from tests.markets import ETH_PERP

FIRST_US = 1_736_899_200_000_000
ROWS = [[100 + place, 110 + place, 90 + place, 105 + place, place] for place in range(1, 31)]
KEPT = KeptCandles(FIRST_US, 20, {"ETH-PERP": np.array(ROWS, np.int64)})


WAVERING = {
    "agents": {"risk": {"default_stop_loss": 0.0008, "default_take_profit": 0.001}},
    "voting": {"quorum": 0.3, "min_consensus": 0.3, "min_confidence": 0.2, "min_votes": 1},
}
"""It opens often, and leaves at 8 or 10 basis points."""


def text_of(kept: KeptCandles, **terms: object) -> str:
    traded = Traded(["ETH-PERP"], "10000", None)
    strategy = read_strategy(terms) if terms else Strategy()
    return with_session(on_history([ETH_PERP], kept, traded, 3, 600), traded, strategy)


def random_minutes(seed: int, count: int) -> KeptCandles:
    """A walk of some basis points a minute, two hours of it before the start."""
    dice = np.random.default_rng(seed)
    close = 350_000 * np.exp(np.cumsum(dice.normal(0, 7e-4, 120 + count)))
    opening = np.concatenate([[350_000], close[:-1]])
    high = np.maximum(opening, close) * (1 + abs(dice.normal(0, 3e-4, len(close))))
    low = np.minimum(opening, close) * (1 - abs(dice.normal(0, 3e-4, len(close))))
    columns = (opening, high, low, close, np.full(len(close), 500))
    return KeptCandles(0, 120, {"ETH-PERP": np.stack(columns, 1).astype(np.int64)})


def test_the_book_is_where_the_candles_are_and_exits_are_where_they_lie() -> None:
    seed, count = random.randrange(2**32), 180
    print(f"seed {seed}")
    kept = random_minutes(seed, count)
    traded, strategy = Traded(["ETH-PERP"], "10000", None), read_strategy(WAVERING)
    text = with_session(on_history([ETH_PERP], kept, traded, 3, count * 60), traded, strategy)
    scenario = read_scenario(text, candles=kept)
    world = SimulatedWorld(scenario, scenario_prices(scenario, kept.paths))
    world.run()
    record = world.record(Timing())
    trades = record.markets[0].trades
    assert len(trades) > count
    minutes = kept.minutes["ETH-PERP"][120:][np.minimum(trades["time_us"] // MINUTE_US, count - 1)]
    price = trades["price_ticks"]
    outside = np.maximum(minutes[:, 2] - price, price - minutes[:, 1])
    assert outside.max() < 0.0003 * 350_000
    closed = [one for one in record.agents[0].course.trips[0] if one.trip.closed_at_us is not None]
    assert closed
    for one in closed:
        entry = one.trip.entry_tick_lots / one.trip.entry_lots
        exit_ = one.trip.exit_tick_lots / one.trip.exit_lots
        move_ppm = (exit_ / entry - 1) * one.trip.direction * 1e6
        if one.reason is ExitReason.STOP_LOSS:
            assert -1_200 < move_ppm < -500
        if one.reason is ExitReason.TAKE_PROFIT:
            assert 700 < move_ppm < 1_400


def test_in_a_minute_without_a_trade_the_price_stayed_where_it_was() -> None:
    minutes = {FIRST_US + place * MINUTE_US: (5, 9, 4, 7 + place, 3) for place in (1, 4)}
    rows = without_gaps(minutes, FIRST_US, 6)
    assert rows[:, 3].tolist() == [5, 8, 8, 8, 11, 11]
    assert rows[2].tolist() == [8, 8, 8, 8, 0]


def test_what_is_kept_comes_back_and_other_candles_have_another_digest() -> None:
    again = unpacked(KEPT.packed())
    assert (again.first_us, again.past) == (FIRST_US, 20)
    assert again.digest("ETH-PERP") == KEPT.digest("ETH-PERP")
    assert again.paths["ETH-PERP"].tolist() == [row[:4] for row in ROWS[20:]]
    changed = KEPT.minutes["ETH-PERP"].copy()
    changed[25, 3] += 1
    other = replace(KEPT, minutes={"ETH-PERP": changed})
    assert other.digest("ETH-PERP") != KEPT.digest("ETH-PERP")
    assert replace(KEPT, past=19).digest("ETH-PERP") != KEPT.digest("ETH-PERP")


@pytest.mark.parametrize(("candle_s", "count"), [(60, 20), (300, 4), (540, 2), (90, 0), (1800, 0)])
def test_the_past_has_candles_of_the_strategy_s_own_length(candle_s: int, count: int) -> None:
    scenario = read_scenario(text_of(KEPT, candle_s=candle_s), candles=KEPT)
    found = [row for past in scenario.past for row in past.candles]
    many = candle_s // 60
    assert len(found) == count
    for place, row in enumerate(found):
        rows = ROWS[20 - (count - place) * many : 20 - (count - place - 1) * many]
        assert row == (
            (place - count) * candle_s * 1_000_000,
            rows[0][0],
            max(one[1] for one in rows),
            min(one[2] for one in rows),
            rows[-1][3],
            sum(one[4] for one in rows),
        )


def test_a_text_is_read_with_its_own_candles_alone() -> None:
    other = KeptCandles(FIRST_US + MINUTE_US, 20, KEPT.minutes)
    with pytest.raises(ScenarioError, match="other candles"):
        read_scenario(text_of(KEPT), candles=other)
    with pytest.raises(ScenarioError, match="one that reads a file"):
        read_scenario(text_of(KEPT))


def test_every_term_of_a_strategy_comes_through_the_text() -> None:
    strategy = read_strategy({"voting": {"quorum": 1e-05}, "agents": {"trend": {"adx_min": 30.25}}})
    traded = Traded(["ETH-PERP"], "10000", None)
    text = with_session(on_history([ETH_PERP], KEPT, traded, 3, 600), traded, strategy)
    (session,) = [
        one
        for one in read_scenario(text, candles=KEPT).world.populations
        if one.strategy == "signal-agents"
    ]
    assert session.parameters == strategy.terms
