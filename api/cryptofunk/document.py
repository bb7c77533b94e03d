"""What the document says of this family beside the schemas."""

from api.cryptofunk.backtest_answers import BACKTEST_ID
from api.cryptofunk.backtests import WRONG_BACKTEST
from api.cryptofunk.config import NOTHING_CHANGES
from api.cryptofunk.decisions import WRONG_ID
from api.cryptofunk.envelope import FAILED, INVALID_BODY, error_body
from api.cryptofunk.field_descriptions import FIELDS
from api.cryptofunk.orders import NO_PRICE, NOT_CANCELLABLE, WRONG_ORDER, WRONG_SESSION
from api.cryptofunk.strategy_texts import TEXT_BYTES_MAX, TEXT_NAMES
from api.cryptofunk.wire import Told
from api.door.answers import example
from api.door.content_type import NOT_JSON, not_called
from api.door.errors import NO_SUCH_PATH
from api.door.openapi import Words
from api.door.refusal_examples import Errors, Example
from api.door.statuses import STATUSES

UUID = "123e4567-e89b-12d3-a456-426614174000"


class AgentsErrorAnswer(Told):
    """What is wrong in a few words, and where it helps in a sentence, with the field."""

    error: str
    details: str | None = None
    field: str | None = None

    model_config = example(error=INVALID_BODY, details=NO_PRICE)


USUAL: dict[int, tuple[str, str, str]] = {
    400: ("The request is not valid", INVALID_BODY, "quantity: is missing"),
    401: (
        "Who asks is not known",
        "authentication required",
        "A bearer token or an API key is needed",
    ),
    403: ("The role does not suffice", "forbidden", "The role VIEWER may not do this"),
    404: ("There is no such thing, or not for you", "not found", NO_SUCH_PATH),
    409: (
        "Not in this state",
        "idempotency key reused",
        "This Idempotency-Key was used before for another request",
    ),
    413: (
        "The body is too large",
        "request body too large",
        "A body may have at most 65536 bytes",
    ),
    415: ("The body is not called JSON", "unsupported media type", NOT_JSON),
    429: (
        "Too many requests",
        "rate limit exceeded",
        "At most 200 requests in 1 s are allowed; try again in 1 s",
    ),
    500: ("Our fault", "internal server error", "Something went wrong on our side"),
    503: (
        "Try again after Retry-After",
        "service unavailable",
        "The exchange's database is away; try again shortly",
    ),
}

ERRORS = Errors(AgentsErrorAnswer, error_body, STATUSES, USUAL)

TAGS = {
    "Agents": "Signal agents, and whether they are well.",
    "Agents: trading": "Orders and positions by symbol, in JSON numbers.",
    "Agents: sessions": "Paper runs, each by an account of its own.",
    "Agents: decisions": "What was decided, why, and what became of it.",
    "Agents: strategies": "What the agents go by: parameters, weights, limits of risk.",
    "Agents: backtests": "Strategies on the exchange's own history, or on a simulation.",
}

OPERATION_IDS = {
    "get_agent_orders": "getAgentOrders",
    "post_agent_order": "placeAgentOrder",
    "get_agent_order": "getAgentOrder",
    "delete_agent_order": "cancelAgentOrder",
    "post_session_start": "startSession",
    "post_session_stop": "stopSession",
    "post_session_pause": "pauseSession",
    "post_session_resume": "resumeSession",
    "get_decision_statistics": "getDecisionStatistics",
    "post_decision_search": "searchDecisions",
    "patch_config": "changeConfig",
    "post_feedback": "giveFeedback",
    "put_feedback": "changeFeedback",
    "delete_feedback": "takeFeedbackBack",
    "get_feedback_statistics": "getFeedbackStatistics",
    "get_doubted_decisions": "getDoubtedDecisions",
    "put_strategy": "replaceStrategy",
    "get_strategy_file": "exportStrategy",
    "post_strategy_file": "exportSentStrategy",
    "post_strategy_import": "importStrategy",
    "post_strategy_check": "validateStrategy",
    "post_strategy_clone": "cloneStrategy",
    "post_strategy_merge": "mergeStrategies",
    "post_default_strategy": "makeDefaultStrategy",
    "get_audit": "getAgentsAudit",
    "post_backtest": "runBacktest",
    "post_backtest_cancel": "cancelBacktest",
}

