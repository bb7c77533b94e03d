"""Part of `sandpit bench agents`: how long agents and the orchestrator take for a cycle."""

import asyncio
import time
from collections.abc import Awaitable, Iterator, Sequence

from actors.bench.agents_house import SymbolsHouse
from actors.bench.orders import percentile
from actors.bench.simulate_peers import Extent, Line
from actors.live.agents import SignalAgent
from actors.live.orchestrator import Orchestrator
from actors.live.risk_agent import Case, Judged
from sim.signals.agents import AGENTS
from sim.signals.risk import judge
from sim.signals.terms import StrategyTerms
from storage.intake.accept_state import OpenOrdersMax
from storage.postgres.database import AsyncPool, open_pool
from storage.servers.embedded import EmbeddedPostgres

SYMBOLS, ROUNDS, ROUNDS_MIN = (2, 50), 40, 2
ROUND_S = 600.0
"""Of the house's time: longer than any agent's cycle, shorter than two of the longest's."""

AIM_MS = 50.0
CONNECTIONS = 3
NO_LIMIT = OpenOrdersMax(1_000_000, 1_000_000)


class Judge:
    """The risk agent without its process."""

    def verdicts(self, cases: Sequence[Case], patience_s: float) -> list[Judged]:
        return [Judged(judge(one.proposal, one.account, one.spec, one.terms)) for one in cases]


class Cycles:
    """All that look, each a cycle a round; `seconds` by who they were of."""

    def __init__(self, house: SymbolsHouse) -> None:
        self._house, engine = house, house.urls.engine
        self._agents = {name: SignalAgent(name, engine, house.clock_us) for name in AGENTS}
        self._orchestrator = Orchestrator(engine, Judge(), NO_LIMIT, house.clock_us)
        self.agents_s: dict[str, list[float]] = {name: [] for name in AGENTS}
        self.votes_s: list[float] = []

    async def run(self, rounds: int) -> None:
        """So many, after one that is not counted."""
        pool = await open_pool(self._house.urls.engine, CONNECTIONS)
        try:
            await self._house.start_sessions()
            for number in range(rounds + 1):
                await self._round(pool, is_counted=number > 0)
        finally:
            await pool.close()

    async def _round(self, pool: AsyncPool, is_counted: bool) -> None:
        self._house.later(ROUND_S)
        for name, agent in self._agents.items():
            seconds = await timed(agent.look(pool))
            if is_counted:
                self.agents_s[name].append(seconds)
        seconds = await timed(self._orchestrator.decide(pool, StrategyTerms()))
        if is_counted:
            self.votes_s.append(seconds)


async def timed(work: Awaitable[None]) -> float:
    """Seconds of a wall clock."""
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


def cycles(
    postgres: EmbeddedPostgres, extent: Extent, numbers: Sequence[int] = SYMBOLS
) -> Iterator[Line]:
    """Every agent's look at all symbols with what it writes, and the orchestrator's vote with the
    verdicts on a session of each symbol, beside a deployment whose markets are traded in."""
    for symbols in numbers:
        house = SymbolsHouse(postgres, symbols, seed=symbols)
        found = Cycles(house)
        asyncio.run(found.run(extent.of(ROUNDS, ROUNDS_MIN)))
        verdicts = house.count("decisions WHERE kind = 'risk_approval'")
        house.close()
        slowest = max(found.agents_s, key=lambda name: percentile(found.agents_s[name], 95))
        everybody = [one for of_agent in found.agents_s.values() for one in of_agent]
        yield from spread(f"an agent's cycle, {symbols} symbols", everybody)
        yield from spread(f"the {slowest}'s", found.agents_s[slowest])
        yield from spread(f"the vote, {symbols} symbols", found.votes_s, f"{verdicts} verdicts")


def spread(what: str, seconds: list[float], note: str = "") -> Iterator[Line]:
    """Median and 95th percentile."""
    half, most = (1e3 * percentile(seconds, percent) for percent in (50, 95))
    yield Line("cycle", f"{what}, p50", "ms", half)
    aim = f"≤ {AIM_MS:g} ms"
    yield Line("cycle", f"{what}, p95", "ms", most, aim=aim, met=most <= AIM_MS, note=note)
