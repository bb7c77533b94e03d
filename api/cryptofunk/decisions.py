"""Decisions, those that are like one, and what they came to."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.cryptofunk.callers import Looker
from api.cryptofunk.decision_answers import (
    DecisionAnswer,
    DecisionsAnswer,
    DecisionsFilter,
    FoundAnswer,
    SimilarAnswer,
    StatisticsAnswer,
    decision_told,
    found_decision,
    similar_decision,
    statistics_answer,
    whole_decision,
)
from api.cryptofunk.decision_schemas import (
    SIMILAR_DEFAULT,
    SIMILAR_MAX,
    DecisionsAsked,
    DecisionsCounted,
    DecisionSearch,
    SimilarAsked,
)
from api.cryptofunk.envelope import INVALID_BODY, malformed, missing
from api.cryptofunk.identifiers import read_uuid
from api.cryptofunk.instants import microseconds_of, until_of
from api.cryptofunk.orders import WRONG_SESSION
from api.door.answers import reply_exact
from api.door.callers import Caller
from api.door.describing import documented
from api.door.paging import cursor_number, next_page, page_of
from api.door.routing import ExactRoute, services_of
from sim.signals.dimension import DIMENSION
from storage.agents import decisions as storage
from storage.agents.decisions import WholeDecision

WRONG_ID, WRONG_LIMIT = "invalid decision_id format", "invalid limit parameter"
LIST = "agent_decisions"
ONE_OF_BOTH = "must have either query or embedding"

router = APIRouter(route_class=ExactRoute, tags=["Agents: decisions"])


@router.get(
    "/api/v1/decisions", summary="Decisions", **documented(200, DecisionsAnswer, cursor=True)
)
async def get_decisions(
    asked: Annotated[DecisionsAsked, Query()], caller: Looker, request: Request
) -> Response:
    """Newest first. A limit below 1 is 50, one above 500 is 500. The header X-Next-Cursor is the
    `cursor` of the next page, which goes on where `offset` ends."""
    wanted = counted(asked) | {
        "outcome": asked.outcome,
        "model": asked.model,
        "agent_name": asked.agent_name,
        "session_id": session_of(asked.session_id),
    }
    wanted["before_seq"] = cursor_number(LIST, asked.cursor) if asked.cursor else None
    rows = await storage.decisions(
        services_of(request).pool, caller.user_id, wanted, asked.limit + 1, asked.offset
    )
    found, cursor = page_of(rows, asked.limit, LIST, lambda one: one.seq)
    shown = asked.model_dump(exclude_none=True, exclude={"cursor"})
    answer = DecisionsAnswer(
        decisions=[decision_told(one) for one in found],
        count=len(found),
        filter=DecisionsFilter(**shown),
    )
    return reply_exact(answer, headers=next_page(cursor))


@router.get(
    "/api/v1/decisions/stats",
    summary="What decisions came to",
    **documented(200, StatisticsAnswer),
)
async def get_decision_statistics(
    asked: Annotated[DecisionsCounted, Query()], caller: Looker, request: Request
) -> Response:
    """Of all that fit."""
    pool = services_of(request).pool
    return reply_exact(
        statistics_answer(await storage.statistics(pool, caller.user_id, counted(asked)))
    )


@router.post(
    "/api/v1/decisions/search",
    summary="Search decisions",
    **documented(200, FoundAnswer),
)
async def post_decision_search(sent: DecisionSearch, caller: Looker, request: Request) -> Response:
    """By the words of reasoning and prompt, or by a vector of market context."""
    if (sent.query is None) == (sent.embedding is None):
        raise malformed(INVALID_BODY, ONE_OF_BOTH, field="query")
    wanted = {
        "symbol": sent.symbol,
        "from_us": microseconds_of(sent.from_date, "from_date"),
        "to_us": until_of(sent.to_date, "to_date"),
    }
    pool = services_of(request).pool
    if sent.query is not None:
        found = await storage.by_words(pool, caller.user_id, sent.query, wanted, sent.limit)
    else:
        vector = vector_of(sent.embedding or [])
        found = await storage.similar(pool, caller.user_id, vector, None, wanted, sent.limit)
    results = [found_decision(*one) for one in found]
    kind = "semantic" if sent.query is None else "text"
    return reply_exact(
        FoundAnswer(results=results, count=len(results), search_type=kind, query=sent.query)
    )


@router.get(
    "/api/v1/decisions/{decision_id}", summary="A decision", **documented(200, DecisionAnswer, 404)
)
async def get_decision(decision_id: str, caller: Looker, request: Request) -> Response:
    """With what was asked and answered."""
    return reply_exact(whole_decision(await own_decision(request, caller, decision_id)))


@router.get(
    "/api/v1/decisions/{decision_id}/similar",
    summary="Decisions in a similar market",
    **documented(200, SimilarAnswer, 404),
)
async def get_similar_decisions(
    decision_id: str,
    asked: Annotated[SimilarAsked, Query()],
    caller: Looker,
    request: Request,
) -> Response:
    """Others whose market's context was most alike, of any symbol, the nearest first."""
    limit = similar_limit(asked.limit)
    whole = await own_decision(request, caller, decision_id)
    known = whole.decision.decision_id
    found = []
    if whole.embedding is not None:
        pool = services_of(request).pool
        found = await storage.similar(pool, caller.user_id, whole.embedding, known, {}, limit)
    alike = [similar_decision(*one) for one in found]
    return reply_exact(SimilarAnswer(decision_id=str(known), similar=alike, count=len(alike)))


def similar_limit(text: str | None) -> int:
    """How many; 50 at most. Raises Refused."""
    if text is None:
        return SIMILAR_DEFAULT
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= 1):
        raise malformed(WRONG_LIMIT, f"limit must be a whole number of 1 to {SIMILAR_MAX}")
    return min(int(text), SIMILAR_MAX)


def vector_of(numbers: list[float]) -> str:
    """A vector as the database reads it, which has the same cosines. Raises Refused."""
    if len(numbers) != DIMENSION:
        sentence = f"embedding must have {DIMENSION} numbers"
        raise malformed(INVALID_BODY, sentence, field="embedding")
    longest = max(map(abs, numbers))
    if not longest:
        raise malformed(INVALID_BODY, "embedding must not be all zeros", field="embedding")
    scaled = (one / longest for one in numbers)
    return f"[{','.join(map(repr, scaled))}]"


async def own_decision(request: Request, caller: Caller, text: str) -> WholeDecision:
    """A decision that the caller may see. Raises Refused."""
    found = await storage.decision(
        services_of(request).pool, caller.user_id, read_uuid(text, WRONG_ID)
    )
    if found is None:
        raise missing("decision", decision_id=text.lower())
    return found


def counted(asked: DecisionsCounted) -> dict[str, Any]:
    """What is filtered for. Raises Refused."""
    return {
        "symbol": asked.symbol,
        "kind": asked.decision_type,
        "from_us": microseconds_of(asked.from_date, "from_date"),
        "to_us": until_of(asked.to_date, "to_date"),
    }


def session_of(text: str | None) -> UUID | None:
    """A session's id, where one is named. Raises Refused."""
    return None if text is None else read_uuid(text, WRONG_SESSION)
