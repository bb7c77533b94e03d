"""Part of `sandpit bench agents`: signals a second of the rules, beside the indicators alone."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import talib

from actors.bench.agents_decisions import seen_views
from actors.bench.simulate_peers import SEED, Extent, Line
from actors.bench.simulate_runs import PeerMissing, Work, peer
from sim.signals.agents import AGENTS, LOOKS_MAX, View
from sim.signals.arbitrage import Venue
from sim.signals.candles import Candles
from sim.signals.sentiment import Headline
from sim.signals.terms import StrategyTerms

CANDLES, AT_ONCE = 100_000, 2_000
TERMS = StrategyTerms()
HEADLINES = 20

Reading = Callable[[Candles], object]


def technical_alone(candles: Candles) -> object:
    """TA-Lib's RSI, MACD, Bollinger bands and two means, of the newest candle."""
    close, terms = candles.close, TERMS.agents.technical
    deviations = terms.bollinger_deviations
    return (
        talib.RSI(close, terms.rsi_period)[-1],
        talib.MACD(close, terms.macd_fast, terms.macd_slow, terms.macd_signal)[2][-1],
        [one[-1] for one in talib.BBANDS(close, terms.bollinger_period, deviations, deviations)],
        talib.EMA(close, terms.ema_fast)[-1],
        talib.EMA(close, terms.ema_slow)[-1],
    )


def trend_alone(candles: Candles) -> object:
    """TA-Lib's two means and ADX."""
    close, terms = candles.close, TERMS.agents.trend
    return (
        talib.EMA(close, terms.ema_fast)[-1],
        talib.EMA(close, terms.ema_slow)[-1],
        talib.ADX(candles.high, candles.low, close, terms.adx_period)[-1],
    )


def reversion_alone(candles: Candles) -> object:
    """TA-Lib's Bollinger bands, RSI and ADX."""
    close, terms = candles.close, TERMS.agents.reversion
    deviations = terms.bollinger_deviations
    return (
        [one[-1] for one in talib.BBANDS(close, terms.bollinger_period, deviations, deviations)],
        talib.RSI(close, terms.rsi_period)[-1],
        talib.ADX(candles.high, candles.low, close, terms.adx_period)[-1],
    )


ALONE: Mapping[str, Reading] = {
    "technical-agent": technical_alone,
    "trend-agent": trend_alone,
    "reversion-agent": reversion_alone,
}


def rules(extent: Extent) -> Iterator[Line]:
    """Every rule on the window of candles that its agent sees, a candle further each time, in turns
    with TA-Lib's indicators on the same windows; processor seconds.

    talipp adds one candle after the other to the same indicators, as it is meant to be used.
    """
    many = extent.of(CANDLES, AT_ONCE // 20)
    spent = dict.fromkeys(AGENTS, 0.0)
    alone = dict.fromkeys(ALONE, 0.0)
    views = shown_more(islice(seen_views(SEED), many))
    while some := list(islice(views, AT_ONCE)):
        for name, kind in AGENTS.items():
            spent[name] += seconds_of([partial(kind.rule, fresh(one), TERMS) for one in some])
            if name in ALONE:
                alone[name] += seconds_of([partial(ALONE[name], one.candles) for one in some])
    for name, ours_s in spent.items():
        ours = many / ours_s
        if name not in ALONE:
            yield Line("rules", name, "signals/s", ours)
            continue
        theirs = many / alone[name]
        yield Line("rules", f"{name}, TA-Lib alone", "signals/s", ours, theirs, ours / theirs)
        yield beside_talipp(name, many, ours)


def seconds_of(calls: Sequence[Callable[[], object]]) -> float:
    """Of processor time."""
    began = time.process_time()
    for call in calls:
        call()
    return time.process_time() - began


def fresh(view: View) -> View:
    """With candles of which nothing is reckoned yet, as an agent reads them."""
    return View(**{**vars(view), "candles": Candles(**columns_of(view.candles))})


def columns_of(candles: Candles) -> dict[str, Any]:
    """Those that it is made of."""
    names = ("open_time_s", "open", "high", "low", "close", "volume")
    return {name: getattr(candles, name) for name in names}


def shown_more(views: Iterator[View]) -> Iterator[View]:
    """With what only some agents are shown: more looks at the book, other venues, headlines."""
    dice = np.random.default_rng(SEED)
    before: list[View] = []
    for view in views:
        before = [*before[1 - LOOKS_MAX :], view]
        price = view.candles.last_close
        view.looks = [one.looks[-1] for one in before]
        view.perpetual = venue("perpetual", price, dice)
        view.venues = [venue("spot", price, dice), venue("pool", price, dice)]
        ages_s = dice.uniform(0, 86_400, HEADLINES)
        moods = dice.uniform(-1, 1, HEADLINES)
        view.headlines = [
            Headline(view.now_s - age_s, 1.0, "It is said so", mood)
            for age_s, mood in zip(ages_s.tolist(), moods.tolist(), strict=True)
        ]
        yield view


def venue(name: str, price: float, dice: np.random.Generator) -> Venue:
    """Some parts in a thousand away."""
    middle = price * float(1 + 0.002 * dice.standard_normal())
    return Venue(name, middle * 0.9999, middle * 1.0001, 0.0005, 100_000.0, 1.0)


def beside_talipp(name: str, many: int, ours: float) -> Line:
    """The same indicators of a walk, in another process."""
    what = f"{name}, talipp"
    try:
        theirs: Work = peer("talipp", "candles", agent=name, candles=many, seed=SEED)
    except PeerMissing as error:
        return Line("rules", what, "signals/s", ours, note=str(error))
    return Line("rules", what, "signals/s", ours, theirs.rate, ours / theirs.rate)
