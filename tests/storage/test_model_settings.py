"""Where language models are is set by whoever starts the exchange, and checked before that."""

from pathlib import Path
from typing import Any

import pytest

from storage.settings import ADDRESSES, ConfigurationError, Settings

CANARY = "sk-canary"
PRICED = {"SANDPIT_LLM_MODEL": "small", "SANDPIT_LLM_PRICES": '{"small": ["0.15", "0.60"]}'}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings.load()


def test_nobody_is_asked_where_no_address_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().llm_models == []
    assert loaded(monkeypatch, PRICED).llm_models == []


@pytest.mark.parametrize(
    "url",
    [
        "https://models.example.com/v1",
        "https://models.example.com:8443/a/v1/",
        "http://127.0.0.1:11434/v1",
        "http://127.9.9.9/v1",
        "http://[::1]:8000/v1",
        "http://localhost:8000/v1",
    ],
)
def test_an_address_is_encrypted_or_here(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, {**PRICED, "SANDPIT_LLM_URL": url})
    assert settings.llm_url == url.rstrip("/")
    assert settings.llm_models == ["small"]


@pytest.mark.parametrize(
    "url",
    [
        *("models.example.com", "ftp://models.example.com", "file:///etc/passwd", "https://", "x"),
        *("http://models.example.com", "http://10.0.0.1", "http://127.0.0.1.example.com"),
        *("http://localhost.example.com", "http://0.0.0.0", "http://[::]", "http://2130706433"),
        *(f"https://u:{CANARY}@models.example.com", f"http://{CANARY}@127.0.0.1", "https://@x"),
        *("https://x/?a=1", "https://x/#a", "https://x:70000", "https://[::1", "https://a b/"),
        *("https://x\n/", "http://127.0.0.1@evil.example.com"),
    ],
)
def test_no_other_address_is_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="llm_url") as caught:
        loaded(monkeypatch, {**PRICED, "SANDPIT_LLM_URL": url})
    assert "\n" not in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"SANDPIT_LLM_MODEL": ""}, "llm_model"),
        ({"SANDPIT_LLM_MODEL": "rules"}, "llm_model"),
        ({"SANDPIT_LLM_MODEL": "small\x1b"}, "llm_model"),
        ({"SANDPIT_LLM_PRICES": "{}"}, "llm_prices"),
        ({"SANDPIT_LLM_FALLBACK_MODEL": "other"}, "llm_prices"),
        ({"SANDPIT_LLM_PRICES": '{"small": ["0.15", "-1"]}'}, "llm_prices"),
        ({"SANDPIT_LLM_PRICES": '{"small": ["0.15", "1e9"]}'}, "llm_prices"),
        ({"SANDPIT_LLM_PRICES": '{"small": ["0.15"]}'}, "llm_prices"),
        ({"SANDPIT_LLM_USD_A_DAY": "NaN"}, "llm_usd_a_day"),
        ({"SANDPIT_LLM_USD_A_DAY": "-1"}, "llm_usd_a_day"),
        ({"SANDPIT_LLM_USD_A_DAY": "1e999999"}, "llm_usd_a_day"),
        ({"SANDPIT_LLM_TOKENS_A_DAY": "-1"}, "llm_tokens_a_day"),
        ({"SANDPIT_LLM_TIMEOUT_S": "0.5"}, "llm_timeout_s"),
        ({"SANDPIT_LLM_TIMEOUT_S": "inf"}, "llm_timeout_s"),
        ({"SANDPIT_LLM_RETRIES": "6"}, "llm_retries"),
        ({"SANDPIT_LLM_TEMPERATURE": "2.1"}, "llm_temperature"),
        ({"SANDPIT_LLM_MAX_TOKENS": "0"}, "llm_max_tokens"),
        ({"SANDPIT_LLM_API_KEY": f"{CANARY}\r\nX-Other: 1"}, "llm_api_key"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    changed: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**PRICED, "SANDPIT_LLM_URL": "https://models.example.com/v1", **changed}
    with pytest.raises(ConfigurationError) as caught:
        loaded(monkeypatch, given)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
    assert CANARY not in str(caught.value)


def test_a_model_on_this_machine_may_be_free(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"SANDPIT_LLM_URL": "http://127.0.0.1:1/v1", "SANDPIT_LLM_MODEL": "small"}
    given["SANDPIT_LLM_FALLBACK_MODEL"] = "org/other:7b"
    assert loaded(monkeypatch, given).llm_models == ["small", "org/other:7b"]


def test_the_key_is_printed_nowhere_and_inherited_by_nobody() -> None:
    given: dict[str, Any] = {"llm_api_key": CANARY, "llm_url": "http://127.0.0.1:1"}
    settings = Settings.load(**given, llm_model="small")
    assert CANARY not in repr(settings) + str(settings) + settings.model_dump_json()
    assert "SANDPIT_LLM_API_KEY" in ADDRESSES
