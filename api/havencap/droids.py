"""Droids: made and run by OPERATORs, seen by their owners and by ADMINs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.desk import droids as desk
from api.desk.identifiers import parse_number
from api.door.answers import reply_exact
from api.door.callers import AccountOperator, Caller, IdempotencyKey, Operator, Viewer, with_role
from api.door.describing import Door, documented
from api.door.paging import cursor_number, next_page, page_of
from api.door.routing import ExactRoute, services_of
from api.door.wire import PageAsked
from api.havencap.droid_answers import (
    ActiveAnswer,
    DroidAccountsAnswer,
    DroidAnswer,
    DroidChangedAnswer,
    DroidCreatedAnswer,
    DroidsAnswer,
    HistoryAnswer,
    PoolsAnswer,
    ShownAccount,
)
from api.havencap.droid_schemas import ActiveSent, DroidChange, DroidsAsked, DroidSent
from api.havencap.droid_telling import (
    changed_fields,
    history_entry,
    shown_bot,
    shown_droid,
    shown_figures,
    shown_pool,
    shown_session,
)
from sim.chain.known_pools import POOLS
from sim.droid.config import ConfigRefused
from sim.droid.spelling import SPELLED, sentence
from sim.droid.states import Active
from sim.refusals import Refusal, Refused
from sim.roles import Role
from storage.droids import readings, rows
from storage.droids.rows import Droid, Onlooker

DROIDS, ACCOUNTS, BOTS, HISTORY = "droids", "droid_accounts", "bots", "droid_history"
NOBODYS_DROID = 0
OF_ADMINS = frozenset({Active.RESET, Active.CLOSE})

router = APIRouter(route_class=ExactRoute, tags=["Trading app: droids"])


@router.get(
    "/api/droids",
    summary="My droids",
    **documented(200, DroidsAnswer, cursor=True, opens=Door.LOGIN_OR_KEY),
)
async def get_droids(
    asked: Annotated[DroidsAsked, Query()], caller: Viewer, request: Request
) -> Response:
    """Newest first; ADMINs see everybody's."""
    page, cursor = await page_of_droids(DROIDS, asked, caller, request)
    figures = await readings.figures(services_of(request).pool, [one.droid_id for one in page])
    shown = [shown_droid(one, figures.get(one.droid_id, {})) for one in page]
    return reply_exact(DroidsAnswer(droids=shown), headers=next_page(cursor))


