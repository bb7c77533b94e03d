"""Simulations by REST: ask for one, follow it, read its report, stop it, run it again."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.credentials.tokens import user_id_text
from api.desk import simulations as desk
from api.desk.identifiers import parse_simulation_id, simulation_id_text
from api.door.answers import milliseconds, reply, reply_page
from api.door.callers import IdempotencyKey, Trader, Viewer
from api.door.describing import documented, refusal, success
from api.door.paging import cursor_number, page_of
from api.door.report_pages import PAGE, report_page
from api.door.requesters import requester_of, scenarios_of
from api.door.routing import ExactRoute, services_of
from api.door.wire import PageAsked
from api.simulations.schemas import (
    LOG_BODY_BYTES_MAX,
    EndAsked,
    ForgottenAnswer,
    ListedAnswer,
    ProgressAnswer,
    QueuedAnswer,
    SimulationAnswer,
    SimulationSent,
    StoppedAnswer,
)
from storage.runs.simulations import SimulationView, simulations

NOBODYS_SIMULATION = 0
LARGE_BODIES = {("POST", "/simulations"): LOG_BODY_BYTES_MAX}
"""The route that takes logs, and what a body may have there."""

router = APIRouter(route_class=ExactRoute, tags=["Simulations"])

MISSING = refusal(404, "SIMULATION_NOT_FOUND", "No such simulation")
BAD_SCENARIO = refusal(
    400,
    "INVALID_SCENARIO",
    "populations[0].heads: found 0, allowed is a whole number from 1 to 10000000",
)
TOO_LARGE = refusal(
    403, "FORBIDDEN", "This scenario has 20000 traders; the role TRADER may run up to 10000"
)
FULL = refusal(
    409,
    "TOO_MANY_SIMULATIONS",
    "At most 5 of your simulations may wait or run at a time",
)
ENDED = refusal(
    409,
    "SIMULATION_ENDED",
    "The simulation is FINISHED: there is nothing to stop; forget=true removes it",
)
GONE = success(200, ForgottenAnswer)
NO_REPORT_YET = refusal(
    409,
    "SIMULATION_NOT_ENDED",
    "The simulation is RUNNING: there is a report when it has ended",
)


@router.post(
    "/simulations",
    summary="Run a scenario or a backtest",
    **documented(202, QueuedAnswer, 409, instead=BAD_SCENARIO | TOO_LARGE | FULL),
)
async def post_simulation(
    sent: SimulationSent, caller: Trader, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Queued; it runs beside the exchange, as soon as there is room. The same scenario and seed
    always come to the same `stateHash`. A scenario that is sent names no file. A droid on a pool's
    log is a simulation like any other; its steps are blocks. With a log of one's own the body may
    have four megabytes more than others."""
    named = sent.scenario if isinstance(sent.scenario, str) else None
    scenario = desk.ScenarioSent(
        named, sent.table, sent.scenario_text, sent.seed, sent.duration_s, sent.log
    )
    requester = requester_of(caller, request)
    number = await desk.request_simulation(
        scenarios_of(request), requester, scenario, idempotency_key
    )
    return reply(QueuedAnswer(simulation_id=simulation_id_text(number)), 202)


@router.get(
    "/simulations",
    summary="Simulations",
    **documented(200, ListedAnswer, many=True, cursor=True),
)
async def get_simulations(
    query: Annotated[PageAsked, Query()], caller: Viewer, request: Request
) -> Response:
    """One's own, newest first; an ADMIN sees everybody's."""
    pool, owner = services_of(request).pool, requester_of(caller, request).owner
    before = cursor_number("simulations", query.cursor)
    views = await simulations(pool, owner, before, query.limit + 1)
    page, cursor = page_of(views, query.limit, "simulations", lambda view: view.simulation_id)
    return reply_page([ListedAnswer(**fields_of(view)) for view in page], cursor)


