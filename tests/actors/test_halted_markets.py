"""A halted market says why, ends what it was given, and only an operator opens it again."""

from typing import Any

import pytest
from typer.testing import CliRunner

from actors.cli import app
from actors.commands import market as market_command
from actors.live.market import Market
from actors.live.strategy import MarketUnavailable
from sim.book.engine import MarketEngine
from sim.orders import OrderStatus
from sim.refusals import Refusal, Refused
from sim.rows.messages import MarketStatus, Side
from storage.market.halts import listed
from storage.settings import ConfigurationError, Settings
from tests.actors.house import MARKET, House
from tests.actors.test_zombies import placing
from tests.builders import order, trader
from tests.waiting import eventually

OTHER = "BTC-PERP"
RESTING = "SELECT count(*) FROM orders WHERE status <= 3"
HELD = "SELECT sum(locked_atoms) + sum(open_orders) FROM balances"
EPOCH = f"SELECT epoch FROM market_heads WHERE market_id = '{MARKET}'"
NEVER_S = 1.0
"""How long is waited for what does not come."""


@pytest.fixture
def operator(house: House) -> Settings:
    return Settings.load(database_url=house.urls[0])


def standing(house: House) -> tuple[MarketStatus, str | None]:
    found = {one.market_id: one for one in listed(house.database)}[MARKET]
    return found.status, found.halt_reason


def refusal(house: House, wish: Any) -> Refused:
    (answer,) = house.place(wish)
    assert isinstance(answer, Refused), answer
    return answer


def broken_by_an_order(house: House, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, int]:
    """Alice, an order of hers that rests, and one that waits for ever: its batch broke a rule."""

    def broken(*_: Any) -> None:
        raise AssertionError("the book is crossed")

    alice = trader(house.database)
    resting = house.place_one(order(alice))
    eventually(lambda: house.state(resting)[0] == OrderStatus.OPEN)
    with monkeypatch.context() as patch:
        patch.setattr(MarketEngine, "apply", broken)
        waiting = house.place_one(order(alice))
        reason = "a broken invariant: the book is crossed"
        eventually(lambda: standing(house) == (MarketStatus.HALTED, reason))
        eventually(lambda: house.actors[0].health().halted == reason)
    return alice, resting, waiting


