"""The agents' configuration: changed as a whole or not at all, by whom that is for."""

from decimal import Decimal
from typing import Any

import pytest

from storage.agents.settings import forget_runtime_settings
from tests.api.agents_floor import AgentsFloor

DOCUMENTED = {
    "trading_mode": "paper",
    "max_position_size": 0.15,
    "default_stop_loss": 0.03,
    "llm_temperature": 0.8,
}


def test_a_change_holds_until_the_exchange_is_started_again(agents: AgentsFloor) -> None:
    agents.app.database.execute("DELETE FROM agent_settings")
    before = agents.paper.asks("config")["config"]
    answer = agents.paper.sends("PATCH", "config", DOCUMENTED)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "message": "Configuration updated successfully",
            "updates": DOCUMENTED,
            "note": "Changes are in-memory only and will reset on server restart",
        },
    )
    now = agents.paper.asks("config")["config"]
    assert now["risk"]["max_position_size"] == Decimal("0.15")
    assert now["llm"]["temperature"] == Decimal("0.8")
    stays = agents.paper.sends("PATCH", "config", {"max_position_size": 0.2, "persist": True})
    assert "note" not in stays.json()
    assert agents.paper.asks("config")["config"]["risk"]["max_position_size"] == Decimal("0.2")
    forget_runtime_settings(agents.app.database)
    now = agents.paper.asks("config")["config"]
    before["risk"]["max_position_size"] = Decimal("0.2")
    assert now == before


def test_all_faults_are_said_at_once_and_nothing_is_changed(agents: AgentsFloor) -> None:
    before = agents.paper.asks("config")
    wrong: dict[str, Any] = {
        "trading_mode": "live", "initial_capital": 0, "max_positions": 1.5,
        "max_position_size": 1.01, "max_daily_loss": "0.1", "max_drawdown": -0.1,
        "default_stop_loss": 0, "default_take_profit": 0, "min_confidence": 1.1,
        "llm_approval_required": "yes", "llm_temperature": 2.1, "llm_max_tokens": 0,
        "gateway_url": "http://127.0.0.1",
    }  # fmt: skip
    answer = agents.paper.sends("PATCH", "config", {**wrong, "min_confidence": 1.1})
    assert (answer.status_code, answer.json()["error"]) == (400, "validation failed")
    assert {one["field"] for one in answer.json()["errors"]} == set(wrong)
    one = agents.paper.sends("PATCH", "config", {"max_drawdown": 0.5, "max_positions": 0})
    assert one.status_code == 400
    assert agents.paper.asks("config") == before


@pytest.mark.parametrize("body", [{}, {"persist": True}, {"max_positions": None}])
def test_nothing_to_change_is_said(body: Any, agents: AgentsFloor) -> None:
    answer = agents.paper.sends("PATCH", "config", body)
    assert answer.json() == {"error": "no valid configuration fields to update"}


def test_who_shows_credentials_needs_the_role(agents: AgentsFloor) -> None:
    change = {"max_positions": 4}
    for role, status in (("TRADER", 403), ("OPERATOR", 403), ("ADMIN", 200)):
        assert agents.client(role).sends("PATCH", "config", change).status_code == status