@router.get(
    "/simulations/{simulation_id}",
    summary="Simulation",
    **documented(200, SimulationAnswer, 404, instead=MISSING),
)
async def get_simulation(simulation_id: str, caller: Viewer, request: Request) -> Response:
    """How far it is, and what came out when it has ended. A stopped one has the result of the
    steps that it took."""
    services, requester = services_of(request), requester_of(caller, request)

    async def answer() -> Response:
        view = await desk.find(services.pool, requester, number_of(simulation_id))
        return reply(SimulationAnswer(**fields_of(view), ahead=view.ahead, result=view.summary))

    return services.results.answer(requester.origin, answer)


@router.get(
    "/simulations/{simulation_id}/report",
    summary="Report",
    response_class=Response,
    **documented(200, None, 404, 409, instead=MISSING | NO_REPORT_YET | PAGE),
)
async def get_report(simulation_id: str, caller: Viewer, request: Request) -> Response:
    """409 before the end; 404 where it failed, or was stopped before its first step."""
    services, requester = services_of(request), requester_of(caller, request)

    async def answer() -> Response:
        found = await desk.find_report(services.pool, requester, number_of(simulation_id))
        return report_page(found)

    return services.reports.answer(requester.origin, answer)


@router.delete(
    "/simulations/{simulation_id}",
    summary="Stop or forget a simulation",
    **documented(202, StoppedAnswer, 404, 409, instead=MISSING | ENDED | GONE),
)
async def delete_simulation(
    simulation_id: str, query: Annotated[EndAsked, Query()], caller: Trader, request: Request
) -> Response:
    """Stop one that waits or runs: what it has so far stays, with a report. Again is the same, so
    that asking twice loses no result; one that has come to its end is 409. `forget=true` removes
    one that has ended, and is 409 before."""
    pool, requester = services_of(request).pool, requester_of(caller, request)
    number = number_of(simulation_id)
    if query.forget:
        status = await desk.forget(pool, requester, number)
        return reply(ForgottenAnswer(simulation_id=simulation_id, status=status))
    status = await desk.stop(pool, requester, number)
    return reply(StoppedAnswer(simulation_id=simulation_id, status=status), 202)


@router.post(
    "/simulations/{simulation_id}/runs",
    summary="Run again",
    **documented(202, QueuedAnswer, 404, 409, instead=TOO_LARGE | MISSING | FULL),
)
async def post_run(
    simulation_id: str, caller: Trader, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """A new simulation of the same scenario and seed: it comes to the same `stateHash`."""
    requester, number = requester_of(caller, request), number_of(simulation_id)
    number = await desk.run_again(scenarios_of(request), requester, number, idempotency_key)
    return reply(QueuedAnswer(simulation_id=simulation_id_text(number)), 202)


def number_of(simulation_id: str) -> int:
    """The id's number; that of nobody's simulation for text that names none."""
    return parse_simulation_id(simulation_id) or NOBODYS_SIMULATION


def fields_of(view: SimulationView) -> dict[str, Any]:
    """What every answer tells of a simulation."""
    rerun_of = view.rerun_of
    return {
        "simulation_id": simulation_id_text(view.simulation_id),
        "user_id": user_id_text(view.account_id),
        "scenario": view.name,
        "seed": view.seed,
        "status": view.status,
        "traders": view.traders,
        "markets": view.markets,
        "progress": progress_of(view),
        "state_hash": view.state_hash,
        "error": view.error,
        "rerun_of": simulation_id_text(rerun_of) if rerun_of is not None else None,
        "created_at": view.created_at_us // 1_000,
        "started_at": milliseconds(view.started_at_us),
        "ended_at": milliseconds(view.ended_at_us),
        "kept_until": milliseconds(view.kept_until_us),
    }


def progress_of(view: SimulationView) -> ProgressAnswer:
    """How far it is."""
    left, rate = view.steps - view.step, view.steps_per_second
    return ProgressAnswer(
        step=view.step,
        steps=view.steps,
        simulated_ms=view.step * view.step_us // 1_000,
        orders=view.orders,
        fills=view.fills,
        steps_per_second=rate,
        orders_per_second=view.orders_per_second,
        fills_per_second=view.fills_per_second,
        seconds_left=left // rate if rate and view.ended_at_us is None else None,
    )
