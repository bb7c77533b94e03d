"""Where models are, how they are asked, and what they cost."""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from pydantic import SecretStr

from storage.agents.model_budget import Spending
from storage.agents.model_wishes import ModelWishes, wishes_of
from storage.model_settings import ModelSettings, is_loopback

A_MILLION = -6
"""Prices are of so many tokens, as a power of ten."""


@dataclass(frozen=True)
class Model:
    """Its name, and dollars of a million tokens of the prompt and of the answer."""

    name: str
    prompt_usd: Decimal = Decimal(0)
    answer_usd: Decimal = Decimal(0)

    def cost(self, prompt_tokens: int, answer_tokens: int) -> Decimal:
        """Exact."""
        usd = prompt_tokens * self.prompt_usd + answer_tokens * self.answer_usd
        return usd.scaleb(A_MILLION)


@dataclass(frozen=True)
class ModelTerms:
    """models    who is asked, in this order
    timeout_s    of one request, from connecting to the last byte
    retries      of a request that came to nothing, where another may not
    """

    url: str
    models: tuple[Model, ...]
    wishes: ModelWishes
    a_day: Spending
    api_key: SecretStr | None = None
    timeout_s: float = 10
    retries: int = 1

    @property
    def is_here(self) -> bool:
        """On this machine, where no proxy is on the way."""
        return is_loopback(urlsplit(self.url).hostname or "")


def terms_of(settings: ModelSettings) -> ModelTerms | None:
    """None where nobody is asked."""
    if settings.llm_url is None:
        return None
    prices = {name: map(Decimal, each) for name, each in settings.llm_prices.items()}
    return ModelTerms(
        settings.llm_url,
        tuple(Model(name, *prices.get(name, ())) for name in settings.llm_models),
        wishes_of(settings),
        Spending(settings.llm_tokens_a_day, settings.llm_usd_max),
        settings.llm_api_key,
        settings.llm_timeout_s,
        settings.llm_retries,
    )
