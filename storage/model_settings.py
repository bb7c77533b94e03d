"""Settings of the language models that agents may ask. Off where there is no address."""

import ipaddress
import re
from decimal import Decimal
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from sim.signals.bounds import Bound

TEMPERATURE = Bound("how freely a model answers", 0, 2)
TOKENS = Bound("how long a model's answer may be", 1, 1_000_000, is_whole=True)
TOKENS_A_DAY_MAX = 10**12
NOT_A_MODEL = "rules"
"""What decisions call it when no model spoke."""

MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}")
KEY = re.compile(r"[!-~]{1,1024}")
USD = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
PRICE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


def is_loopback(host: str) -> bool:
    """Whether only this machine answers there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _an_address(text: str) -> str:
    """Never repeats what was given: it may hold a password."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("must read like https://models.example.com/v1") from None
    if "@" in parts.netloc:
        raise ValueError("must have no credentials in it: llm_api_key is for those")
    if not host or parts.query or parts.fragment or not text.isprintable() or " " in text:
        raise ValueError("must read like https://models.example.com/v1")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("must begin with https://, or http:// where it is on this machine")
    return text.rstrip("/")


def _a_model(text: str) -> str:
    if MODEL.fullmatch(text) is None or text == NOT_A_MODEL:
        raise ValueError("must be a model's name, such as small-model-1; rules is none")
    return text


def _usd(text: str) -> str:
    if USD.fullmatch(text) is None:
        raise ValueError("must be dollars in decimals, such as 2.50")
    return text


ModelName = Annotated[str, AfterValidator(_a_model)]


class ModelSettings(BaseSettings):
    """A part of Settings."""

    # Where an API that speaks OpenAI's protocol is, without /chat/completions.
    llm_url: Annotated[str, AfterValidator(_an_address)] | None = None
    llm_api_key: SecretStr | None = None
    llm_model: ModelName | None = Field(None, validate_default=True)
    # Asked where the first does not answer.
    llm_fallback_model: ModelName | None = None
    # Dollars of a million tokens of each model, of the prompt and of the answer.
    llm_prices: dict[ModelName, tuple[str, str]] = Field({}, validate_default=True)
    llm_timeout_s: float = Field(10, ge=1, le=120)
    llm_retries: int = Field(1, ge=0, le=5)
    llm_temperature: float = Field(0.7, ge=TEMPERATURE.low, le=TEMPERATURE.high)
    llm_max_tokens: int = Field(2_000, ge=TOKENS.low, le=TOKENS.high)
    # Of all agents together, from midnight to midnight UTC.
    llm_tokens_a_day: int = Field(1_000_000, ge=0, le=TOKENS_A_DAY_MAX)
    llm_usd_a_day: Annotated[str, AfterValidator(_usd)] = "1"

    @field_validator("llm_api_key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and KEY.fullmatch(key.get_secret_value()) is None:
            raise ValueError("must be up to 1024 visible ASCII characters")
        return key

    @field_validator("llm_model")
    @classmethod
    def _named(cls, model: str | None, others: ValidationInfo) -> str | None:
        if others.data.get("llm_url") is not None and model is None:
            raise ValueError("must name a model, for llm_url is set")
        return model

    @field_validator("llm_prices")
    @classmethod
    def _priced(
        cls, prices: dict[str, tuple[str, str]], others: ValidationInfo
    ) -> dict[str, tuple[str, str]]:
        """Without its price a model would be asked beyond the day's money."""
        for model, each in prices.items():
            if not all(map(PRICE.fullmatch, each)):
                raise ValueError(f'{model} needs two prices in dollars, such as ["0.15", "0.60"]')
        url = others.data.get("llm_url")
        if url is not None and not is_loopback(urlsplit(url).hostname or ""):
            for name in ("llm_model", "llm_fallback_model"):
                asked = others.data.get(name)
                if asked is not None and asked not in prices:
                    raise ValueError(f"must name the price of {asked}: it is not on this machine")
        return prices

    @property
    def llm_models(self) -> list[str]:
        """Who is asked, in this order; nobody where there is no address."""
        named = (self.llm_model, self.llm_fallback_model) if self.llm_url is not None else ()
        return [model for model in named if model is not None]

    @property
    def llm_usd_max(self) -> Decimal:
        """The day's money."""
        return Decimal(self.llm_usd_a_day)
