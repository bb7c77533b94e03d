"""What clients are told of language models: who is asked, what that has cost, what is left."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from sim.signals.dimension import DIMENSION
from storage.agents.model_budget import Spending, reserve
from storage.agents.new_decisions import Kind, ModelUse, NewDecision, record
from storage.postgres.database import now_us, open_pool
from storage.postgres.database_roles import DatabaseUrls
from storage.postgres.unit_of_work import unit_of_work
from tests.api.agents_floor import AgentsFloor, Client
from tests.api.deployment import Deployment, running

KEY = "sk-canary"
MODELS = {
    "SANDPIT_LLM_URL": "https://models.example.com/v1",
    "SANDPIT_LLM_API_KEY": KEY,
    "SANDPIT_LLM_MODEL": "small",
    "SANDPIT_LLM_FALLBACK_MODEL": "other",
    "SANDPIT_LLM_PRICES": '{"small": ["0.15", "0.60"], "other": ["1", "2"]}',
    "SANDPIT_LLM_TEMPERATURE": "0.2",
    "SANDPIT_LLM_USD_A_DAY": "2.50",
}


@pytest.fixture
def exchange(database_urls: DatabaseUrls, tmp_path: Path) -> Iterator[Deployment]:
    """One that names models, which nobody here asks."""
    with running(database_urls, "", tmp_path / "api", **MODELS) as deployment:
        yield deployment


def spend(urls: DatabaseUrls) -> None:
    """An agent has asked: for a signal, and once in vain."""
    spoken = ModelUse("small", '{"asked": 1}', "raw", 100, 50, Decimal("0.000045"), 800.0)
    in_vain = ModelUse(prompt_tokens=7, cost_usd=Decimal("0.00000105"), why="refused answer: no.")

    async def work() -> None:
        pool = await open_pool(urls.engine, 1)
        most = Spending(164, Decimal("0.000072"))
        assert await reserve(pool, most, Spending(1_000, Decimal(1)), now_us()) is not None
        async with unit_of_work(pool) as connection:
            await record(connection, [decision(use) for use in (spoken, in_vain, None)])
        await pool.close()

    asyncio.run(work())


def decision(use: ModelUse | None) -> NewDecision:
    return NewDecision(
        uuid4(), "trend-agent", "BTC/USDT", Kind.SIGNAL, "BUY", 0.5, "So. It is.", {"adx": 30.5},
        {"symbol": "BTC/USDT"}, {"action": "BUY"}, now_us(), 2.0,
        np.zeros(DIMENSION, np.float32), use=use,
    )  # fmt: skip


def test_what_is_in_force_is_told_and_where_it_is_and_with_which_key_is_not(
    exchange: Deployment, database_urls: DatabaseUrls
) -> None:
    paper = Client(exchange.http)
    assert paper.asks("config")["config"]["llm"] == {
        "gateway": "openai-compatible", "primary_model": "small", "fallback_model": "other",
        "temperature": Decimal("0.2"), "max_tokens": 2_000, "enable_caching": True,
    }  # fmt: skip
    whole = {"gateway": "openai-compatible", "tokens_left": 1_000_000, "usd_left": Decimal("2.50")}
    assert paper.asks("status")["models"] == whole
    spend(database_urls)
    left = {**whole, "tokens_left": 999_836, "usd_left": Decimal("2.499928")}
    assert paper.asks("status")["models"] == left
    told = [exchange.http.get(f"/api/v1/{path}").text for path in ("config", "status", "agents")]
    told += [exchange.metrics(), (exchange.data_dir / "api.log").read_text()]
    assert not any(KEY in text or "models.example.com" in text for text in told)


def test_decisions_have_their_model_and_its_cost(
    exchange: Deployment, database_urls: DatabaseUrls
) -> None:
    spend(database_urls)
    paper = Client(exchange.http)
    alone, in_vain, spoken = paper.asks("decisions")["decisions"]
    asked = ("model", "prompt_tokens", "completion_tokens", "cost_usd")
    assert [spoken[name] for name in asked] == ["small", 100, 50, Decimal("0.000045")]
    assert [in_vain[name] for name in asked] == ["rules", 7, 0, Decimal("0.00000105")]
    assert [alone[name] for name in asked] == ["rules", 0, 0, 0]
    why = {"is_cached": False, "rules_because": "refused answer: no."}
    assert in_vain["context"] == {"adx": Decimal("30.5"), "model": why}
    assert alone["context"] == {"adx": Decimal("30.5")}
    whole = paper.asks(f"decisions/{spoken['id']}")
    assert (whole["prompt"], whole["response"]) == (
        '{"asked": 1}',
        '{"action": "BUY", "raw": "raw"}',
    )
    stats = paper.asks("decisions/stats")
    assert stats["by_model"] == {"rules": 2, "small": 1}
    assert stats["total_cost"] == Decimal("0.00004605")
    assert paper.asks("decisions", model="small")["count"] == 1


def test_without_an_address_nobody_is_asked(agents: AgentsFloor) -> None:
    nobody = {"gateway": "none", "tokens_left": 0, "usd_left": 0}
    assert agents.paper.asks("status")["models"] == nobody
    llm = agents.paper.asks("config")["config"]["llm"]
    assert (llm["gateway"], llm["primary_model"], llm["fallback_model"]) == (
        "none",
        "rules",
        "rules",
    )


@pytest.mark.parametrize("name", ["llm_url", "llm_api_key", "llm_model", "llm_usd_a_day"])
def test_no_client_says_who_is_asked(name: str, agents: AgentsFloor) -> None:
    answer = agents.paper.sends("PATCH", "config", {name: "http://127.0.0.1:1"})
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [name]
