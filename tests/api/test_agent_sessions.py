"""Sessions: each an account of its own, stopped by the orchestrator, told by the ledger."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest

from storage.agents.sessions import OPEN_SESSIONS_MAX
from tests.api.agents_floor import SYMBOL, AgentsFloor, Client, stopped_by_orchestrator
from tests.api.made_decisions import decided, of_session
from tests.waiting import eventually

NOBODYS = "123e4567-e89b-12d3-a456-426614174000"


def stopped(agents: AgentsFloor, who: Client, session: str, final: Any = 10_000) -> httpx.Response:
    """The answer to who stops it, while the orchestrator does its part."""
    sent = {"session_id": session, "final_capital": final}
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(who.sends, "POST", "trade/stop", sent)
        stopped_by_orchestrator(agents.app, session)
        return answer.result(timeout=20)


def test_a_session_trades_on_its_own_account_and_ends_by_the_ledger(agents: AgentsFloor) -> None:
    agents.clear()
    ann = agents.client()
    session, other = ann.starts(10_000.00), ann.starts(500)
    told = ann.asks(f"sessions/{session}")["session"]
    assert told.items() >= {
        "id": session, "status": "RUNNING", "mode": "PAPER", "symbol": SYMBOL,
        "initial_capital": 10_000, "final_capital": 10_000, "total_pnl": 0, "stopped_at": None,
    }.items()  # fmt: skip
    agents.offers("SELL", "42000", "0.1")
    order = ann.places(price=42_000, session_id=session)
    ann.sees(order["id"], "FILLED")
    (position,) = ann.asks("positions", session_id=session)["positions"]
    assert (position["session_id"], position["fees"]) == (session, Decimal("2.1"))
    assert ann.asks("positions", session_id=other)["count"] == 0
    balance = ann.http.get("/balances", headers={**ann.headers, "X-Account": told["account"]})
    assert balance.json()[0]["total"] == "9997.9"
    first = stopped(agents, ann, session, 10_500)
    assert first.json().items() >= {
        "message": "Trading stopped successfully", "session_id": session,
        "final_capital": 9_997.9, "total_pnl": -2.1, "total_trades": 0,
    }.items()  # fmt: skip
    assert "9997.9" in first.json()["note"]
    again = ann.sends("POST", "trade/stop", {"session_id": session, "final_capital": 9_997.9})
    assert again.json() == {name: told for name, told in first.json().items() if name != "note"}
    refused = ann.sends("POST", "orders", order_in(session))
    assert (refused.status_code, refused.json()["error"]) == (400, "session is not running")
    listed = ann.asks("sessions", status="stopped")["sessions"]
    assert [one["id"] for one in listed] == [session]
    assert [one["id"] for one in ann.asks("sessions")["sessions"]] == [other, session]


def order_in(session: str) -> dict[str, Any]:
    order = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": 0.1}
    return order | {"session_id": session}


def test_what_is_closed_while_a_session_stops_says_so(agents: AgentsFloor) -> None:
    agents.clear()
    ann = agents.client()
    session = ann.starts()
    agents.offers("SELL", "42000", "0.1")
    ann.sees(ann.places(price=42_000, session_id=session)["id"], "FILLED")
    closing = {"side": "SELL", "price": 41_990, "reduce_only": True, "session_id": session}
    ann.places(**closing)
    agents.app.database.execute(
        "UPDATE trading_sessions SET status = 'STOPPING' WHERE id = %s", (session,)
    )
    agents.offers("BUY", "41990", "0.1")

    def closed() -> Any:
        return ann.asks("positions", session_id=session, status="closed")["positions"]

    (position,) = eventually(closed)
    assert (position["exit_reason"], position["realized_pnl"]) == ("session_stopped", -1)


def test_positions_of_sessions_that_have_stopped_are_listed_too(agents: AgentsFloor) -> None:
    """Also what was still open then."""
    agents.clear()
    ann = agents.client()
    session = ann.starts()
    agents.offers("SELL", "42000", "0.1")
    order = ann.sees(ann.places(price=42_000, session_id=session)["id"], "FILLED")
    stopped(agents, ann, session)
    for listed in (ann.asks("positions"), ann.asks("positions", status="all")):
        (position,) = listed["positions"]
        assert (position["id"], position["session_id"]) == (order["position_id"], session)
    assert ann.asks(f"positions/{SYMBOL}")["position"]["id"] == order["position_id"]
    assert ann.asks("positions", status="closed")["count"] == 0
    assert agents.client().asks("positions", status="all")["count"] == 0


def test_a_position_says_who_closed_it(agents: AgentsFloor) -> None:
    """Its stop that lies in the market, or the decision that wanted it."""
    agents.clear()
    ann = agents.client()
    session = ann.starts()

    def bought(price: str) -> Any:
        agents.offers("SELL", price, "0.1")
        return ann.sees(ann.places(price=float(price), session_id=session)["id"], "FILLED")

    def reason(order: Any) -> Any:
        told = ann.asks("positions", session_id=session, status="closed")["positions"]
        found = [one for one in told if one["id"] == order["position_id"]]
        return found[0]["exit_reason"] if found else None

    closing = {"side": "SELL", "reduce_only": True, "session_id": session}
    first = bought("42010")
    decided(
        agents.app.database,
        **of_session(session),
        order_id=int(first["exchange_order_id"].removeprefix("order_")),
    )
    (position,) = ann.asks("positions", session_id=session)["positions"]
    assert position["entry_reason"] == "The faster mean has crossed the slower one."
    ann.places(**closing, type="TAKE_PROFIT", stop_price=42_020)
    agents.offers("BUY", "42020", "0.2")
    agents.offers("SELL", "42020", "0.1")
    assert eventually(lambda: reason(first)) == "take_profit"
    second = bought("42030")
    agents.offers("BUY", "42025", "0.1")
    why = decided(agents.app.database, **of_session(session), action="SELL")
    ann.places(**closing, price=42_025, client_order_id=why)
    assert eventually(lambda: reason(second)) == "signal"


def test_pause_and_resume_are_of_one_session(agents: AgentsFloor) -> None:
    ann, bob = agents.client(), agents.client()
    session, other = ann.starts(), ann.starts()
    sent = {"session_id": session}
    assert ann.sends("POST", "trade/resume", sent).json()["error"] == "session is not paused"
    paused = ann.does("trade/pause", sent)
    assert paused.items() >= {"message": "Trading paused successfully", "symbol": SYMBOL}.items()
    again = ann.sends("POST", "trade/pause", sent)
    assert (again.status_code, again.json()["error"]) == (400, "session is not running")
    assert ann.asks(f"sessions/{other}")["session"]["status"] == "RUNNING"
    for path in ("trade/pause", "trade/resume", "trade/stop"):
        for unknown in (session, NOBODYS):
            body = {"session_id": unknown} | ({"final_capital": 1} if "stop" in path else {})
            answer = bob.sends("POST", path, body)
            assert answer.status_code == 404
            assert answer.json() == {"error": "session not found", "session_id": unknown}
    ann.does("trade/resume", sent)
    assert ann.asks(f"sessions/{session}")["session"]["status"] == "RUNNING"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"mode": "LIVE"}, "mode"),
        ({"mode": "live"}, "mode"),
        ({"symbol": "DOGE/USDT"}, "symbol"),
        ({"initial_capital": 0}, "initial_capital"),
        ({"initial_capital": -1}, "initial_capital"),
        ({"initial_capital": 10**12}, "initial_capital"),
        ({"initial_capital": 0.0000001}, "initial_capital"),
        ({"initial_capital": None}, "initial_capital"),
        ({"user_id": 1}, "user_id"),
    ],
)
def test_a_start_that_cannot_be_is_refused(body: Any, field: str, agents: AgentsFloor) -> None:
    sent = {"symbol": SYMBOL, "initial_capital": 10_000, "mode": "paper"} | body
    answer = agents.paper.sends("POST", "trade/start", sent)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid request body")
    assert field in f"{answer.json().get('field')} {answer.json()['details']}"


def test_so_many_sessions_and_no_more(agents: AgentsFloor) -> None:
    ann = agents.client()
    for _ in range(OPEN_SESSIONS_MAX):
        ann.starts(1)
    sent = {"symbol": SYMBOL, "initial_capital": 1}
    answer = ann.sends("POST", "trade/start", sent)
    assert (answer.status_code, str(OPEN_SESSIONS_MAX) in answer.json()["details"]) == (409, True)
    assert len(ann.http.get("/accounts", headers=ann.headers).json()) == 1
    opened = ann.http.post("/accounts", json={"name": "another"}, headers=ann.headers)
    assert opened.status_code == 201


def test_the_same_key_starts_one_session(agents: AgentsFloor) -> None:
    ann = agents.client()
    sent = {"symbol": SYMBOL, "initial_capital": 10_000}
    key = {"Idempotency-Key": "once"}
    answers = [ann.sends("POST", "trade/start", sent, **key).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert ann.asks("sessions")["count"] == 1


def test_the_money_of_a_session_comes_and_goes_with_it(agents: AgentsFloor) -> None:
    person = agents.app.person("1000")
    ann = Client(agents.app.http, person.headers)
    account = ann.asks(f"sessions/{ann.starts(100)}")["session"]["account"]
    within, money = person.choosing(account), {"asset": "USDC", "amount": "1"}
    moved = {"from": person.account_name, "to": account, **money}
    answers = [
        within.post("/deposits", money),
        within.post("/withdrawals", money),
        within.post("/account/reset"),
        person.post("/accounts/transfers", moved),
        person.patch(f"/accounts/{account}", {"archived": True}),
    ]
    assert [answer.status_code for answer in answers] == [400] * 5
    assert within.get("/balances").json()[0]["total"] == "100"
