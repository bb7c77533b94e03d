"""What feedback comes to, and which decisions it doubts."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.cryptofunk.callers import Looker
from api.cryptofunk.decision_answers import SHOWN as SHOWN_DECISION
from api.cryptofunk.decision_answers import DecisionTold, decision_told, rounded
from api.cryptofunk.envelope import missing
from api.cryptofunk.feedback import WRONG_ID, FeedbackSummary, FeedbackTold, told
from api.cryptofunk.identifiers import read_uuid
from api.cryptofunk.wire import Query as Asked
from api.cryptofunk.wire import Told
from api.door.answers import example, reply_exact
from api.door.describing import documented
from api.door.routing import ExactRoute, services_of
from api.door.wire import ExactDecimal, QueryNumber
from storage.agents.feedback_figures import (
    Ratings,
    doubted_decisions,
    feedback_figures,
    one_feedback,
)

REVIEW_DEFAULT, REVIEW_MAX = 20, 100
TAGS = (
    *("good_timing", "bad_timing", "wrong_direction", "too_large", "too_small"),
    *("good_reasoning", "bad_reasoning", "missed_signal", "false_signal", "risk_ignored"),
)
"""What is offered; others are taken as well."""

SUMMARY: dict[str, Any] = {"positive": 3, "negative": 1}

router = APIRouter(route_class=ExactRoute, tags=["Agents: decisions"])


class FeedbackStatisticsAnswer(Told):
    """What all feedback comes to that the asker may see. `positive_rate` of none is 0."""

    total: int
    positive: int
    negative: int
    positive_rate: ExactDecimal
    by_agent: dict[str, FeedbackSummary]
    by_decision_type: dict[str, FeedbackSummary]
    top_tags: dict[str, int]

    model_config = example(
        total=4,
        **SUMMARY,
        positive_rate=0.75,
        by_agent={"trend-agent": SUMMARY},
        by_decision_type={"signal": SUMMARY},
        top_tags={"good_timing": 2},
    )


class ReviewAsked(Asked):
    """How many."""

    limit: Annotated[QueryNumber, Field(ge=1, le=REVIEW_MAX)] = REVIEW_DEFAULT

    @property
    def rows(self) -> int:
        """The most that the answer may have."""
        return self.limit


class DoubtedDecision(Told):
    """A decision, and how many think what of it."""

    decision: DecisionTold
    summary: FeedbackSummary

    model_config = example(decision=SHOWN_DECISION, summary=SUMMARY)


class ReviewAnswer(Told):
    """Decisions that somebody thinks badly of."""

    decisions: list[DoubtedDecision]
    count: int

    model_config = example(decisions=[{"decision": SHOWN_DECISION, "summary": SUMMARY}], count=1)


class TagsAnswer(Told):
    """Tags that are offered; others are taken as well."""

    tags: list[str]
    count: int

    model_config = example(tags=list(TAGS), count=len(TAGS))


@router.get(
    "/api/v1/feedback/stats",
    summary="What feedback comes to",
    **documented(200, FeedbackStatisticsAnswer),
)
async def get_feedback_statistics(caller: Looker, request: Request) -> Response:
    """Of all decisions that the asker may see."""
    found = await feedback_figures(services_of(request).pool, caller.user_id)
    total = found.all.positive + found.all.negative
    answer = FeedbackStatisticsAnswer(
        total=total,
        positive=found.all.positive,
        negative=found.all.negative,
        positive_rate=rounded(found.all.positive / total if total else 0),
        by_agent={name: summary(one) for name, one in found.by_agent.items()},
        by_decision_type={name: summary(one) for name, one in found.by_kind.items()},
        top_tags=found.tags,
    )
    return reply_exact(answer)


@router.get(
    "/api/v1/feedback/review",
    summary="Decisions to look at again",
    **documented(200, ReviewAnswer),
)
async def get_doubted_decisions(
    asked: Annotated[ReviewAsked, Query()], caller: Looker, request: Request
) -> Response:
    """Those that most think badly of come first."""
    found = await doubted_decisions(services_of(request).pool, caller.user_id, asked.limit)
    doubted = [
        DoubtedDecision(decision=decision_told(one), summary=summary(said)) for one, said in found
    ]
    return reply_exact(ReviewAnswer(decisions=doubted, count=len(doubted)))


@router.get("/api/v1/feedback/tags", summary="Tags that are offered", **documented(200, TagsAnswer))
async def get_feedback_tags(caller: Looker) -> Response:
    """The same for everybody."""
    return reply_exact(TagsAnswer(tags=list(TAGS), count=len(TAGS)))


@router.get(
    "/api/v1/feedback/{feedback_id}", summary="Feedback", **documented(200, FeedbackTold, 404)
)
async def get_one_feedback(feedback_id: str, caller: Looker, request: Request) -> Response:
    """Of a decision that the asker may see."""
    named, pool = read_uuid(feedback_id, WRONG_ID), services_of(request).pool
    found = await one_feedback(pool, caller.user_id, named)
    if found is None:
        raise missing("feedback", feedback_id=feedback_id.lower())
    return reply_exact(told(found, caller.user_id))


def summary(ratings: Ratings) -> FeedbackSummary:
    """How many think what, as it is told."""
    return FeedbackSummary(positive=ratings.positive, negative=ratings.negative)
