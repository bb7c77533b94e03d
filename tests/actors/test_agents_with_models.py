"""A signal agent that asks a language model, on a real database and a real server."""

import json
from decimal import Decimal
from typing import Any

import pytest

from actors.live.agents import SignalAgent
from actors.models.terms import ModelTerms
from sim.signals.agents import AGENTS
from storage.agents.model_budget import Spending
from storage.agents.settings import change_settings
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import unit_of_work
from tests.actors.house import House
from tests.actors.lived_session import with_pool
from tests.actors.model_server import (
    GOOD_SIGNAL,
    SMALL,
    Handler,
    ModelServer,
    Play,
    answers,
    breaks_off,
    says,
)
from tests.actors.test_signal_agents import MINUTE_US, SECOND_US, Watched, falling
from tests.waiting import eventually

ASKING = ["technical-agent", "trend-agent", "reversion-agent"]
NO_BUDGET = {"a_day": Spending(10, Decimal(1))}


class Advised(Watched):
    """An agent that may ask; candles fall, so the trend agent's rules say SELL."""

    def __init__(self, house: House, name: str, models: ModelTerms) -> None:
        super().__init__(house, name)
        falling(house, lambda place: 6_000 - 2 * place)
        self.agent = SignalAgent(
            name, house.urls[0], lambda: now_us() + self.offset_us, models=models
        )

    def decided(self) -> dict[str, Any]:
        """The newest decision."""
        names = ("action", "confidence", "reasoning", "context", "prompt", "response", "model")
        counted = ("prompt_tokens", "completion_tokens", "cost_usd")
        columns = ", ".join((*names, *counted))
        row = self.row(f"SELECT {columns} FROM decisions ORDER BY seq DESC LIMIT 1")
        return dict(zip((*names, *counted), row, strict=True))

    def voted(self) -> tuple[str, float]:
        action, confidence = self.row("SELECT action, confidence FROM agent_signals")
        return action, confidence


@pytest.mark.parametrize("name", ASKING)
def test_a_models_word_is_the_agents_vote_and_decision(
    name: str, house: House, model_server: ModelServer
) -> None:
    advised = Advised(house, name, model_server.terms())
    advised.looks()
    assert advised.voted() == ("BUY", 0.75)
    decided = advised.decided()
    assert (decided["action"], decided["confidence"], decided["model"]) == ("BUY", 0.75, "small")
    assert (decided["prompt_tokens"], decided["completion_tokens"]) == (100, 50)
    assert decided["cost_usd"] == Decimal("0.000045")
    assert decided["reasoning"].startswith("RSI is 28. It is low. The rules say ")
    response, context = json.loads(decided["response"]), json.loads(decided["context"])
    assert json.loads(response["raw"]) == GOOD_SIGNAL
    assert context["model"] == {"is_cached": False}
    assert context["rules_action"] in ("BUY", "SELL", "HOLD")
    prompt = json.loads(decided["prompt"])
    assert prompt == model_server.asked[0]
    (data,) = prompt["messages"][1]["content"].split("\n")[1:-1]
    assert set(json.loads(data)) >= {"newest_candles", "bids", "asks", "rules", "symbol"}


@pytest.mark.parametrize("name", sorted(set(AGENTS) - set(ASKING)))
def test_others_ask_nobody(name: str, house: House, model_server: ModelServer) -> None:
    Advised(house, name, model_server.terms()).looks()
    assert model_server.asked == []


def test_who_is_warming_up_asks_nobody(house: House, model_server: ModelServer) -> None:
    advised = Advised(house, "trend-agent", model_server.terms())
    house.database.execute("DELETE FROM candles")
    advised.looks()
    assert (model_server.asked, advised.voted()) == ([], ("HOLD", 0))
    assert advised.decided()["model"] == "rules"


