"""What each agent that looks at candles, news or venues says of markets made by hand."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.signals import arbitrage, reversion, sentiment, technical, trend
from sim.signals.arbitrage import Venue
from sim.signals.candles import Candles
from sim.signals.sentiment import Headline
from sim.signals.signal import Action, Signal
from sim.signals.terms import (
    ArbitrageTerms,
    ReversionTerms,
    SentimentTerms,
    TechnicalTerms,
    TrendTerms,
)
from tests.sim.agents_markets import any_candles, assert_sound, candles_of, scaled, wandering

RISING = [100 * 1.001**place for place in range(120)]
FALLING = [100 * 0.999**place for place in range(120)]
WAVE = (0, 0.05, 0.1, 0.05, 0, -0.05, -0.1, -0.05)
ZIGZAG = [100 + WAVE[place % 8] for place in range(119)]
PERP = Venue("BTC-PERP", 100.0, 100.1, 0.0005, 50_000, 0)


def all_of(candles: Candles) -> tuple[Signal, Signal, Signal]:
    return (
        technical.signal_of(candles, TechnicalTerms()),
        trend.signal_of(candles, TrendTerms()),
        reversion.signal_of(candles, ReversionTerms()),
    )


def test_an_agent_warms_up_until_it_has_enough_candles() -> None:
    signal = technical.signal_of(candles_of(RISING[:37]), TechnicalTerms())
    assert (signal.action, signal.confidence) == (Action.HOLD, 0)
    assert "warming up: 37 of 50 candles" in signal.reasoning
    assert (
        "warming up" not in technical.signal_of(candles_of(RISING[:50]), TechnicalTerms()).reasoning
    )
    assert "27 of 28" in trend.signal_of(candles_of(RISING[:27]), TrendTerms()).reasoning
    assert "0 of 28" in reversion.signal_of(candles_of([]), ReversionTerms()).reasoning


def test_the_trend_agent_follows_a_trend_either_way() -> None:
    up = trend.signal_of(candles_of(RISING), TrendTerms())
    down = trend.signal_of(candles_of(FALLING), TrendTerms())
    assert (up.action, down.action) == (Action.BUY, Action.SELL)
    assert up.confidence > 0.9
    assert up.numbers["reward_to_risk"] == 2.5


def test_the_trend_agent_holds_without_a_trend_or_a_reward() -> None:
    assert trend.signal_of(candles_of(ZIGZAG), TrendTerms()).action is Action.HOLD
    shipped = TrendTerms(take_profit=0.03)
    assert trend.signal_of(candles_of(RISING), shipped).action is Action.HOLD


def test_the_reversion_agent_buys_a_fall_out_of_its_bands_unless_there_is_a_trend() -> None:
    fallen = reversion.signal_of(candles_of([*ZIGZAG, 99.3]), ReversionTerms(adx_max=60))
    assert fallen.action is Action.BUY
    risen = reversion.signal_of(candles_of([*ZIGZAG, 100.7]), ReversionTerms(adx_max=60))
    assert risen.action is Action.SELL
    in_trend = reversion.signal_of(candles_of(FALLING), ReversionTerms())
    assert (in_trend.action, in_trend.confidence) == (Action.HOLD, 0.0)


@pytest.mark.parametrize(
    ("band", "rsi", "expected"),
    [
        ((Action.BUY, 0.8), (Action.BUY, 0.7), (Action.BUY, 0.85)),
        ((Action.BUY, 0.9), (Action.BUY, 0.9), (Action.BUY, 1.0)),
        ((Action.SELL, 0.7), (Action.HOLD, 0.0), (Action.SELL, 0.56)),
        ((Action.HOLD, 0.0), (Action.BUY, 0.9), (Action.BUY, 0.72)),
        ((Action.SELL, 0.7), (Action.BUY, 0.9), (Action.HOLD, 0.3)),
    ],
)
def test_bands_and_rsi_are_joined_as_documented(
    band: reversion.Word, rsi: reversion.Word, expected: tuple[Action, float]
) -> None:
    action, confidence, _ = reversion.joined(band, rsi)
    assert action is expected[0]
    assert confidence == pytest.approx(expected[1])


def test_parts_of_the_technical_agent_are_as_documented() -> None:
    terms = TechnicalTerms()
    low = technical.rsi_part(15, terms)
    assert (low.action, low.confidence) == (Action.BUY, 0.75)
    assert technical.rsi_part(85, terms).action is Action.SELL
    assert technical.rsi_part(30, terms).action is Action.HOLD
    assert technical.macd_part(-0.025, terms).confidence == pytest.approx(0.5)
    assert technical.trend_part(0.2, terms).confidence == 0.5
    assert technical.trend_part(1.5, terms).confidence == 0.75
    assert technical.bands_part(1.2, terms).action is Action.SELL
    assert technical.volume_part(3, -1, terms).action is Action.SELL


def test_a_market_without_movement_is_held_by_all() -> None:
    for signal in all_of(candles_of([0.1] * 100, volumes=[0.0] * 100)):
        assert signal.action is Action.HOLD
        assert_sound(signal)


@settings(max_examples=150, deadline=None)
@given(any_candles())
def test_whatever_the_candles_every_signal_can_be_checked(candles: Candles) -> None:
    for signal, again in zip(all_of(candles), all_of(replace(candles)), strict=True):
        assert_sound(signal)
        assert signal == again


@pytest.mark.parametrize("seed", range(8))
def test_a_signal_does_not_depend_on_the_price_of_a_market(seed: int) -> None:
    candles = wandering(seed, 90)
    for by in (2.0**-20, 1024.0):
        assert all_of(scaled(candles, by)) == all_of(candles)
    for mine, other in zip(all_of(candles), all_of(scaled(candles, 0.0123)), strict=True):
        assert mine.action is other.action
        assert mine.confidence == pytest.approx(other.confidence, rel=1e-6)


def test_markets_that_wander_make_agents_speak_on_both_sides() -> None:
    for agent in range(3):
        signals = [all_of(wandering(seed, 120))[agent].action for seed in range(60)]
        assert set(signals) == set(Action), agent


def test_headlines_are_scored_by_their_words() -> None:
    assert sentiment.score_of("Bitcoin soars as ETF approval fuels RALLY") == 1
    assert sentiment.score_of("Exchange hacked; prices plunge, but inflows rise") == 0
    assert sentiment.score_of("A quiet day") is None


def test_news_move_the_sentiment_agent_and_fade() -> None:
    terms, now_s = SentimentTerms(), 1_000_000.0
    good = [Headline(now_s - 60 * place, score=0.8) for place in range(5)]
    signal = sentiment.signal_of(good, now_s, terms)
    assert signal.action is Action.BUY
    assert signal.confidence == pytest.approx(0.9)
    bad = [replace(one, score=-0.8) for one in good]
    assert sentiment.signal_of(bad, now_s, terms).action is Action.SELL
    assert sentiment.signal_of(good + bad, now_s, terms).action is Action.HOLD
    old = [replace(one, time_s=one.time_s - 48 * 3600) for one in bad]
    assert sentiment.signal_of(good + old, now_s, terms).action is Action.BUY
    assert sentiment.signal_of(bad, now_s + 73 * 3600, terms).numbers == {"headlines": 0}
    assert sentiment.signal_of(bad, now_s - 3600, terms).numbers == {"headlines": 0}


HEADLINES = st.lists(
    st.builds(
        Headline,
        time_s=st.floats(0, 1e6),
        source_weight=st.floats(0, 10),
        text=st.sampled_from(["rally", "hack", "soars crash boom", ""]),
        score=st.none() | st.floats(-3, 3),
    ),
    max_size=30,
)


@settings(max_examples=80, deadline=None)
@given(HEADLINES, st.randoms(use_true_random=False))
def test_whatever_the_news_and_their_order(news: list[Headline], dice: Random) -> None:
    signal = sentiment.signal_of(news, 1e6, SentimentTerms())
    assert_sound(signal)
    dice.shuffle(news)
    assert sentiment.signal_of(news, 1e6, SentimentTerms()) == signal


@pytest.mark.parametrize(
    ("bid", "ask", "action"),
    [(101.0, 101.1, Action.BUY), (99.0, 99.1, Action.SELL), (100.15, 100.2, Action.HOLD)],
)
def test_the_perpetual_is_bought_where_it_is_cheap(bid: float, ask: float, action: Action) -> None:
    pool = Venue("pool", bid, ask, 0.0005, 50_000, 1)
    signal = arbitrage.signal_of(PERP, [pool], ArbitrageTerms())
    assert signal.action is action
    assert_sound(signal)


def test_the_profit_is_beyond_both_fees_and_the_best_venue_is_taken() -> None:
    near = Venue("BTC-USDC", 100.3, 100.4, 0.001, 50_000, 0)
    far = Venue("pool", 100.6, 100.7, 0.003, 50_000, 0)
    signal = arbitrage.signal_of(PERP, [near, far], ArbitrageTerms())
    assert signal.numbers["venue"] == "pool"
    assert signal.numbers["profit_pct"] == pytest.approx(100 * (100.6 / 100.1 - 1 - 0.0035))
    assert arbitrage.signal_of(PERP, [far, near], ArbitrageTerms()) == signal


def test_a_perfect_chance_scores_one_and_a_stale_one_is_not_looked_at() -> None:
    other = Venue("pool", 200.0, 200.1, 0.0, 50_000, 0)
    assert arbitrage.signal_of(PERP, [other], ArbitrageTerms()).confidence == pytest.approx(1)
    stale = replace(other, age_s=10)
    for perpetual, others in ((PERP, [stale]), (None, [other]), (replace(PERP, ask=0), [other])):
        signal = arbitrage.signal_of(perpetual, others, ArbitrageTerms())
        assert (signal.action, signal.confidence) == (Action.HOLD, 0)


PRICES = st.floats(1e-6, 1e9)
VENUES = st.builds(
    Venue, st.sampled_from(["a", "b"]), PRICES, PRICES, st.floats(0, 1), st.floats(0, 1e9),
    st.floats(0, 20),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(VENUES, st.lists(VENUES, max_size=3))
def test_whatever_the_venues(perpetual: Venue, others: list[Venue]) -> None:
    assert_sound(arbitrage.signal_of(perpetual, others, ArbitrageTerms()))
