"""What people say of decisions."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from uuid_utils.compat import uuid7

from api.cryptofunk.callers import Dealer, Looker
from api.cryptofunk.decisions import own_decision
from api.cryptofunk.envelope import missing
from api.cryptofunk.identifiers import read_uuid
from api.cryptofunk.spelling import instant_text
from api.cryptofunk.wire import Body, Page, PlainText, Told
from api.door.answers import example, reply_exact
from api.door.describing import documented
from api.door.paging import cursor_number, next_page, page_of
from api.door.routing import ExactRoute, services_of
from storage.agents import feedback as storage
from storage.agents.feedback import Feedback, Opinion

LIST = "decision_feedback"
POSITIVE, NEGATIVE = "positive", "negative"
COMMENT_MAX, TAGS_MAX, TAG_MAX = 2_000, 20, 100
WRONG_ID = "invalid feedback_id format"
SHOWN: dict[str, Any] = {
    "id": "0190a5b0-0000-7000-8000-000000000001",
    "decision_id": "123e4567-e89b-12d3-a456-426614174000",
    "rating": POSITIVE,
    "comment": "It left in time.",
    "tags": ["good_timing"],
    "is_mine": True,
    "created_at": "2025-01-15T10:30:00Z",
    "updated_at": "2025-01-15T10:30:00Z",
}

router = APIRouter(route_class=ExactRoute, tags=["Agents: decisions"])


class FeedbackSent(Body):
    """What somebody thinks of a decision."""

    rating: Literal["positive", "negative"]
    comment: Annotated[PlainText, Field(min_length=1, max_length=COMMENT_MAX)] | None = None
    tags: Annotated[
        list[Annotated[PlainText, Field(min_length=1, max_length=TAG_MAX)]],
        Field(max_length=TAGS_MAX),
    ] = Field(default_factory=list)

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"rating": POSITIVE, "comment": "In time.", "tags": ["good_timing"]}]
        }
    )

    @property
    def opinion(self) -> Opinion:
        """As it is kept."""
        return Opinion(self.rating, self.comment, self.tags)


class FeedbackAsked(Page):
    """How many."""


class FeedbackTold(Told):
    """What somebody thinks of a decision; who it is only they know."""

    id: str
    decision_id: str
    rating: str
    comment: str | None
    tags: list[str]
    is_mine: bool
    created_at: str
    updated_at: str

    model_config = example(**SHOWN)


class FeedbackSummary(Told):
    """How many think what."""

    positive: int
    negative: int


class FeedbackListAnswer(Told):
    """Feedback, newest first."""

    feedback: list[FeedbackTold]
    count: int
    summary: FeedbackSummary

    model_config = example(feedback=[SHOWN], count=1, summary={"positive": 1, "negative": 0})


class TakenBackAnswer(Told):
    """It is gone."""

    message: str

    model_config = example(message="Feedback deleted")


@router.post(
    "/api/v1/decisions/{decision_id}/feedback",
    summary="Say what a decision was worth",
    **documented(201, FeedbackTold, 404, 409),
)
async def post_feedback(
    decision_id: str, sent: FeedbackSent, caller: Dealer, request: Request
) -> Response:
    """Once of each decision."""
    known = (await own_decision(request, caller, decision_id)).decision.decision_id
    pool = services_of(request).pool
    made = await storage.give_feedback(pool, uuid7(), known, caller.user_id, sent.opinion)
    return reply_exact(told(made, caller.user_id), 201)


@router.get(
    "/api/v1/decisions/{decision_id}/feedback",
    summary="What people say of a decision",
    **documented(200, FeedbackListAnswer, 404),
)
async def get_feedback_of_decision(decision_id: str, caller: Looker, request: Request) -> Response:
    """The newest 500."""
    known = (await own_decision(request, caller, decision_id)).decision.decision_id
    found = await storage.feedback_of(services_of(request).pool, known)
    return reply_exact(listed(found, caller.user_id))


@router.get(
    "/api/v1/feedback",
    summary="What I have said of decisions",
    **documented(200, FeedbackListAnswer, cursor=True),
)
async def get_feedback(
    asked: Annotated[FeedbackAsked, Query()], caller: Looker, request: Request
) -> Response:
    """The header X-Next-Cursor is the `cursor` of the next page."""
    before, pool = cursor_number(LIST, asked.cursor), services_of(request).pool
    found = await storage.own_feedback(pool, caller.user_id, before, asked.limit + 1)
    page, cursor = page_of(found, asked.limit, LIST, lambda one: one.seq)
    return reply_exact(listed(page, caller.user_id), headers=next_page(cursor))


@router.put(
    "/api/v1/feedback/{feedback_id}",
    summary="Say something else",
    **documented(200, FeedbackTold, 404),
)
async def put_feedback(
    feedback_id: str, sent: FeedbackSent, caller: Dealer, request: Request
) -> Response:
    """In the place of what was said."""
    named = read_uuid(feedback_id, WRONG_ID)
    pool = services_of(request).pool
    changed = await storage.change_feedback(pool, named, caller.user_id, sent.opinion)
    if changed is None:
        raise missing("feedback", feedback_id=feedback_id.lower())
    return reply_exact(told(changed, caller.user_id))


@router.delete(
    "/api/v1/feedback/{feedback_id}",
    summary="Take back what I have said",
    **documented(200, TakenBackAnswer, 404),
)
async def delete_feedback(feedback_id: str, caller: Dealer, request: Request) -> Response:
    """As if it had never been said."""
    named = read_uuid(feedback_id, WRONG_ID)
    if not await storage.take_back(services_of(request).pool, named, caller.user_id):
        raise missing("feedback", feedback_id=feedback_id.lower())
    return reply_exact(TakenBackAnswer(message="Feedback deleted"))


def listed(found: Sequence[Feedback], user_id: int) -> FeedbackListAnswer:
    """A list with how many think what."""
    ratings = [one.opinion.rating for one in found]
    return FeedbackListAnswer(
        feedback=[told(one, user_id) for one in found],
        count=len(found),
        summary=FeedbackSummary(positive=ratings.count(POSITIVE), negative=ratings.count(NEGATIVE)),
    )


def told(one: Feedback, user_id: int) -> FeedbackTold:
    """What somebody thinks, to a user."""
    return FeedbackTold(
        id=str(one.feedback_id),
        decision_id=str(one.decision_id),
        rating=one.opinion.rating,
        comment=one.opinion.comment,
        tags=list(one.opinion.tags),
        is_mine=one.user_id == user_id,
        created_at=instant_text(one.created_at_us),
        updated_at=instant_text(one.updated_at_us),
    )
