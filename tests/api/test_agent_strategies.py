"""The strategy in force: one for the agents and for the configuration, carried as YAML or JSON."""

import json
from typing import Any

import pytest
import yaml

from storage.agents.settings import forget_runtime_settings
from tests.api.agents_floor import AgentsFloor, Client
from tests.api.documented_requests import exact
from tests.api.test_agent_orders import refused

YAML = {"Content-Type": "application/yaml"}
LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(c)}: &{chr(c)} [{','.join([f'*{chr(c - 1)}'] * 9)}]\n" for c in range(98, 107)
)
SENT = {
    "name": "calm", "description": "Seldom.", "candle_s": 300,
    "agents": {"trend": {"adx_min": 30.5}, "risk": {"max_positions": 2, "default_quantity": 0.25}},
    "voting": {"min_confidence": 0.8},
}  # fmt: skip


@pytest.fixture
def paper(agents: AgentsFloor) -> Client:
    """Whoever sits at the machine, where nothing was changed yet."""
    agents.app.database.execute("DELETE FROM agent_settings")
    agents.app.database.execute("DELETE FROM control_entries")
    return agents.paper


def sends_text(who: Client, path: str, text: str | bytes, kind: str = YAML["Content-Type"]) -> Any:
    headers = {**who.headers, "Content-Type": kind}
    method = "PUT" if path == "current" else "POST"
    return who.http.request(method, f"/api/v1/strategies/{path}", content=text, headers=headers)


def puts(who: Client, body: Any) -> Any:
    answer = who.sends("PUT", "strategies/current", body)
    assert answer.status_code == 200, answer.text
    return exact(answer.text)


def checked(who: Client, text: str | bytes, kind: str = YAML["Content-Type"]) -> Any:
    answer = sends_text(who, "validate", text, kind)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_configuration_and_strategy_are_one(agents: AgentsFloor, paper: Client) -> None:
    default = paper.asks("strategies/current")
    assert default == paper.does("strategies/default", None)
    assert default["agents"]["risk"]["max_position_size"] == exact("0.1")
    paper.sends("PATCH", "config", {"max_position_size": 0.15, "max_positions": 7})
    risk = paper.asks("strategies/current")["agents"]["risk"]
    assert (risk["max_position_size"], risk["max_positions"]) == (exact("0.15"), 7)
    put = puts(paper, SENT)
    config = paper.asks("config")["config"]
    assert config["risk"]["max_position_size"] == exact("0.1")
    assert (
        config["trading"].items() >= {"max_positions": 2, "default_quantity": exact("0.25")}.items()
    )
    assert (config["risk"]["min_confidence"], put["candle_s"]) == (exact("0.8"), 300)
    paper.sends("PATCH", "config", {"min_confidence": 0.9})
    assert paper.asks("strategies/current")["voting"]["min_confidence"] == exact("0.9")
    forget_runtime_settings(agents.app.database)
    assert paper.asks("strategies/current") == put


def test_all_that_is_wrong_is_told_and_nothing_is_changed(paper: Client) -> None:
    before = paper.asks("strategies/current")
    wrong = {
        "name": "", "schema_version": "2.0", "oracle": 1, "voting": {"quorum": "0.5"},
        "agents": {"risk": {"max_drawdown": 1.5}, "technical": {"rsi_low": True}},
    }  # fmt: skip
    paths = {
        *("name", "schema_version", "oracle", "voting.quorum"),
        *("agents.risk.max_drawdown", "agents.technical.rsi_low"),
    }
    answer = refused(paper.sends("PUT", "strategies/current", wrong), 400, "validation failed")
    assert {one["field"] for one in answer["errors"]} == paths
    told = checked(paper, json.dumps(wrong), "application/json")
    assert (told["valid"], {one["path"] for one in told["errors"]}) == (False, paths)
    assert all(one["message"].endswith(".") for one in told["errors"])
    assert told == checked(paper, yaml.safe_dump(wrong))
    assert paper.asks("strategies/current") == before


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_what_is_exported_is_imported_as_the_same(form: str, paper: Client) -> None:
    put = puts(paper, SENT)
    file = paper.sends("GET", f"strategies/export?format={form}")
    assert file.headers["Content-Type"].partition(";")[0] == f"application/{form}"
    assert f"strategy.{form}" in file.headers["Content-Disposition"]
    assert file.text == paper.sends("POST", "strategies/export", {"format": form}).text
    fingerprint = paper.asks("strategies/version")["fingerprint"]
    puts(paper, {})
    assert paper.asks("strategies/version")["fingerprint"] != fingerprint
    answer = sends_text(paper, "import", file.content, f"application/{form}; charset=utf-8")
    assert (answer.status_code, exact(answer.text)["strategy"]) == (200, put)
    assert paper.asks("strategies/version").items() >= {
        "name": "calm", "schema_version": "1.0", "fingerprint": fingerprint,
    }.items()  # fmt: skip


