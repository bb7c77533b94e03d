"""A gateway whose clocks are moved by hand, and a question to it."""

from collections.abc import Mapping
from typing import Any

from actors.models.answers import SignalAnswer
from actors.models.gateway import Gateway, Question, Replied
from actors.models.terms import ModelTerms
from storage.agents.model_budget import Spending, spent_today
from storage.agents.model_wishes import ModelWishes
from storage.postgres.database import AsyncPool

PATIENCE_S = 30.0
DAY_S = 86_400


class Asking:
    """`s` is what its clocks show; `pauses` how long it has paused before each further try."""

    def __init__(self, pool: AsyncPool, terms: ModelTerms) -> None:
        self.pool, self.terms = pool, terms
        self.s, self.pauses = 100 * DAY_S + 0.0, list[float]()
        self.gateway = Gateway(terms, lambda: self.s, lambda: int(self.s * 1e6), self.paused)

    async def paused(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.s += seconds

    async def asks(
        self,
        data: Mapping[str, Any] | None = None,
        wishes: ModelWishes | None = None,
        patience_s: float = PATIENCE_S,
    ) -> Replied[SignalAnswer]:
        """The trend agent, what it would do."""
        asked = Question(
            "trend-agent",
            "signal_answer",
            SignalAnswer,
            data or {"symbol": "ETH/USDT"},
            wishes or self.terms.wishes,
            60,
        )
        return await self.gateway.ask(self.pool, asked, patience_s)

    async def why(self) -> str:
        """The rules speak."""
        replied = await self.asks()
        assert replied.answer is None
        assert replied.use.model == "rules"
        assert replied.use.why is not None
        return replied.use.why

    async def spent(self) -> Spending:
        return await spent_today(self.pool, int(self.s * 1e6))
