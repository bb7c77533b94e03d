"""A question to a model, within what it may take: time, tokens, money, and the patience with one
that fails. Where there is no answer the rules speak, and it is told why."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from ssl import SSLContext
from typing import Any, Generic

import httpx
import structlog

from actors.models import prompts
from actors.models.answers import RAW_MAX, Answer, Unreadable, read_answer, shortened
from actors.models.breaker import Breaker
from actors.models.completion import Completed, Messages, NotCompleted, Request, complete
from actors.models.recent import Recent
from actors.models.terms import Model, ModelTerms
from storage.agents.model_budget import Reserved, Spending, reserve, settle
from storage.agents.model_wishes import ModelWishes
from storage.agents.new_decisions import RULES, ModelUse
from storage.errors import StorageError
from storage.postgres.database import AsyncPool, now_us

AT_ONCE_MAX = 4
BACKOFF_S = 0.5
MESSAGE_TOKENS = 64
"""Beyond its bytes, of which no token has less than one, what a message may count for."""

log = structlog.get_logger()


UNHEARD = ModelUse(why="timeout: it was not heard in time")
"""Of an answer that nobody waits for any more."""


class NoAnswer(Exception):
    """The message is a clause that says why."""


class Unaffordable(NoAnswer):
    """The day's budget does not have as much."""


@dataclass(frozen=True)
class Question(Generic[Answer]):
    """What an agent wants to know.

    form     a text of texts/ that says what is answered; `kind` reads that
    kept_s   how long the answer is as good as new to the same question
    """

    agent: str
    form: str
    kind: type[Answer]
    data: Mapping[str, Any]
    wishes: ModelWishes
    kept_s: float


@dataclass(frozen=True)
class Replied(Generic[Answer]):
    """None where there is no answer; `use` says why."""

    answer: Answer | None
    use: ModelUse


@dataclass
class Bill:
    """What has come of a question so far; `until_s` by the gateway's clock."""

    until_s: float
    prompt: str = ""
    raw: str = ""
    tokens: list[int] = field(default_factory=lambda: [0, 0])
    usd: Decimal = Decimal(0)
    model: str = RULES
    is_cached: bool = False

    def add(self, model: Model, prompt_tokens: int, answer_tokens: int) -> Spending:
        self.tokens[0] += prompt_tokens
        self.tokens[1] += answer_tokens
        spent = Spending(prompt_tokens + answer_tokens, model.cost(prompt_tokens, answer_tokens))
        self.usd += spent.usd
        return spent

    def use(self, why: str | None, latency_ms: float) -> ModelUse:
        model = self.model if why is None else RULES
        raw, (asked, answered) = shortened(self.raw, RAW_MAX), self.tokens
        return ModelUse(
            model, self.prompt, raw, asked, answered, self.usd, latency_ms, self.is_cached, why
        )