def test_a_file_in_a_form_is_as_good(paper: Client) -> None:
    url = "/api/v1/strategies/import"
    for name, text in (("a.yaml", yaml.safe_dump(SENT)), ("B.JSON", json.dumps(SENT))):
        paper.asks("strategies/current")
        answer = paper.http.post(url, files={"file": (name, text)}, data={"note": "one of mine"})
        assert answer.status_code == 200, answer.text
        assert exact(answer.text)["strategy"]["agents"]["trend"]["adx_min"] == exact("30.5")
    large = yaml.safe_dump(SENT) + "#" * 5_000_000
    assert paper.http.post(url, files={"file": ("a.yml", large)}).status_code == 200
    for files, status in (
        ({"file": ("a.exe", "name: x" * 20)}, 415),
        ({"a": ("a.yml", "name: x"), "b": ("b.yml", "name: y")}, 400),
        ({"file": ("a.yml", "")}, 400),
    ):
        assert paper.http.post(url, files=files).status_code == status
    form = "multipart/form-data; boundary=x"
    for body in ("--x", "nothing", "--x\r\nContent-Disposition: nonsense\r\n\r\n\r\n--x--\r\n"):
        assert sends_text(paper, "import", body * 9, form).status_code == 400
    assert sends_text(paper, "import", "x" * 60, "multipart/form-data").status_code == 400


@pytest.mark.parametrize("number", ["1:30", "010", "1_0", "0x10", "0b11", "+5", ".5", "'5'"])
def test_numbers_are_those_of_json(number: str, paper: Client) -> None:
    told = checked(paper, f"agents: {{risk: {{max_positions: {number}}}}}\nname: as it stands here")
    assert [one["path"] for one in told["errors"]] == ["agents.risk.max_positions"]


def test_what_looks_like_a_number_may_be_a_name(paper: Client) -> None:
    for name in ("1e5", "010", "true", "<<", "null", "12:30"):
        puts(paper, SENT | {"name": name})
        text = paper.http.get("/api/v1/strategies/export").text
        assert checked(paper, text)["valid"]
        assert sends_text(paper, "import", text).json()["strategy"]["name"] == name
    assert checked(paper, "agents: {trend: {gap_full_pct: 1e-1}}\nname: exponents are numbers")[
        "valid"
    ]
    told = checked(paper, "name: merges\nagents: {<<: {trend: {adx_min: 2}}, trend: {adx_min: 3}}")
    assert [one["path"] for one in told["errors"]] == ["agents.<<"]
    assert not checked(paper, json.dumps(SENT | {"name": "two\nlines"}))["valid"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LAUGHS, "Anchors and aliases"),
        ("name: " + "[" * 60_000, "nested more than 6"),
        ("name: !!python/object/apply:os.system ['true']", "Tags"),
        ("a: 1\n" * 5_000, "more than 4000"),
        ("name: " + "x" * 60_000, "more than 2000 characters"),
        ("voting: {}\nagents: {}\nvoting: {quorum: 0.5}", "names a key twice"),
        ("? [name]\n: calm", "A name must be a text"),
        ("name: \0", "not YAML"),
        (b"name: \xff", "not UTF-8"),
        ("- name: calm\n- " + "x" * 60, "section of names and values"),
        ("name: [" + " " * 60, "it goes wrong at line"),
    ],
)
def test_hostile_texts_are_refused_fast(text: Any, sentence: str, paper: Client) -> None:
    told = checked(paper, text)
    assert not told["valid"]
    assert sentence in told["errors"][0]["message"]
    for path in ("current", "import"):
        assert sends_text(paper, path, text).status_code == 400
    assert paper.asks("strategies/current")["name"] == "default"


def test_only_an_import_may_be_large_and_none_is_tiny(paper: Client) -> None:
    text = yaml.safe_dump(SENT)
    large = text + "#" * (10_000_000 - len(text))
    assert sends_text(paper, "import", large).status_code == 200
    refused(sends_text(paper, "import", large + "#"), 413, "request body too large")
    for path in ("validate", "current"):
        assert sends_text(paper, path, large).status_code == 413
    answer = refused(sends_text(paper, "import", "name: calm"), 400, "invalid request body")
    assert "50 bytes" in answer["details"]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
        refused(sends_text(paper, "import", text, kind), 415, "unsupported media type")
    refused(sends_text(paper, "import", ""), 400, "invalid request body")


