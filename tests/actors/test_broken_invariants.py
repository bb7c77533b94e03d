"""A market that contradicts itself halts and says so; the others go on."""

from typing import Any

import pytest

from actors.recorder import Recorder
from actors.strategy import MarketUnavailable
from sim.engine import MarketEngine
from sim.messages import Side
from sim.refusals import Refusal, Refused
from tests.actors.house import MARKET, House
from tests.builders import order, trader
from tests.waiting import eventually

STATUS = f"SELECT status FROM markets WHERE market_id = '{MARKET}'"
HALTED = 3


def test_a_market_whose_engine_breaks_a_rule_halts(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise AssertionError("the book is crossed")

    house.open()
    alice = trader(house.database)
    house.place(order(alice))
    house.settled()
    monkeypatch.setattr(MarketEngine, "apply", broken)
    last = house.place_one(order(alice))
    market = house.actors[0]
    eventually(lambda: market.health().halted == "a broken invariant: the book is crossed")
    eventually(lambda: house.count(STATUS) == HALTED)
    with pytest.raises(MarketUnavailable):
        market.register(1, 10**9, 10**9)
    (answer,) = house.place(order(alice))
    assert isinstance(answer, Refused)
    assert answer.refusal == Refusal.MARKET_NOT_OPEN
    house.close()
    monkeypatch.undo()
    house.open()
    eventually(lambda: house.state(last)[0].is_open)
    house.settled()


def test_a_market_whose_rows_contradict_its_events_halts_by_a_command(house: House) -> None:
    house.open()
    alice, bob = trader(house.database), trader(house.database)
    resting = house.place_one(order(alice))
    house.settled()
    house.database.execute("UPDATE orders SET status = 5 WHERE id = %s", (resting,))
    house.place(order(bob, Side.SELL))
    eventually(lambda: house.count(STATUS) == HALTED)
    engine = house.actors[0]._engine
    eventually(lambda: engine.status == HALTED)
    assert house.count("SELECT count(*) FROM commands WHERE account_id = 0") == 1
    assert house.count("SELECT count(*) FROM fills") == 0
    again = Recorder([MARKET], *house.urls, run=True)
    house.actors.append(again)
    eventually(lambda: MARKET in again._halted)
    assert house.count("SELECT count(*) FROM commands WHERE account_id = 0") == 1


def test_what_cannot_be_stored_halts_and_does_not_stop_the_recorder(house: House) -> None:
    house.open()
    alice, bob = trader(house.database), trader(house.database)
    house.place_one(order(alice))
    house.database.execute(
        "INSERT INTO positions VALUES (%s, %s, 1, 9223372036854775807, 0, 1, 0)", (alice, MARKET)
    )
    house.place_one(order(bob, Side.SELL))
    eventually(lambda: house.count(STATUS) == HALTED)
    recorder = house.actors[2]
    eventually(lambda: recorder.health() == {})
    assert "out of range" in recorder._halted[MARKET]


def test_a_minute_of_more_turnover_than_64_bits_hold_is_still_a_candle(house: House) -> None:
    house.open()
    house.database.execute(
        "INSERT INTO candles (market_id, width_us, open_time_us, open_ticks, high_ticks, low_ticks,"
        " close_ticks, volume_lots, notional_atoms, trade_count)"
        " SELECT %s, 60000000, (extract(epoch FROM now())::bigint / 60 + n) * 60000000,"
        " 1, 1, 1, 1, 1, 9223372036854775800, 1 FROM generate_series(0, 1) AS n",
        (MARKET,),
    )
    alice, bob = trader(house.database), trader(house.database)
    house.place(order(alice), order(bob, Side.SELL))
    house.settled()
    assert house.count("SELECT max(notional_atoms) FROM candles") > 2**63
