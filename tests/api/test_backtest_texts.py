"""Candles that are kept with a backtest: without gaps, whole behind and before its start."""

from dataclasses import replace

import numpy as np
import pytest

from api.desk.backtest_text import Traded, on_history, with_session
from sim.money.candles import MINUTE_US
from sim.scenario.fields import ScenarioError
from sim.signals.strategy import Strategy, read_strategy
from storage.runs.kept_candles import KeptCandles, unpacked, without_gaps
from storage.runs.stored_scenario import read_scenario
from tests.markets import ETH_PERP

FIRST_US = 1_736_899_200_000_000
ROWS = [[100 + place, 110 + place, 90 + place, 105 + place, place] for place in range(1, 31)]
KEPT = KeptCandles(FIRST_US, 20, {"ETH-PERP": np.array(ROWS, np.int64)})


def text_of(kept: KeptCandles, **terms: object) -> str:
    traded = Traded(["ETH-PERP"], "10000", None)
    strategy = read_strategy(terms) if terms else Strategy()
    return with_session(on_history([ETH_PERP], kept, traded, 3, 600), traded, strategy)


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
        if one.name == "signal-agents"
    ]
    assert session.parameters == strategy.terms