def test_of_two_strategies_the_later_wins(paper: Client) -> None:
    in_force = puts(paper, SENT)
    both = paper.does("strategies/merge", {"override": {"agents": {"trend": {"adx_min": 20}}}})
    assert both["agents"]["trend"]["adx_min"] == 20
    both["agents"]["trend"]["adx_min"] = exact("30.5")
    assert both == in_force
    base = {"name": "one", "voting": {"quorum": 0.5}, "candle_s": 120}
    sent = {"base": base, "override": {"voting": {"min_votes": 3}, "candle_s": 60}, "name": "two"}
    told = paper.does("strategies/merge", sent)
    assert (told["name"], told["candle_s"], told["voting"]["quorum"]) == ("two", 60, exact("0.5"))
    assert told["voting"]["min_votes"] == 3
    sent["base"] = {"voting": {"quorum": 2}}
    answer = refused(paper.sends("POST", "strategies/merge", sent), 400, "validation failed")
    assert answer["field"] == "base.voting.quorum"
    copy = paper.does("strategies/clone", {"name": "copy"})
    assert (copy["name"], copy | {"name": "calm"}) == ("copy", in_force)
    assert paper.asks("strategies/current") == in_force


def test_the_schema_is_made_of_the_bounds(paper: Client) -> None:
    schema = paper.asks("strategies/schema")
    quorum = schema["properties"]["voting"]["properties"]["quorum"]
    assert quorum == {
        "type": "number", "minimum": 0, "maximum": 1, "default": exact("0.6"),
        "description": "The least share of all weight that is present.",
    }  # fmt: skip
    risk = schema["properties"]["agents"]["properties"]["risk"]["properties"]
    assert risk["max_drawdown"]["exclusiveMinimum"] == 0
    current = paper.asks("strategies/current")
    assert list(schema["properties"]) == list(current)
    assert list(risk) == list(current["agents"]["risk"])


def test_what_was_done_is_told_to_whom_it_concerns(agents: AgentsFloor, paper: Client) -> None:
    ann, bob, chief = agents.client(), agents.client(), agents.client("ADMIN")
    session = ann.starts()
    for act in ("pause", "resume"):
        ann.does(f"trade/{act}", {"session_id": session})
    order = ann.places(price=30_000, session_id=session)["id"]
    ann.sees(order, "NEW")
    assert ann.sends("DELETE", f"orders/{order}").status_code == 200
    chief.sends("PATCH", "config", {"max_position_size": 0.15})
    chief.sends("PATCH", "config", {"max_position_size": 15})
    puts(chief, SENT)
    told = ann.asks("audit")["entries"]
    assert [(one["action"], one["subject"]) for one in reversed(told)] == [
        ("session_started", session), ("session_paused", session), ("session_resumed", session),
        ("order_placed", order), ("order_cancelled", order),
    ]  # fmt: skip
    assert bob.asks("audit")["count"] == 0
    everything = chief.asks("audit")["entries"]
    assert everything[2:] == told
    strategy, config = everything[:2]
    assert (strategy["action"], strategy["subject"]) == ("strategy_changed", "calm")
    assert config["details"] == {"max_position_size": exact("0.15"), "persist": False}
    first = ann.sends("GET", "audit?limit=3")
    rest = ann.asks("audit", cursor=first.headers["X-Next-Cursor"])
    assert exact(first.text)["entries"] + rest["entries"] == told
    assert ann.asks("audit", action="order_placed")["count"] == 1
    refused(ann.sends("GET", "audit?action=thought"), 400, "invalid request parameters")


CANDLE = """
INSERT INTO candles (market_id, width_us, open_time_us, open_ticks, high_ticks, low_ticks,
    close_ticks, volume_lots, notional_atoms, trade_count, simulated)
VALUES ('BTC-PERP', 300000000, %s, 420001, 420005, 419990, 420002, 1250, 52500000000, 17, %s)"""


def test_candles_are_told_by_symbol_with_their_past(agents: AgentsFloor) -> None:
    ann, start_us = agents.client(), 1_736_935_200_000_000
    agents.app.database.execute("DELETE FROM candles")  # of other tests' trades
    for minutes, simulated in ((0, True), (5, False)):
        agents.app.database.execute(CANDLE, (start_us + minutes * 60_000_000, simulated))
    path = "candles?symbol=BTC/USDT&interval=5m"
    found = ann.asks("candles", symbol="BTC/USDT", interval="5m")
    assert [one["simulated"] for one in found["candles"]] == [False, True]
    assert found["candles"][1].items() >= {
        "open_time": "2025-01-15T10:00:00Z", "open": exact("42000.1"), "close": exact("42000.2"),
        "quote_volume": 52_500, "trades": 17,
    }.items()  # fmt: skip
    first = ann.sends("GET", f"{path}&limit=1")
    rest = ann.sends("GET", f"{path}&limit=1&cursor={first.headers['X-Next-Cursor']}")
    assert exact(first.text)["candles"] + exact(rest.text)["candles"] == found["candles"]
    for wrong in ("symbol=BTC/USDT&interval=7m", "interval=5m", "symbol=XRP/USDT"):
        refused(ann.sends("GET", f"candles?{wrong}"), 400, "invalid request parameters")
