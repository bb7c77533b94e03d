"""The signal, its speed and what it asks for, on price paths that somebody worked out."""

from decimal import Decimal
from math import isclose
from typing import Any

import pytest

from sim.droid.signal import Signal
from tests.sim.droid_facts import SPELLED, configured, facts

TIMELINES = facts("signals")["timelines"]
CLOSE = 1e-12


def close(one: float, told: str) -> bool:
    return isclose(one, float(told), rel_tol=CLOSE, abs_tol=CLOSE)


@pytest.mark.parametrize("path", TIMELINES, ids=range(len(TIMELINES)))
def test_a_signal_follows_its_price(path: dict[str, Any]) -> None:
    settings = {SPELLED[name]: value for name, value in path.items() if name in SPELLED}
    config, memory_s = configured(**settings), path["tau"]
    signal = None
    for time_s, price, value, speed, reference, asks in path["rows"]:
        signal = moved(signal, time_s, price, memory_s).watched(config)
        assert close(signal.value, value)
        assert close(signal.speed, speed)
        assert close(signal.reference, reference)
        asked = signal.asks(config, memory_s)
        assert asked == asks.upper(), time_s
        if asks == "rebalance":
            signal = signal.rested(signal.value)


def moved(signal: Signal | None, time_s: int, price: Decimal, memory_s: int) -> Signal:
    """With the price itself where a pool's would be rounded to its root."""
    if signal is None:
        return Signal.begun(time_s, float(price))
    value = signal.followed(time_s, float(price), memory_s)
    return signal.moved_to(time_s, value, memory_s)
