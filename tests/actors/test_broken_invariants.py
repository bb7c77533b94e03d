"""A market that contradicts itself halts and says so; the others go on."""

from typing import Any

import pytest

from actors.live.recorder import Recorder
from sim.money.settlement import Settlement
from sim.rows.messages import Side
from tests.actors.house import MARKET, House
from tests.builders import order, position, trader
from tests.waiting import eventually

STATUS = f"SELECT status FROM markets WHERE market_id = '{MARKET}'"
HALTED = 3


def test_a_market_whose_rows_contradict_its_events_halts_by_a_command(house: House) -> None:
    house.open()
    alice, bob = trader(house.database), trader(house.database)
    resting = house.place_one(order(alice))
    house.settled()
    house.database.execute("UPDATE orders SET status = 5 WHERE id = %s", (resting,))
    house.place(order(bob, Side.SELL))
    eventually(lambda: house.count(STATUS) == HALTED)
    eventually(lambda: house.actors[0].health().halted is not None)
    assert house.count("SELECT count(*) FROM commands WHERE account_id = 0") == 1
    assert house.count("SELECT count(*) FROM fills") == 0
    house.database.execute("UPDATE markets SET halt_reason = 'not told yet'")
    house.actors.append(Recorder([MARKET], *house.urls, run=True))
    eventually(lambda: house.count(TOLD) == 1)
    assert house.count("SELECT count(*) FROM commands WHERE account_id = 0") == 1


TOLD = """
SELECT count(*) FROM markets
WHERE market_id = 'ETH-PERP' AND halt_reason LIKE '%has a trade after its end%'"""


def test_what_cannot_be_stored_halts_its_market_with_the_reason_and_no_other(house: House) -> None:
    house.open()
    alice, bob = trader(house.database), trader(house.database)
    house.place_one(order(alice))
    position(house.database, alice, 2**63 - 1, 1)
    house.place_one(order(bob, Side.SELL))
    eventually(lambda: house.count(STATUS) == HALTED)
    recorder = house.actors[2]
    eventually(lambda: recorder.health() == {})
    row = house.database.execute("SELECT halt_reason FROM markets WHERE status = 3").fetchall()
    assert len(row) == 1
    assert "out of range" in str(row[0][0])


def test_an_event_that_no_code_understands_halts_its_market_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any) -> None:
        raise ValueError("77 is not a valid EventKind")

    house.open()
    monkeypatch.setattr(Settlement, "apply", unknown)
    house.place_one(order(trader(house.database)))
    eventually(lambda: house.count(STATUS) == HALTED)
    row = house.database.execute("SELECT halt_reason FROM markets WHERE status = 3").fetchone()
    assert "ValueError: 77 is not a valid EventKind" in str(row)
