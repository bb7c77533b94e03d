"""A signal agent, cycle by cycle, on a real database."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actors.live.agents import SignalAgent
from storage.agents.founding import name_markets
from storage.errors import Superseded
from storage.market.depth import levels_to_bytes
from storage.postgres.database import now_us
from tests.actors.house import MARKET, House
from tests.actors.lived_session import SYMBOL, with_pool

MINUTE_US, CANDLES = 60_000_000, 120
SECOND_US = 1_000_000


class Watched:
    """An agent whose clock is moved by hand."""

    def __init__(self, house: House, name: str) -> None:
        self.house, self.offset_us = house, 0
        name_markets(house.database, {SYMBOL: MARKET})
        self.agent = SignalAgent(name, house.urls[0], lambda: now_us() + self.offset_us)

    def looks(self, later_s: int = 0) -> None:
        self.offset_us += later_s * SECOND_US
        with_pool(self.house.urls[0], self.agent.look)

    def row(self, statement: str) -> tuple[Any, ...]:
        (row,) = self.house.database.execute(statement).fetchall()
        return row

    def decisions(self) -> list[tuple[Any, ...]]:
        return self.house.database.execute(
            "SELECT action, reasoning, prompt, response, vector_dims(embedding) FROM decisions"
            " ORDER BY seq"
        ).fetchall()


def falling(house: House, drop: Callable[[int], int]) -> None:
    """Candles of two hours whose closes are told by their place."""
    at_us = now_us() // MINUTE_US * MINUTE_US - CANDLES * MINUTE_US
    for place in range(CANDLES):
        ticks = drop(place)
        house.database.execute(
            "INSERT INTO candles (market_id, width_us, open_time_us, open_ticks, high_ticks,"
            " low_ticks, close_ticks, volume_lots, notional_atoms, trade_count)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, 10, 0, 1)",
            (MARKET, MINUTE_US, at_us + place * MINUTE_US, ticks, ticks + 2, ticks - 2, ticks),
        )


def test_what_an_agent_says_is_its_vote_and_a_decision_that_can_be_checked(house: House) -> None:
    falling(house, lambda place: 6_000 - 2 * place)
    watched = Watched(house, "trend-agent")
    watched.looks()
    action, numbers = watched.row("SELECT action, numbers FROM agent_signals")
    assert action == "SELL"
    ((decided, reasoning, prompt, response, dimensions),) = watched.decisions()
    assert (decided, dimensions) == ("SELL", 32)
    assert f"ADX is {json.loads(numbers)['adx']:.4g}"[:10] in reasoning
    assert json.loads(prompt)["symbol"] == SYMBOL
    assert json.loads(response)["reasoning"] == reasoning


def test_what_is_held_on_is_recorded_once(house: House) -> None:
    watched = Watched(house, "trend-agent")
    watched.looks()
    watched.looks(later_s=61)
    assert [one[0] for one in watched.decisions()] == ["HOLD"]
    assert "warming up: 0 of" in watched.decisions()[0][1]
    assert watched.row("SELECT status, signals FROM agents") == ("active", 2)


def test_a_fault_is_told_and_over_after_a_cycle_that_went_well(house: House) -> None:
    watched = Watched(house, "trend-agent")
    watched.looks()
    house.database.execute("ALTER TABLE symbols RENAME TO elsewhere")
    watched.looks(later_s=61)
    status, errors, last_error = watched.row("SELECT status, errors, last_error FROM agents")
    assert (status, errors) == ("error", 1)
    assert "symbols" in last_error
    house.database.execute("ALTER TABLE elsewhere RENAME TO symbols")
    watched.looks(later_s=2)
    assert watched.row("SELECT status, errors, last_error FROM agents") == ("active", 1, None)


def test_whoever_comes_later_is_the_agent(house: House) -> None:
    first, second = Watched(house, "trend-agent"), Watched(house, "trend-agent")
    first.looks()
    second.looks()
    with pytest.raises(Superseded):
        first.looks(later_s=61)


def test_the_orderbook_agent_sees_what_has_vanished_between_its_cycles(house: House) -> None:
    watched = Watched(house, "orderbook-agent")
    bids, asks = ([[5_990 - n, 10, 1] for n in range(20)], [[5_992 + n, 10, 1] for n in range(20)])
    for second in range(1, 4):
        show(house, [[5_990, 400, 1], *bids[1:]], asks, second)
        watched.looks(later_s=1)
    show(house, [[5_991, 10, 1], *bids[1:]], asks, 5)
    watched.looks(later_s=10)
    (numbers,) = watched.row("SELECT numbers FROM agent_signals")
    assert json.loads(numbers)["vanished_levels"] == 1


def show(house: House, bids: list[list[int]], asks: list[list[int]], second: int) -> None:
    """A book, as its market publishes it."""
    sides = [levels_to_bytes(np.array(side, np.int64)) for side in (bids, asks)]
    house.database.execute(
        "UPDATE market_views SET at_us = %s, best_bid_ticks = %s, best_ask_ticks = %s, bids = %s,"
        " asks = %s WHERE market_id = %s",
        (second * SECOND_US, bids[0][0], asks[0][0], *sides, MARKET),
    )