class Gateway:
    """Of one process. Its breakers and what it has heard are its own, the budget is everybody's.

    clock_s   monotonic
    pause     between two tries
    """

    def __init__(
        self,
        terms: ModelTerms,
        clock_s: Callable[[], float] = time.monotonic,
        clock_us: Callable[[], int] = now_us,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._terms, self._clock_s, self._clock_us, self._pause = terms, clock_s, clock_us, pause
        self._recent: Recent[str] = Recent(clock_s)
        failures = (NotCompleted, asyncio.CancelledError)
        self._breakers = {one.name: Breaker(clock_s, failures) for one in terms.models}

    @property
    def wishes(self) -> ModelWishes:
        """Where nobody has changed them."""
        return self._terms.wishes

    async def ask(
        self, pool: AsyncPool, question: Question[Answer], patience_s: float
    ) -> Replied[Answer]:
        """Within that time, or no answer. Raises StorageError."""
        bill, began_s = Bill(self._clock_s() + patience_s), time.perf_counter()
        answer, why = None, None
        try:
            async with asyncio.timeout(patience_s):
                answer = await self._answer(pool, question, bill)
        except NoAnswer as error:
            why = str(error)
        except TimeoutError:
            why = f"timeout: there was no answer within {patience_s:g} s"
        except StorageError:
            raise
        except Exception as error:  # of what others have sent: no reason to say nothing at all
            log.exception("model_not_asked", agent=question.agent)
            why = f"fault: {type(error).__name__}"
        if why is not None:
            log.warning("rules_speak", agent=question.agent, why=why)
        return Replied(answer, bill.use(why, (time.perf_counter() - began_s) * 1e3))

    async def _answer(self, pool: AsyncPool, question: Question[Answer], bill: Bill) -> Answer:
        """Of the first model that gives one."""
        failed = "no model is named"
        for model in self._terms.models:
            try:
                return await self._answer_of(pool, model, question, bill)
            except NotCompleted as error:
                failed = f"{model.name} was asked, and {error}"
        raise NoAnswer(failed)

    async def _answer_of(
        self, pool: AsyncPool, model: Model, question: Question[Answer], bill: Bill
    ) -> Answer:
        asked = prompts.messages(question.agent, question.form, question.data)
        request = self._request(model, asked, question)
        bill.model = model.name
        key = hashlib.sha256(request.text.encode()).digest()
        heard = self._recent.find(key)
        if heard is not None:
            bill.is_cached, bill.prompt, bill.raw = True, request.text, heard
            return read_answer(question.kind, heard)
        answer = await self._read(pool, model, request, question, bill)
        self._recent.keep(key, bill.raw, question.kept_s)
        return answer

    def _request(self, model: Model, asked: Messages, question: Question[Answer]) -> Request:
        wishes = question.wishes
        return Request(model.name, asked, wishes.temperature, wishes.max_tokens)

    async def _read(
        self,
        pool: AsyncPool,
        model: Model,
        request: Request,
        question: Question[Answer],
        bill: Bill,
    ) -> Answer:
        """Whoever answers what cannot be read is told so, once."""
        bill.raw = await self._said(pool, model, request, bill)
        try:
            return read_answer(question.kind, bill.raw)
        except Unreadable as error:
            asked = prompts.repairing(request.messages, bill.raw, str(error))
            request = self._request(model, asked, question)
        bill.raw = await self._said(pool, model, request, bill)
        try:
            return read_answer(question.kind, bill.raw)
        except Unreadable as error:
            raise NoAnswer(f"refused answer: {error}") from None

    async def _said(self, pool: AsyncPool, model: Model, request: Request, bill: Bill) -> str:
        """Raises NotCompleted, and Unaffordable."""
        breaker = self._breakers[model.name]
        if not breaker.admits:
            raise NotCompleted("breaker: it has failed too often, and is left alone for a while")
        with breaker.tried():
            return await self._retried(pool, model, request, bill)

    async def _retried(self, pool: AsyncPool, model: Model, request: Request, bill: Bill) -> str:
        tries = 0
        while True:
            try:
                return await self._tried(pool, model, request, bill)
            except NotCompleted as error:
                wait_s = max(error.retry_after_s, BACKOFF_S * 2**tries)
                is_too_late = self._clock_s() + wait_s >= bill.until_s
                if not error.may_retry or tries >= self._terms.retries or is_too_late:
                    raise
            tries += 1
            await self._pause(wait_s)

    async def _tried(self, pool: AsyncPool, model: Model, request: Request, bill: Bill) -> str:
        """One request, paid for from the day's budget; of whose cost is not known the most is."""
        prompt_tokens = len(request.text.encode()) + MESSAGE_TOKENS * len(request.messages)
        async with self._turns:
            reserved = await self._reserved(pool, model, prompt_tokens, request.max_tokens)
            bill.prompt, spent = request.text, None
            try:
                completed = await complete(self._terms, request, self._context)
                spent = self._added(bill, model, completed)
            except NotCompleted as error:
                spent = Spending() if error.is_free else None
                raise
            finally:
                if spent is None:
                    bill.add(model, prompt_tokens, request.max_tokens)
                else:
                    await settle(pool, reserved, spent)
        return completed.text

    async def _reserved(
        self, pool: AsyncPool, model: Model, prompt_tokens: int, answer_tokens: int
    ) -> Reserved:
        most = Spending(prompt_tokens + answer_tokens, model.cost(prompt_tokens, answer_tokens))
        reserved = await reserve(pool, most, self._terms.a_day, self._clock_us())
        if reserved is None:
            raise Unaffordable("budget: the day has not as many tokens or dollars left")
        return reserved

    def _added(self, bill: Bill, model: Model, completed: Completed) -> Spending | None:
        usage = completed.usage
        if usage is None:
            return None
        return bill.add(model, usage.prompt_tokens, usage.completion_tokens)

    @cached_property
    def _turns(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(AT_ONCE_MAX)

    @cached_property
    def _context(self) -> SSLContext | None:
        """Read once, for it takes a while; none where nothing is encrypted."""
        is_plain = self._terms.url.startswith("http:")
        return None if is_plain else httpx.create_ssl_context(trust_env=not self._terms.is_here)
