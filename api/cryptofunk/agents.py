"""The agents, and whether they are well."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.cryptofunk.callers import Looker
from api.cryptofunk.envelope import missing
from api.cryptofunk.spelling import instant_or_none, instant_text
from api.cryptofunk.wire import Told
from api.door.answers import example, reply_exact
from api.door.describing import documented
from api.door.routing import ExactRoute, services_of
from api.root import VERSION
from storage.agents.agents import Agent, AgentStatus, all_agents, find_agent
from storage.postgres.database import now_us

AGENT: dict[str, Any] = {
    "name": "technical-agent",
    "status": "active",
    "last_seen_at": "2025-01-15T10:30:00Z",
    "is_healthy": True,
    "metadata": {
        "version": "1.0.0",
        "type": "analysis",
        "signals_generated": 42,
        "last_signal_at": "2025-01-15T10:29:45Z",
        "errors": 0,
        "last_error": None,
        "started_at": "2025-01-15T09:00:00Z",
    },
}

router = APIRouter(route_class=ExactRoute, tags=["Agents"])


class AgentMetadata(Told):
    """What an agent has done. `last_error` is a sentence; null after a cycle that went well."""

    version: str
    type: str
    signals_generated: int
    last_signal_at: str | None
    errors: int
    last_error: str | None
    started_at: str


class AgentTold(Told):
    """An agent: active, inactive where it is paused or has been silent for 30 s, or error."""

    name: str
    status: str
    last_seen_at: str
    is_healthy: bool
    metadata: AgentMetadata


class AgentAnswer(Told):
    """An agent."""

    agent: AgentTold

    model_config = example(agent=AGENT)


class AgentsAnswer(Told):
    """All agents, by name."""

    agents: list[AgentTold]
    count: int

    model_config = example(agents=[AGENT], count=1)


class AgentStatusAnswer(Told):
    """Whether an agent is well."""

    name: str
    status: str
    last_seen_at: str
    healthy: bool

    model_config = example(
        name="technical-agent",
        status="active",
        last_seen_at="2025-01-15T10:30:00Z",
        healthy=True,
    )


@router.get("/api/v1/agents", summary="Agents", **documented(200, AgentsAnswer))
async def get_agents(caller: Looker, request: Request) -> Response:
    """All that have ever run here."""
    found = [agent_told(agent) for agent in await all_agents(services_of(request).pool)]
    return reply_exact(AgentsAnswer(agents=found, count=len(found)))


@router.get("/api/v1/agents/{name}", summary="An agent", **documented(200, AgentAnswer, 404))
async def get_agent(name: str, caller: Looker, request: Request) -> Response:
    """One of them."""
    return reply_exact(AgentAnswer(agent=agent_told(await known_agent(name, request))))


@router.get(
    "/api/v1/agents/{name}/status",
    summary="Whether an agent is well",
    **documented(200, AgentStatusAnswer, 404),
)
async def get_agent_status(name: str, caller: Looker, request: Request) -> Response:
    """The same in short."""
    told = agent_told(await known_agent(name, request))
    return reply_exact(
        AgentStatusAnswer(
            name=told.name,
            status=told.status,
            last_seen_at=told.last_seen_at,
            healthy=told.is_healthy,
        )
    )


async def known_agent(name: str, request: Request) -> Agent:
    """The agent that is called so. Raises Refused."""
    agent = await find_agent(services_of(request).pool, name)
    if agent is None:
        raise missing("agent", name=name)
    return agent


def agent_told(agent: Agent) -> AgentTold:
    """An agent as it is now."""
    status = agent.status(now_us())
    return AgentTold(
        name=agent.name,
        status=status,
        last_seen_at=instant_text(agent.last_seen_us),
        is_healthy=status == AgentStatus.ACTIVE,
        metadata=AgentMetadata(
            version=VERSION,
            type=agent.agent_type,
            signals_generated=agent.signals,
            last_signal_at=instant_or_none(agent.last_signal_us),
            errors=agent.errors,
            last_error=agent.last_error,
            started_at=instant_text(agent.started_at_us),
        ),
    )
