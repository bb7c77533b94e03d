"""What is read for all who listen: how agents are, what is decided, which sessions there are. Each
source is one topic's, for all of a process; what it tells of a session or a verdict is its user's
alone, and whoever listens leaves out what is another's."""

from dataclasses import replace
from typing import NamedTuple

from api.door.market_topics import Source
from api.door.stream_topics import Channel, Told, Topic
from storage.agents.agents import Agent, AgentStatus, all_agents
from storage.agents.changes import (
    LATE_MAX,
    decisions_after,
    newest_decisions,
)
from storage.agents.open_sessions import open_sessions
from storage.agents.sessions import Session
from storage.intake.session_accounts import SessionStatus
from storage.postgres.database import AsyncPool, now_us

LOOK_EVERY_S = 0.25
DECISIONS_AT_ONCE = 100
METADATA_EVERY_US = 5_000_000
"""What an agent says of itself is told so often at the most; its status at once."""


class SessionMove(NamedTuple):
    """A session that stands otherwise than before; None: it was not there."""

    session: Session
    before: SessionStatus | None


class AgentSaid(NamedTuple):
    """What was told of an agent, and when."""

    agent: Agent
    status: AgentStatus
    at_us: int


class Agents:
    """An agent whose status has changed, or what it has done."""

    every_s = LOOK_EVERY_S

    def __init__(self, pool: AsyncPool, topic: Topic) -> None:
        self._pool, self._topic = pool, topic
        self._said: dict[str, AgentSaid] | None = None

    async def read(self) -> list[Told]:
        found, at_us = await all_agents(self._pool), now_us()
        now = {one.name: AgentSaid(one, one.status(at_us), at_us) for one in found}
        before, self._said = self._said, now
        if before is None:
            return []
        news = []
        for name, said in now.items():
            if is_news(before.get(name), said):
                news.append(Told(self._topic, 0, said.agent))
            else:
                now[name] = before[name]
        return news

    def whole(self) -> Told | None:
        return None if self._said is None else Told(self._topic, 0, None, is_whole=True)

    async def after(self, sequence: int) -> list[Told] | None:
        return None


def is_news(before: AgentSaid | None, now: AgentSaid) -> bool:
    """Whether an agent is to be told of: that it is alive still is nothing new."""
    if before is None or before.status != now.status:
        return True
    return now.at_us - before.at_us >= METADATA_EVERY_US and done(before.agent) != done(now.agent)


def done(agent: Agent) -> tuple[object, ...]:
    """What an agent has done."""
    return (
        agent.started_at_us,
        agent.last_signal_us,
        agent.signals,
        agent.errors,
        agent.last_error,
    )


class Decisions:
    """Each decision once. One that was numbered before others and committed after them is told when
    it is there."""

    every_s = LOOK_EVERY_S

    def __init__(self, pool: AsyncPool, topic: Topic) -> None:
        self._pool, self._topic = pool, topic
        self._known: set[int] | None = None
        self._floor = 0

    async def read(self) -> list[Told]:
        if self._known is None:
            self._know(await newest_decisions(self._pool))
            return []
        found = await decisions_after(self._pool, self._floor, self._known, DECISIONS_AT_ONCE)
        self._know(self._known | {one.decision.seq for one in found})
        return [Told(self._topic, one.decision.seq, one) for one in found]

    def _know(self, known: set[int]) -> None:
        self._floor = max(self._floor, max(known, default=0) - LATE_MAX)
        self._known = {seq for seq in known if seq > self._floor}

    def whole(self) -> Told | None:
        return None if self._known is None else Told(self._topic, 0, None, is_whole=True)

    async def after(self, sequence: int) -> list[Told] | None:
        return None


class Sessions:
    """Sessions that have started, were paused or go on, and have stopped."""

    every_s = LOOK_EVERY_S

    def __init__(self, pool: AsyncPool, topic: Topic) -> None:
        self._pool, self._topic = pool, topic
        self._open: dict[object, Session] | None = None

    async def read(self) -> list[Told]:
        now: dict[object, Session] = {
            one.session_id: one for one in await open_sessions(self._pool)
        }
        before, self._open = self._open, now
        if before is None:
            return []
        moves = [
            SessionMove(one, before[name].status if name in before else None)
            for name, one in now.items()
            if name not in before or before[name].status != one.status
        ]
        stopped = [one for name, one in before.items() if name not in now]
        moves += [
            SessionMove(replace(one, status=SessionStatus.STOPPED), one.status) for one in stopped
        ]
        return [Told(self._topic, 0, move) for move in moves]

    def whole(self) -> Told | None:
        if self._open is None:
            return None
        return Told(self._topic, 0, list(self._open.values()), is_whole=True)

    async def after(self, sequence: int) -> list[Told] | None:
        return None


def source_of(pool: AsyncPool, topic: Topic) -> Source:
    """Who reads such a topic."""
    kinds: dict[Channel, type[Agents | Decisions | Sessions]] = {
        Channel.AGENTS: Agents,
        Channel.DECISIONS: Decisions,
        Channel.SESSIONS: Sessions,
    }
    return kinds[topic.channel](pool, topic)