@router.post(
    "/api/droids",
    summary="Make a droid",
    **documented(201, DroidCreatedAnswer, 404, 409, opens=Door.LOGIN),
)
async def post_droid(
    sent: DroidSent,
    caller: AccountOperator,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """It does nothing and costs nothing until it is run. The account that the request chooses pays
    for it then, and gets back what is left."""
    pool = services_of(request).pool
    with in_app_words():
        droid_id = await desk.create(pool, caller, sent.pool_id, sent.given, idempotency_key)
    return reply_exact(DroidCreatedAnswer(id=droid_id), 201)


@router.get(
    "/api/droids/accounts",
    summary="Wallets of my droids",
    **documented(200, DroidAccountsAnswer, cursor=True, opens=Door.LOGIN_OR_KEY),
)
async def get_droid_accounts(
    asked: Annotated[DroidsAsked, Query()], caller: Viewer, request: Request
) -> Response:
    """Each droid has one, by its own id."""
    page, cursor = await page_of_droids(ACCOUNTS, asked, caller, request)
    answer = DroidAccountsAnswer(accounts=[ShownAccount(id=one.droid_id) for one in page])
    return reply_exact(answer, headers=next_page(cursor))


@router.get(
    "/api/droids/pools",
    summary="Pools",
    **documented(200, PoolsAnswer, opens=Door.LOGIN_OR_KEY),
)
async def get_droid_pools(caller: Viewer, request: Request) -> Response:
    """Where droids may work."""
    now = await readings.pools(services_of(request).pool)
    shown = [shown_pool(pool, now.get(pool_id)) for pool_id, pool in POOLS.items()]
    return reply_exact(PoolsAnswer(pools=shown))


@router.get(
    "/api/droids/{droid_id}",
    summary="My droid",
    **documented(200, DroidAnswer, 404, cursor=True, opens=Door.LOGIN_OR_KEY),
)
async def get_droid(
    droid_id: str, asked: Annotated[PageAsked, Query()], caller: Viewer, request: Request
) -> Response:
    """With its newest sessions; `limit` and `cursor` page through its positions."""
    pool, number = services_of(request).pool, number_of(droid_id)
    before_id = cursor_number(BOTS, asked.cursor)
    droid = await rows.find(pool, onlooker_of(caller), number)
    sessions = await readings.sessions(pool, number)
    figures = sessions[0].figures if sessions else None
    found = await readings.bots(pool, number, before_id, asked.limit + 1)
    bots, cursor = page_of(found, asked.limit, BOTS, lambda bot: bot.bot_id)
    now = await readings.pool_now(pool, droid.pool_id)
    answer = DroidAnswer(
        droid=shown_droid(droid, figures or {}),
        sessions=[shown_session(one) for one in sessions],
        bots=[shown_bot(one, droid.pool.terms, now) for one in bots],
        figures=None if figures is None else shown_figures(figures),
    )
    return reply_exact(answer, headers=next_page(cursor))


@router.patch(
    "/api/droids/{droid_id}/active",
    summary="Run, pause, reset or close my droid",
    **documented(200, ActiveAnswer, 404, 409, opens=Door.LOGIN),
)
async def patch_droid_active(
    sent: ActiveSent, caller: Operator, droid_id: str, request: Request
) -> Response:
    """1 runs it: at first its funding in the pool's quote asset, and ETH for gas, go from its
    owner's account to the chain. 0 pauses it. ADMINs may reset it (2), which then reads 1, or close
    all its positions and get the money back (3)."""
    wanted, services = Active(sent.active), services_of(request)
    if wanted in OF_ADMINS:
        with_role(caller, Role.ADMIN)
    droid = await desk.set_active(
        services.pool,
        onlooker_of(caller),
        number_of(droid_id),
        wanted,
        services.settings.droid_gas_atoms,
    )
    return reply_exact(ActiveAnswer(id=droid.droid_id, active=droid.active))


@router.patch(
    "/api/droids/{droid_id}/config",
    summary="Change my droid",
    **documented(200, DroidChangedAnswer, 404, opens=Door.LOGIN),
)
async def patch_droid_config(
    sent: DroidChange, caller: Operator, droid_id: str, request: Request
) -> Response:
    """With what is not sent it must be a droid that could be made. While a session is open, more
    funding is taken from the account at once."""
    if not sent.given:
        raise Refused(Refusal.INVALID_REQUEST, "Say what changes, such as maxBots")
    pool, onlooker = services_of(request).pool, onlooker_of(caller)
    with in_app_words():
        droid = await desk.change_config(pool, onlooker, number_of(droid_id), sent.given)
    changed = changed_fields(droid.config, sent.given)
    outside = {SPELLED[name]: value for name, value in changed.items()}
    return reply_exact(DroidChangedAnswer(id=droid.droid_id, **outside))


@router.get(
    "/api/droids/{droid_id}/history",
    summary="How my droid stood",
    **documented(200, HistoryAnswer, 404, cursor=True, opens=Door.LOGIN_OR_KEY),
)
async def get_droid_history(
    droid_id: str, asked: Annotated[PageAsked, Query()], caller: Viewer, request: Request
) -> Response:
    """Newest first: when a session began, after each plan, and every full hour."""
    pool, number = services_of(request).pool, number_of(droid_id)
    before_id = cursor_number(HISTORY, asked.cursor)
    await rows.find(pool, onlooker_of(caller), number)
    found = await readings.history(pool, number, before_id, asked.limit + 1)
    page, cursor = page_of(found, asked.limit, HISTORY, lambda row: row.history_id)
    answer = HistoryAnswer(history=[history_entry(row) for row in page])
    return reply_exact(answer, headers=next_page(cursor))


async def page_of_droids(
    name: str, asked: PageAsked, caller: Caller, request: Request
) -> tuple[list[Droid], str | None]:
    """A page of the droids that the caller sees, in the list `name`."""
    before_id = cursor_number(name, asked.cursor)
    pool = services_of(request).pool
    found = await rows.droids(pool, onlooker_of(caller), before_id, asked.limit + 1)
    page, cursor = page_of(found, asked.limit, name, lambda droid: droid.droid_id)
    return list(page), cursor


def onlooker_of(caller: Caller) -> Onlooker:
    """Whose droids the caller sees."""
    return Onlooker(caller.user_id, caller.role.at_least(Role.ADMIN))


def number_of(droid_id: str) -> int:
    """The droid's number; that of nobody's for text that is none."""
    return parse_number(droid_id) or NOBODYS_DROID


@contextmanager
def in_app_words() -> Iterator[None]:
    """Raises Refused for what is wrong with a config, with fields called as clients call them."""
    try:
        yield
    except ConfigRefused as refused:
        sentences = map(sentence, refused.faults)
        raise Refused(Refusal.INVALID_REQUEST, "; ".join(sentences)) from None