def test_a_broken_market_is_drained_and_opened_again_by_an_operator(
    house: House, operator: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.open()
    alice, resting, waiting = broken_by_an_order(house, monkeypatch)
    refused = refusal(house, order(alice))
    assert refused.refusal == Refusal.MARKET_HALTED
    assert "the book is crossed" in refused.message
    with pytest.raises(Refused, match="is halted until an operator"):
        house.cancel(alice, resting)
    assert "is drained: 0 orders rest" in market_command.drain_market(operator, MARKET)
    assert house.state(resting)[0] == OrderStatus.CANCELED
    assert house.state(waiting)[0] == OrderStatus.REJECTED
    assert house.count(HELD) == 0
    assert standing(house)[0] == MarketStatus.HALTED
    assert "is ACTIVE again" in market_command.resume_market(operator, MARKET)
    assert standing(house) == (MarketStatus.ACTIVE, None)
    bob = trader(house.database)
    house.place(order(alice), order(bob, Side.SELL))
    house.settled()
    assert house.count("SELECT count(*) FROM fills") == 2


def test_a_restart_ends_what_waits_and_lifts_no_halt(
    house: House, operator: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.open()
    alice, resting, waiting = broken_by_an_order(house, monkeypatch)
    house.close()
    house.open()
    eventually(lambda: house.state(waiting)[0] == OrderStatus.REJECTED)
    assert house.state(resting)[0] == OrderStatus.OPEN
    assert standing(house)[0] == MarketStatus.HALTED
    with pytest.raises(MarketUnavailable, match="the book is crossed"):
        house.actors[0].register(1, 10**9, 10**9)
    market_command.resume_market(operator, MARKET)
    house.cancel(alice, resting)
    house.settled()
    assert house.count(RESTING) == 0


def test_an_operator_halts_a_market_and_its_orders_can_still_be_cancelled(
    house: House, operator: Settings
) -> None:
    house.open()
    alice = trader(house.database)
    first, second = (house.place_one(order(alice)) for _ in range(2))
    house.settled()
    market_command.halt_market(operator, MARKET, "the clearing house asks for it")
    assert standing(house) == (MarketStatus.HALTED, "the clearing house asks for it")
    assert refusal(house, order(alice)).refusal == Refusal.MARKET_HALTED
    house.cancel(alice, first)
    eventually(lambda: house.state(first)[0] == OrderStatus.CANCELED)
    told = market_command.list_markets(operator).splitlines()
    assert told == [
        f"{OTHER} ACTIVE, clients' open orders 0",
        f"{MARKET} HALTED, clients' open orders 1: the clearing house asks for it",
        "ETH_USDC ACTIVE, clients' open orders 0",
    ]
    eventually(lambda: house.actors[0].health().halted == "the clearing house asks for it")
    market_command.resume_market(operator, MARKET)
    assert house.state(second)[0] == OrderStatus.OPEN
    house.place_one(order(alice))
    house.settled()


def test_the_commands_speak_in_one_sentence(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", house.urls[0])

    def said(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["market", *words])
        return result.exit_code, result.output

    assert said("halt", MARKET, "--reason", "a fire") == (
        0,
        f"{MARKET} is halted: orders are refused, cancels are done.\n",
    )
    assert f"{MARKET} HALTED, clients' open orders 0: a fire" in said("list")[1]
    house.open()
    assert said("drain", MARKET)[0] == 0
    assert said("resume", MARKET)[0] == 0
    assert said("resume", MARKET) == (
        1,
        f"sandpit: {MARKET} is not halted; `sandpit market halt {MARKET}` halts it.\n",
    )


def test_only_a_halted_market_is_drained_or_resumed(house: House, operator: Settings) -> None:
    for command in (market_command.drain_market, market_command.resume_market):
        with pytest.raises(ConfigurationError, match=f"{MARKET} is not halted"):
            command(operator, MARKET)
        with pytest.raises(ConfigurationError, match="no market DOGE-PERP; there are BTC-PERP, E"):
            command(operator, "DOGE-PERP")


def test_an_operator_is_told_where_nobody_does_what_is_wished(
    house: House, operator: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(market_command, "ANSWER_WAIT_S", 0.2)
    market_command.halt_market(operator, MARKET, None)
    with pytest.raises(ConfigurationError, match=r"has not answered within 0 s; it will do"):
        market_command.drain_market(operator, MARKET)
    house.open()
    eventually(lambda: "to drain" not in market_command.list_markets(operator))


def test_a_market_whose_rows_contradict_it_halts_again_until_they_are_mended(
    house: House, operator: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.open()
    alice, bob = trader(house.database), trader(house.database)
    resting = house.place_one(order(alice))
    house.settled()
    house.database.execute("UPDATE orders SET status = 5 WHERE id = %s", (resting,))
    taking = house.place_one(order(bob, Side.SELL, 20))
    eventually(lambda: standing(house)[0] == MarketStatus.HALTED)
    contradiction = f"order {resting} has a trade after its end"
    with pytest.raises(ConfigurationError, match=contradiction):
        market_command.resume_market(operator, MARKET)
    assert standing(house)[0] == MarketStatus.HALTED
    with monkeypatch.context() as patch:
        patch.setattr(market_command, "PROJECTED_WAIT_S", NEVER_S)
        with pytest.raises(ConfigurationError, match=contradiction):
            market_command.drain_market(operator, MARKET)
    assert standing(house)[0] == MarketStatus.HALTED
    house.database.execute("UPDATE orders SET status = 2 WHERE id = %s", (resting,))
    market_command.drain_market(operator, MARKET)
    assert house.state(resting) == (OrderStatus.FILLED, 10)
    assert house.state(taking) == (OrderStatus.CANCELED, 10)
    market_command.resume_market(operator, MARKET)
    house.settled()


def test_a_journal_that_was_changed_is_not_resumed(house: House, operator: Settings) -> None:
    house.open()
    house.place(*[order(trader(house.database)) for _ in range(3)])
    house.settled()
    house.close()
    house.database.execute("DELETE FROM snapshots")
    house.database.execute("UPDATE journal SET inputs = overlay(inputs placing '\\x07' from 30)")
    house.open()
    eventually(lambda: standing(house)[0] == MarketStatus.HALTED)
    with pytest.raises(ConfigurationError, match=r"it halts again: .* is not what was written"):
        market_command.resume_market(operator, MARKET)
    assert standing(house)[0] == MarketStatus.HALTED


def test_a_market_that_cannot_begin_says_why_and_is_not_begun_again(
    house: House, operator: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise TypeError("no such kernel")

    with monkeypatch.context() as patch:
        patch.setattr(MarketEngine, "__init__", unknown)
        market = Market(MARKET, *house.urls, run=True)
        house.actors.append(market)
    assert market.health().halted == "TypeError: no such kernel"
    assert standing(house) == (MarketStatus.HALTED, "TypeError: no such kernel")
    assert house.count(EPOCH) <= 1
    market_command.resume_market(operator, MARKET)
    house.close()
    house.open()
    house.place_one(order(trader(house.database)))
    house.settled()


def test_drain_cancels_what_strategies_have_in_the_book_too(
    house: House, operator: Settings
) -> None:
    house.open()
    market = house.actors[0]
    market.submit(1, 1, placing(10**9))
    eventually(lambda: market.health().open_orders == 1)
    market_command.halt_market(operator, MARKET, None)
    market_command.drain_market(operator, MARKET)
    assert market.health().open_orders == 0
