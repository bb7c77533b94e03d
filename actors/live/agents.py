"""A signal agent: every cycle it looks at all symbols, and says of each what it would do.

All that comes of a cycle is one transaction: its signals, which are its votes, what of them is
recorded, and that it is there.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from actors.live.looking import SEEN_US, awaited, look_again
from actors.loop import Loop
from actors.models.advice import advised, of_signal
from actors.models.gateway import UNHEARD, Gateway
from actors.models.terms import ModelTerms
from sim.signals.agents import AGENTS, Looks, View, answered
from sim.signals.signal import Action, Signal, is_warming_up
from sim.signals.terms import StrategyTerms
from storage.agents.model_wishes import wishes_in_force
from storage.agents.new_decisions import Kind, ModelUse, NewDecision, record
from storage.agents.news import headlines_of
from storage.agents.presence import Presence, arrive, seen
from storage.agents.sights import (
    CandlesRead,
    Sights,
    Traded,
    books_of,
    sights_of,
    traded_symbols,
    venues_of,
)
from storage.agents.signals import GivenSignal, give, last_actions
from storage.agents.strategy_in_force import terms_in_force
from storage.errors import StorageError, told
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import unit_of_work

TICK_S = 1.0
"""Between two looks at the book, and how late a new setting or a lost database is noticed."""

STOP_WAIT_S = 4.0
CONNECTIONS = 2
PATIENCE_S_MAX = 20.0
"""So long is a model waited for, or half a cycle where that is less."""

LATE_S = 1.0
"""Who has been waited for so much longer is not heard any more, nor why it came to nothing."""

log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class Spoken:
    """A signal, what it was made of, and how long that took.

    use   of a model, whose signal it is unless that says why it is not
    """

    view: View
    signal: Signal
    latency_ms: float
    use: ModelUse | None = None

    @property
    def has_cost(self) -> bool:
        return self.use is not None and self.use.prompt_tokens > 0


class SignalAgent:
    """One of sim.signals.agents.AGENTS, by its name."""

    def __init__(
        self,
        name: str,
        database_url: str,
        clock_us: Callable[[], int] = now_us,
        models: ModelTerms | None = None,
        run: bool = False,
    ) -> None:
        self._name, self._kind = name, AGENTS[name]
        asked = models if self._kind.asks_models else None
        self._gateway = None if asked is None else Gateway(asked, clock_us=clock_us)
        self._database_url, self._clock_us = database_url, clock_us
        self._presence: Presence | None = None
        self._looks, self._read, self._sights = Looks(), CandlesRead(), Sights({}, {})
        self._due_us, self._seen_us = 0, 0
        self._error: str | None = None
        self._signals, self._failures = 0, 0
        self._loop = Loop(name, self._run)
        if run:
            self.start()

    def start(self) -> None:
        """Begin to look at markets. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Finish the cycle under way, and end."""
        self._loop.stop(STOP_WAIT_S)

    def health(self) -> dict[str, int]:
        """Signals given and cycles failed since it started."""
        return {"signals": self._signals, "failures": self._failures}

    def _run(self) -> None:
        looking = look_again(
            self._loop, self._name, self._database_url, CONNECTIONS, self.look, TICK_S
        )
        asyncio.run(looking)

    async def look(self, pool: AsyncPool) -> None:
        """At the books; and where it is time for it, signals. Raises StorageError."""
        if self._presence is None:
            self._presence = await arrive(pool, self._name, self._kind.agent_type)
        if self._clock_us() >= self._due_us or self._kind.sees == "looks":
            await self._guarded(pool)
        await self._stay(pool)

    async def _stay(self, pool: AsyncPool) -> None:
        if self._clock_us() - self._seen_us >= SEEN_US:
            await self._be_seen(pool)

    async def _guarded(self, pool: AsyncPool) -> None:
        """A fault of a rule is told, and the next cycle is another try."""
        try:
            await self._cycle(pool)
        except (StorageError, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("agent_failed", agent=self._name)
            self._error = f"{type(error).__name__}: {told(error)}"
            self._failures += 1
            self._due_us = self._clock_us() + int(TICK_S * 1e6)
            await self._be_seen(pool, failures=1)

    async def _cycle(self, pool: AsyncPool) -> None:
        traded = await traded_symbols(pool)
        if self._kind.sees == "looks":
            await self._glance(pool, traded)
        if self._clock_us() < self._due_us:
            return
        terms = await terms_in_force(pool)
        self._due_us = self._clock_us() + self._kind.cycle_s(terms) * 1_000_000
        self._sights = await sights_of(pool, traded, self._read)
        spoken = [await self._speak(pool, one, terms) for one in traded]
        spoken = await self._with_models(pool, spoken, terms)
        await self._keep(pool, spoken)
        self._error, self._seen_us = None, self._clock_us()
        self._signals += len(spoken)

    async def _glance(self, pool: AsyncPool, traded: list[Traded]) -> None:
        sights = Sights({}, await books_of(pool, [one.spec for one in traded]))
        for one in traded:
            if (sight := sights.sight_of(one.spec)) is not None:
                self._looks.add(one.symbol, sight.look)

    async def _speak(self, pool: AsyncPool, traded: Traded, terms: StrategyTerms) -> Spoken:
        view = await self._view(pool, traded, terms)
        started_s = time.perf_counter()
        signal = self._kind.rule(view, terms)
        return Spoken(view, signal, (time.perf_counter() - started_s) * 1e3)

    async def _with_models(
        self, pool: AsyncPool, spoken: list[Spoken], terms: StrategyTerms
    ) -> list[Spoken]:
        """The same as a model sees it, where one is asked and answers in time."""
        if self._gateway is None:
            return spoken
        wishes = await wishes_in_force(pool, self._gateway.wishes)
        patience_s = min(PATIENCE_S_MAX, self._kind.cycle_s(terms) / 2)

        async def heard(gateway: Gateway, one: Spoken) -> Spoken:
            if is_warming_up(one.signal):
                return one
            asked = of_signal(self._name, one.view, one.signal, terms.candle_s, wishes)
            replied = await gateway.ask(pool, asked, patience_s)
            signal = advised(one.signal, replied.answer) if replied.answer else one.signal
            return replace(one, signal=signal, use=replied.use)

        everyone = asyncio.gather(*(heard(self._gateway, one) for one in spoken))
        stay = partial(self._stay, pool)
        late = [replace(one, use=UNHEARD) for one in spoken]
        return await awaited(self._loop, everyone, patience_s + LATE_S, stay) or late

    async def _view(self, pool: AsyncPool, traded: Traded, terms: StrategyTerms) -> View:
        spec, now_us = traded.spec, self._clock_us()
        sight = self._sights.sight_of(spec)
        looks = [] if sight is None else [sight.look]
        if self._kind.sees == "looks":
            looks = list(self._looks.of.get(traded.symbol, ()))
        view = View(traded.symbol, self._sights.candles[spec.market_id], looks, now_us / 1e6)
        if self._kind.sees == "venues":
            books = self._sights.books.get(spec.base_asset, ())
            venues = await venues_of(pool, spec.market_id, books, now_us)
            view.perpetual, view.venues = venues
        if self._kind.sees == "headlines":
            since_us = now_us - int(terms.agents.sentiment.forgotten_h * 3_600e6)
            view.headlines = await headlines_of(pool, spec.base_asset, since_us)
        return view

    async def _keep(self, pool: AsyncPool, spoken: list[Spoken]) -> None:
        assert self._presence is not None
        async with unit_of_work(pool) as connection:
            await seen(connection, self._presence, signals=len(spoken))
            before = await last_actions(connection, self._name)
            given, decisions = [], []
            for one in spoken:
                symbol, signal = one.view.symbol, one.signal
                is_new = signal.action is not Action.HOLD or before.get(symbol) != "HOLD"
                is_recorded = is_new or one.has_cost
                decision_id = uuid7() if is_recorded else None
                given.append(GivenSignal(self._name, symbol, signal, self._clock_us(), decision_id))
                if decision_id is not None:
                    decisions.append(signal_decision(self._name, one, decision_id))
            await give(connection, given)
            await record(connection, decisions)

    async def _be_seen(self, pool: AsyncPool, failures: int = 0) -> None:
        assert self._presence is not None
        async with unit_of_work(pool) as connection:
            await seen(connection, self._presence, error=self._error, failures=failures)
        self._seen_us = self._clock_us()


def signal_decision(agent: str, spoken: Spoken, decision_id: UUID) -> NewDecision:
    """A signal as the decision that it is."""
    signal, view = spoken.signal, spoken.view
    return NewDecision(
        decision_id=decision_id,
        agent=agent,
        symbol=view.symbol,
        kind=Kind.SIGNAL,
        action=signal.action,
        confidence=signal.confidence,
        reasoning=signal.reasoning,
        context=dict(signal.numbers),
        asked=view.asked,
        answered=answered(signal),
        at_us=int(view.now_s * 1e6),
        latency_ms=spoken.latency_ms + (spoken.use.latency_ms if spoken.use else 0),
        embedding=view.embedding,
        use=spoken.use,
    )
