"""Strategies on history: run, follow, cancel, delete."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.cryptofunk.backtest_answers import (
    CANCELLED,
    DELETED,
    QUEUED,
    BacktestAnswer,
    BacktestEndedAnswer,
    BacktestQueuedAnswer,
    BacktestsAnswer,
    backtest_told,
    whole_backtest,
)
from api.cryptofunk.backtest_reading import read_request, told_scenario
from api.cryptofunk.backtest_schemas import BacktestReportAsked, BacktestsAsked, BacktestSent
from api.cryptofunk.callers import Dealer, Looker
from api.cryptofunk.envelope import missing
from api.cryptofunk.identifiers import read_uuid
from api.cryptofunk.symbols import listing_of
from api.desk import agent_backtests as desk
from api.desk.simulations import find_report
from api.door.answers import reply_exact
from api.door.callers import IdempotencyKey
from api.door.describing import documented
from api.door.report_pages import PAGE, report_page
from api.door.requesters import requester_of, scenarios_of
from api.door.routing import ExactRoute, services_of
from storage.runs.agent_backtests import BacktestStatus, own_backtest, own_backtests

WRONG_BACKTEST = "invalid backtest_id format"

router = APIRouter(route_class=ExactRoute, tags=["Agents: backtests"])


@router.post(
    "/api/v1/backtest/run",
    summary="Run a backtest",
    **documented(202, BacktestQueuedAnswer, 409),
)
async def post_backtest(
    sent: BacktestSent,
    caller: Dealer,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """A strategy on the exchange's own candles, or on a scenario that ships, by the rules that
    sessions trade by and through the same engine: its orders move the book. It waits among the
    simulations; each combination of `parameter_grid` is one."""
    plan = await read_request(sent, request)
    with told_scenario():
        requester = requester_of(caller, request)
        backtest_id = await desk.run(scenarios_of(request), requester, plan, idempotency_key)
    answer = BacktestQueuedAnswer(
        id=str(backtest_id), status=BacktestStatus.PENDING, message=QUEUED
    )
    return reply_exact(answer, 202)


@router.get("/api/v1/backtest", summary="Backtests", **documented(200, BacktestsAnswer))
async def get_backtests(
    asked: Annotated[BacktestsAsked, Query()], caller: Looker, request: Request
) -> Response:
    """One's own, newest first, each with the best of its combinations."""
    pool = services_of(request).pool
    found, total = await own_backtests(pool, caller.user_id, asked.limit, asked.offset)
    answer = BacktestsAnswer(
        backtests=[backtest_told(one) for one in found],
        count=len(found),
        total=total,
        limit=asked.limit,
        offset=asked.offset,
    )
    return reply_exact(answer)


@router.get(
    "/api/v1/backtest/{backtest_id}",
    summary="A backtest",
    **documented(200, BacktestAnswer, 404),
)
async def get_backtest(backtest_id: str, caller: Looker, request: Request) -> Response:
    """How far it is, and of each combination what came out."""
    services, requester = services_of(request), requester_of(caller, request)

    async def answer() -> Response:
        named = read_uuid(backtest_id, WRONG_BACKTEST)
        found = await own_backtest(services.pool, named, caller.user_id)
        return reply_exact(whole_backtest(found, await listing_of(request)))

    return services.results.answer(requester.origin, answer)


@router.get(
    "/api/v1/backtest/{backtest_id}/report",
    summary="Report of a backtest",
    response_class=Response,
    **documented(200, None, 404, 409, instead=PAGE),
)
async def get_backtest_report(
    backtest_id: str,
    asked: Annotated[BacktestReportAsked, Query()],
    caller: Looker,
    request: Request,
) -> Response:
    """A combination's simulation as a page. 409 before its end; 404 where it failed, or was
    cancelled before its first step."""
    services, requester = services_of(request), requester_of(caller, request)

    async def answer() -> Response:
        named = read_uuid(backtest_id, WRONG_BACKTEST)
        found = await own_backtest(services.pool, named, caller.user_id)
        for run in found.runs:
            if run.place == asked.combination:
                number = run.simulation_id
                return report_page(await find_report(services.pool, requester, number))
        raise missing("combination", backtest_id=str(named))

    return services.reports.answer(requester.origin, answer)


@router.post(
    "/api/v1/backtest/{backtest_id}/cancel",
    summary="Cancel a backtest",
    **documented(200, BacktestEndedAnswer, 404, 409),
)
async def post_backtest_cancel(backtest_id: str, caller: Dealer, request: Request) -> Response:
    """What waits of it is not run; what runs ends within a second, and tells what it came to until
    then. 409 where it has ended."""
    named = read_uuid(backtest_id, WRONG_BACKTEST)
    await desk.cancel(services_of(request).pool, named, caller.user_id)
    status = BacktestStatus.CANCELLED
    return reply_exact(BacktestEndedAnswer(id=str(named), status=status, message=CANCELLED))


@router.delete(
    "/api/v1/backtest/{backtest_id}",
    summary="Delete a backtest",
    **documented(200, BacktestEndedAnswer, 404, 409),
)
async def delete_backtest(backtest_id: str, caller: Dealer, request: Request) -> Response:
    """With all it left, its simulations too. 409 before it has ended."""
    named = read_uuid(backtest_id, WRONG_BACKTEST)
    found = await desk.delete(services_of(request).pool, named, caller.user_id)
    return reply_exact(BacktestEndedAnswer(id=str(named), status=found.status, message=DELETED))