NO_SESSION: Example = ("session not found", "", {"session_id": UUID})
NO_ORDER: Example = ("order not found", "", {"order_id": UUID})
NO_BACKTEST: Example = ("backtest not found", "", {"backtest_id": BACKTEST_ID})
NO_DECISION: Example = ("decision not found", "", {"decision_id": UUID})
NO_FEEDBACK: Example = ("feedback not found", "", {"feedback_id": UUID})
UNKNOWN = "voting.wisdom is not known."
WRONG_STRATEGY: Example = (
    FAILED,
    UNKNOWN,
    {"field": "voting.wisdom", "errors": [{"field": "voting.wisdom", "message": UNKNOWN}]},
)
LATE = "end_date: must not be before start_date"
WRONG_DAYS: Example = (
    FAILED,
    LATE,
    {"field": "end_date", "errors": [{"field": "end_date", "message": LATE}]},
)
QUEUE_FULL: Example = (
    "too many simulations",
    "At most 5 of your simulations may wait or run at a time",
    {},
)
TOO_LARGE: Example = (
    "forbidden",
    "This scenario has 1200000000 traders and orders × steps; the role TRADER may run up to"
    " 1000000000",
    {},
)
NO_TEXT: Example = ("unsupported media type", not_called(TEXT_NAMES), {})
NO_LARGER: Example = (
    "request body too large",
    f"A body may have at most {TEXT_BYTES_MAX} bytes",
    {},
)
EXAMPLES: dict[str, dict[int, Example]] = {
    "getAgentOrder": {400: (WRONG_ORDER, "", {}), 404: NO_ORDER},
    "cancelAgentOrder": {400: (NOT_CANCELLABLE, "", {"status": "FILLED"}), 404: NO_ORDER},
    "placeAgentOrder": {400: (INVALID_BODY, NO_PRICE, {"field": "price"}), 404: NO_SESSION},
    "getAgentOrders": {400: (WRONG_SESSION, "", {}), 404: NO_SESSION},
    "getAgentPositions": {400: (WRONG_SESSION, "", {}), 404: NO_SESSION},
    "getAgentPosition": {
        400: (WRONG_SESSION, "", {}),
        404: ("position not found", "", {"symbol": "BTC/USDT"}),
    },
    "getAgent": {404: ("agent not found", "", {"name": "technical-agent"})},
    "getAgentStatus": {404: ("agent not found", "", {"name": "technical-agent"})},
    "getDecision": {400: (WRONG_ID, "", {}), 404: NO_DECISION},
    "getSimilarDecisions": {400: (WRONG_ID, "", {}), 404: NO_DECISION},
    "giveFeedback": {
        404: NO_DECISION,
        409: (
            "feedback already exists",
            "Change the feedback that is there",
            {"decision_id": UUID},
        ),
    },
    "getFeedbackOfDecision": {404: NO_DECISION},
    "getOneFeedback": {404: NO_FEEDBACK},
    "changeFeedback": {404: NO_FEEDBACK},
    "takeFeedbackBack": {404: NO_FEEDBACK},
    "changeConfig": {400: (NOTHING_CHANGES, "", {})},
    "replaceStrategy": {400: WRONG_STRATEGY, 415: NO_TEXT},
    "importStrategy": {400: WRONG_STRATEGY, 413: NO_LARGER, 415: NO_TEXT},
    "validateStrategy": {415: NO_TEXT},
    "cloneStrategy": {400: WRONG_STRATEGY},
    "mergeStrategies": {400: WRONG_STRATEGY},
    "stopSession": {404: NO_SESSION},
    "pauseSession": {404: NO_SESSION},
    "resumeSession": {404: NO_SESSION},
    "runBacktest": {400: WRONG_DAYS, 403: TOO_LARGE, 409: QUEUE_FULL},
    "getBacktest": {400: (WRONG_BACKTEST, "", {}), 404: NO_BACKTEST},
    "getBacktestReport": {
        400: (WRONG_BACKTEST, "", {}),
        404: NO_BACKTEST,
        409: (
            "simulation not ended",
            "The simulation is RUNNING: there is a report when it has ended",
            {"status": "RUNNING"},
        ),
    },
    "cancelBacktest": {
        400: (WRONG_BACKTEST, "", {}),
        404: NO_BACKTEST,
        409: (
            "backtest cannot be cancelled",
            "The backtest is completed",
            {"backtest_id": BACKTEST_ID, "status": "completed"},
        ),
    },
    "deleteBacktest": {
        400: (WRONG_BACKTEST, "", {}),
        404: NO_BACKTEST,
        409: (
            "backtest cannot be deleted",
            "The backtest is running: cancel it first",
            {"backtest_id": BACKTEST_ID, "status": "running"},
        ),
    },
    "getSession": {400: (WRONG_SESSION, "", {}), 404: NO_SESSION},
}

PARTS_OF_PATHS = {
    "symbol": "BTC/USDT",
    "name": "technical-agent",
    "session_id": UUID,
    "decision_id": UUID,
    "feedback_id": UUID,
    "backtest_id": BACKTEST_ID,
}

WORDS = Words(
    "api.cryptofunk",
    FIELDS,
    EXAMPLES,
    tags=TAGS,
    operation_ids=OPERATION_IDS,
    parts_of_paths=PARTS_OF_PATHS,
)
