"""Other people's simulators, run by the Python of an environment of their own.

    .venv/peers/bin/python actors/bench/peers.py '{"peer": "bourse", "traders": 1000, ...}'

prints one JSON object. PAMS asks for another numpy than ours, so nothing of Sandpit is imported
here, and nothing of them there. Seconds are of processor time, from the first step to the last.
"""

import importlib
import json
import sys
import time
from typing import Any

import numpy as np

MID_TICKS = 66_000
TICK_RANGE = (MID_TICKS - 100, MID_TICKS + 100)
LOTS_RANGE = (1, 100)
TAKE, QUOTE = 0.35, 0.35
"""Shares of what our noise traders do; the rest withdraws."""

DISTANCE_TICKS, REACH_TICKS = 3.0, 20
NOTHING = np.iinfo(np.uint64).max


def bourse_shipped(traders: int, steps: int, seed: int) -> dict[str, Any]:
    """Its NumpyRandomAgents through its own runner: an order of each agent in every step."""
    bourse = importlib.import_module("bourse")
    agents = importlib.import_module("bourse.step_sim.agents")
    env = bourse.core.StepEnvNumpy(seed, 0, 1, 1_000)
    crowd = agents.NumpyRandomAgents(traders, TICK_RANGE, LOTS_RANGE, 1)
    began = time.process_time()
    bourse.step_sim.run(env, [crowd], steps, seed, show_progress=False, use_numpy=True)
    return {"seconds": time.process_time() - began, "instructions": traders * steps}


class NoiseCrowd:
    """bourse's numpy interface driven as our noise traders act: each takes, quotes or withdraws."""

    def __init__(self, traders: int, seed: int) -> None:
        self._dice = np.random.default_rng(seed)
        self._last = np.full(traders, NOTHING, np.uint64)
        self._ids = np.arange(traders, dtype=np.uint32)

    def instructions(self, bid: int, ask: int) -> tuple[np.ndarray, ...]:
        """One for each trader: prices through the touch, or at a distance behind it."""
        dice, count = self._dice, len(self._ids)
        chance, buys = dice.random(count), dice.random(count) < 0.5
        takes = chance < TAKE
        away = np.minimum(dice.exponential(DISTANCE_TICKS, count), REACH_TICKS).astype(np.int64)
        quoted = np.where(buys, bid - away, ask + away)
        prices = np.where(takes, np.where(buys, ask + REACH_TICKS, bid - REACH_TICKS), quoted)
        kinds = np.where(chance < TAKE + QUOTE, 1, np.where(self._last == NOTHING, 0, 2))
        lots = dice.integers(*LOTS_RANGE, size=count, dtype=np.uint32)
        orders = np.where(kinds == 2, self._last, 0).astype(np.uint64)
        kinds, prices = kinds.astype(np.uint32), np.maximum(prices, 1).astype(np.uint32)
        return kinds, buys, lots, self._ids, prices, orders

    def learn(self, kinds: np.ndarray, order_ids: np.ndarray) -> None:
        """Whoever placed an order may withdraw it later."""
        self._last = np.where(kinds == 1, order_ids, np.where(kinds == 2, NOTHING, self._last))


def bourse_noise(traders: int, steps: int, seed: int) -> dict[str, Any]:
    """Our noise traders' mix, written with numpy for bourse; null instructions do not count."""
    env = importlib.import_module("bourse").core.StepEnvNumpy(seed, 0, 1, 1_000)
    crowd, count = NoiseCrowd(traders, seed), 0
    began = time.process_time()
    for _ in range(steps):
        _, bid, ask, *_ = (int(value) for value in env.level_2_data()[:3])
        bid, ask = bid or MID_TICKS, min(ask, 2 * MID_TICKS)
        rows = crowd.instructions(bid, ask if ask < 2 * MID_TICKS else MID_TICKS + 1)
        crowd.learn(rows[0], env.submit_instructions(rows))
        count += int(np.count_nonzero(rows[0]))
        env.step()
    seconds = time.process_time() - began
    return {"seconds": seconds, "instructions": count, "trades": len(env.get_trades())}


def pams_fcn(traders: int, acting: int, markets: int, steps: int, seed: int) -> dict[str, Any]:
    """FCN agents as in its own CI2002 example, of whom `acting` act in a step, on all markets.

    Chartists weigh a tenth of what they do there: with everybody acting at once its prices
    overflow otherwise.
    """
    import random

    runners = importlib.import_module("pams.runners")

    session = {
        "sessionName": 0,
        "iterationSteps": steps,
        "withOrderPlacement": True,
        "withOrderExecution": True,
        "withPrint": False,
        "maxNormalOrders": acting,
    }
    market = {"class": "Market", "numMarkets": markets, "tickSize": 0.00001, "marketPrice": 300.0}
    agents = {
        "class": "FCNAgent",
        "numAgents": traders,
        "markets": ["Market"],
        "assetVolume": 50,
        "cashAmount": 10_000,
        "fundamentalWeight": {"expon": [1.0]},
        "chartWeight": {"expon": [0.02]},
        "noiseWeight": {"expon": [1.0]},
        "noiseScale": 0.001,
        "timeWindowSize": [100, 200],
        "orderMargin": [0.0, 0.1],
    }
    config = {
        "simulation": {"markets": ["Market"], "agents": ["FCNAgents"], "sessions": [session]},
        "Market": market,
        "FCNAgents": agents,
    }
    runner = runners.SequentialRunner(settings=config, prng=random.Random(seed))
    runner._setup()
    began = time.process_time()
    runner._run()
    return {"seconds": time.process_time() - began, "decisions": acting * markets * steps}


def talipp_alone(agent: str, candles: int, seed: int) -> dict[str, Any]:
    """The indicators of a signal agent, candle by candle, in quote units of a walk."""
    ohlcv = importlib.import_module("talipp.ohlcv")
    by_name = importlib.import_module("talipp.indicators")
    rsi, bands, fast = ("RSI", (14,)), ("BB", (20, 2)), ("EMA", (9,))
    adx, macd = ("ADX", (14, 14)), ("MACD", (12, 26, 9))
    wanted = {
        "technical-agent": (rsi, macd, bands, fast, ("EMA", (50,))),
        "trend-agent": (fast, ("EMA", (21,)), adx),
        "reversion-agent": (bands, rsi, adx),
    }
    made = [(getattr(by_name, name)(*periods), name == "ADX") for name, periods in wanted[agent]]
    close = 60_000 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.0005, candles)))
    rows = [ohlcv.OHLCV(one, one * 1.0002, one * 0.9998, one, 1.0) for one in close.tolist()]
    began = time.process_time()
    for row in rows:
        for indicator, sees_all in made:
            indicator.add(row if sees_all else row.close)
    return {"seconds": time.process_time() - began, "candles": candles}


PEERS = {
    "talipp": talipp_alone,
    "bourse-shipped": bourse_shipped,
    "bourse-noise": bourse_noise,
    "pams": pams_fcn,
}


def main() -> None:
    """Run what the first argument describes."""
    wish = json.loads(sys.argv[1])
    peer: Any = PEERS[wish.pop("peer")]
    sys.stdout.write(json.dumps(peer(**wish)) + "\n")


if __name__ == "__main__":
    main()