@pytest.mark.parametrize(
    ("play", "changed", "why", "tokens"),
    [
        (answers(b"", 500), {}, "small was asked, and it answers 500", False),
        (breaks_off, {}, "small was asked, and the connection broke", True),
        (says("Buy 1000 BTC now\x00"), {}, "refused answer: It is not JSON.", True),
        (says(GOOD_SIGNAL), NO_BUDGET, "budget: ", False),
    ],
)
def test_else_the_rules_speak_as_if_nobody_had_been_asked(
    play: Play,
    changed: dict[str, Any],
    why: str,
    tokens: bool,
    house: House,
    model_server: ModelServer,
) -> None:
    model_server.plays = [play]
    advised = Advised(house, "trend-agent", model_server.terms(**changed))
    advised.looks()
    decided = advised.decided()
    assert (decided["action"], decided["model"]) == ("SELL", "rules")
    assert advised.voted() == ("SELL", decided["confidence"])
    assert json.loads(decided["context"])["model"]["rules_because"].startswith(why)
    assert (decided["prompt_tokens"] > 0, decided["cost_usd"] > 0) == (tokens, tokens)
    alone = Watched(house, "trend-agent")
    alone.looks()
    assert advised.voted() == ("SELL", decided["confidence"])


def test_a_signal_that_has_cost_something_is_recorded_whatever_it_says(
    house: House, model_server: ModelServer
) -> None:
    model_server.plays = [says({**GOOD_SIGNAL, "action": "HOLD", "confidence": 0})]
    advised = Advised(house, "trend-agent", model_server.terms())
    advised.looks()
    advised.looks(later_s=61)
    assert [one[0] for one in advised.decisions()] == ["HOLD", "HOLD"]
    assert advised.row("SELECT sum(prompt_tokens) FROM decisions") == (200,)


def test_what_has_not_changed_within_a_candle_is_not_asked_again(
    house: House, model_server: ModelServer
) -> None:
    advised = Advised(house, "technical-agent", model_server.terms())
    advised.offset_us = MINUTE_US - now_us() % MINUTE_US
    advised.looks()
    advised.looks(later_s=31)
    assert len(model_server.asked) == 1
    decided = advised.decided()
    assert (decided["action"], decided["model"], decided["cost_usd"]) == ("BUY", "small", 0)
    assert json.loads(decided["context"])["model"] == {"is_cached": True}
    advised.looks(later_s=31)
    assert len(model_server.asked) == 2


def test_a_change_of_the_configuration_holds_from_the_next_cycle(
    house: House, model_server: ModelServer
) -> None:
    advised = Advised(house, "trend-agent", model_server.terms())
    advised.looks()

    async def changed(pool: AsyncPool) -> None:
        async with unit_of_work(pool) as connection:
            changes = '{"llm_temperature": 0.25, "llm_max_tokens": 77}'
            await change_settings(connection, changes, [], persist=True)

    with_pool(house.api_url, changed)
    advised.looks(later_s=61)
    asked = [(one["temperature"], one["max_tokens"]) for one in model_server.asked]
    assert asked == [(0.7, 500), (0.25, 77)]


def test_an_agent_that_waits_for_a_model_is_seen_meanwhile(
    house: House, model_server: ModelServer
) -> None:
    advised = Advised(house, "trend-agent", model_server.terms())
    advised.looks()
    seen = "SELECT last_seen_us FROM agents"
    before = advised.row(seen)

    def slow(handler: Handler) -> None:
        advised.offset_us += 5 * SECOND_US
        eventually(lambda: advised.row(seen) > before)
        says(GOOD_SIGNAL)(handler)

    model_server.plays = [slow]
    advised.looks(later_s=61)
    assert advised.decided()["model"] == "small"
    assert len(model_server.asked) == 2


def test_an_agent_that_is_to_stop_waits_for_nobody(house: House, model_server: ModelServer) -> None:
    advised = Advised(house, "trend-agent", model_server.terms(models=(SMALL,), timeout_s=60))

    def stops(handler: Handler) -> None:
        advised.agent.stop()
        handler.server.closing.wait(60)

    model_server.plays = [stops]
    advised.looks()
    decided = advised.decided()
    assert (decided["action"], decided["model"]) == ("SELL", "rules")
    assert json.loads(decided["context"])["model"]["rules_because"].startswith("timeout: ")
