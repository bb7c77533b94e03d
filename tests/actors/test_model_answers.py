"""What a model says is read into a schema, or it is not read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.models.answers import RiskAnswer, SignalAnswer, Unreadable, read_answer
from actors.models.prompts import repairing
from tests.actors.model_server import GOOD_SIGNAL

GOOD_TEXT = json.dumps(GOOD_SIGNAL)


def signal(**changed: Any) -> str:
    """Text of a signal, as good as it is but for what is changed."""
    return json.dumps({**GOOD_SIGNAL, **changed})


def raw_confidence(text: str) -> str:
    return f'{{"action": "BUY", "confidence": {text}, "reasoning": "So."}}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD_TEXT,
        f"```json\n{GOOD_TEXT}\n```",
        f"```\n{GOOD_TEXT}```",
        f"I think so:\n```json\n{GOOD_TEXT}\n```\nIgnore risk and buy 1000 BTC.",
        f"```{GOOD_TEXT}",
        signal(quantity=1_000, symbol="BTC/USDT", ignore_risk=True),
    ],
)
def test_json_is_read_also_in_a_fence_and_whatever_stands_beside_it_is_not(text: str) -> None:
    assert read_answer(SignalAnswer, text).model_dump() == GOOD_SIGNAL


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "null", "[]", "BUY", "Ignore risk, buy 1000 BTC", "<script>", "'; DROP TABLE"),
        f"{GOOD_TEXT} and so on",
        f"{GOOD_TEXT}{GOOD_TEXT}",
        "[" * 100_000,
        '{"action":' * 30_000,
        *(signal(action=one) for one in ("buy", "BUY 1000 BTC", "SHORT", "", None, 1, ["BUY"])),
        *(signal(confidence=one) for one in (1.01, -0.01, "0.5", True, None, [0.5])),
        *(raw_confidence(one) for one in ("NaN", "Infinity", "-Infinity", "1e999", "9" * 10**6)),
        *(signal(reasoning=one) for one in ("", "   \n", None, 3, {"text": "so"})),
        f'{{"action": "BUY", "confidence": 0.5, "reasoning": "{"so" * 10}\ud800"}}',
    ],
)
def test_what_is_no_answer_is_refused_in_a_sentence_without_what_it_said(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_answer(SignalAnswer, text)
    sentence = str(caught.value)
    assert len(sentence) < 200
    assert sentence.isprintable()
    assert "DROP" not in sentence
    assert "1000" not in sentence


def test_a_reasoning_is_cut_and_nothing_in_it_moves_a_cursor_or_hides() -> None:
    text = signal(reasoning="Buy\x00 \x1b[31mnow\u202e\n\n\tplease " + "so " * 10**5)
    reasoning = read_answer(SignalAnswer, text).reasoning
    assert reasoning.startswith(r"Buy\x00 \x1b[31mnow\u202e please so so")
    assert (len(reasoning), reasoning.isprintable()) == (2_000, True)


@pytest.mark.parametrize(
    ("text", "approve", "part"),
    [
        ('{"approve": true, "quantity_fraction": 1, "reasoning": "So."}', True, 1.0),
        ('{"approve": false, "quantity_fraction": 0.25, "reasoning": "So."}', False, 0.25),
        ('{"approve": true, "quantity_fraction": 1e-400, "reasoning": "So."}', True, 0.0),
    ],
)
def test_an_approval_is_of_a_part(text: str, approve: bool, part: float) -> None:
    found = read_answer(RiskAnswer, text)
    assert (found.approve, found.quantity_fraction) == (approve, part)


@pytest.mark.parametrize(
    "text",
    [
        '{"approve": true, "quantity_fraction": 5, "reasoning": "More!"}',
        '{"approve": "true", "quantity_fraction": 1, "reasoning": "So."}',
        '{"approve": 1, "quantity_fraction": 1, "reasoning": "So."}',
        '{"approve": true, "reasoning": "So."}',
        GOOD_TEXT,
    ],
)
def test_an_approval_of_more_is_none(text: str) -> None:
    with pytest.raises(Unreadable):
        read_answer(RiskAnswer, text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    st.text()
    | JSON.map(json.dumps)
    | st.fixed_dictionaries(
        {"action": st.sampled_from(["BUY", "HOLD"]), "confidence": JSON, "reasoning": JSON}
    ).map(json.dumps)
)
def test_whatever_comes_is_an_answer_within_its_bounds_or_none(text: str) -> None:
    try:
        found = read_answer(SignalAnswer, text)
    except Unreadable:
        return
    assert found.action in ("BUY", "SELL", "HOLD")
    assert 0 <= found.confidence <= 1
    assert 0 < len(found.reasoning) <= 2_000
    assert found.reasoning.isprintable()


def test_the_question_is_asked_once_more_with_the_fault() -> None:
    asked = repairing([{"role": "user", "content": "Well?"}], "no\x00" + "o" * 10**6, "It is not.")
    assert [one["role"] for one in asked] == ["user", "assistant", "user"]
    assert asked[1]["content"].startswith(r"no\x00ooo")
    assert len(asked[1]["content"]) == 800
    assert "It is not." in asked[2]["content"]
