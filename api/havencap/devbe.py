"""The data service and the script runner: a closed list of readings that change nothing.

Each tells only what its caller may see, and is found by its name alone.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.door.answers import reply_exact
from api.door.callers import Operator
from api.door.describing import Door, documented
from api.door.routing import ExactRoute, invalid, read_query_pairs, services_of
from api.door.wire import Asked
from api.havencap import devbe_readings as of
from api.havencap.devbe_readings import Reader
from api.havencap.devbe_schemas import (
    DevbeAnswer,
    DroidAsked,
    GasAsked,
    PoolAsked,
    PositionAsked,
    PriceAsked,
    SignatureAsked,
    TickAsked,
    WalletAsked,
)
from api.havencap.droids import onlooker_of
from sim.refusals import Refusal, Refused

Read = Callable[[Reader, Any], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Reading:
    """What is asked, and who answers it."""

    asked: type[Asked]
    read: Read


DATA: Mapping[str, Reading] = {
    "walletSummary": Reading(WalletAsked, of.wallet_summary),
    "poolSummary": Reading(PoolAsked, of.pool_summary),
    "droidPerformance": Reading(DroidAsked, of.droid_performance),
    "gasSummary": Reading(GasAsked, of.gas_summary),
}
SCRIPTS: Mapping[str, Reading] = {
    "verifySignature": Reading(SignatureAsked, of.verified_signature),
    "priceToTick": Reading(PriceAsked, of.tick_of_price),
    "tickToPrice": Reading(TickAsked, of.price_of_tick),
    "positionValue": Reading(PositionAsked, of.position_value),
}

TICK_OF_PRICE = {"poolId": 42, "price": 2500, "tick": 198_079}
POOL_SUMMARY = {"poolId": 42, "price": 3215.5, "tick": 195_562, "blockNumber": 22_400_001}

DATA_SHOWN, SCRIPT_SHOWN = "poolSummary", "priceToTick"
"""Those that the document has an example of, each with these arguments."""

ARGUMENTS_SHOWN = {"poolId": {"example": 42}, "price": {"example": 2500}}


def asking(route: dict[str, Any], known: Mapping[str, Reading]) -> dict[str, Any]:
    """A route with the arguments of all names, of which each takes its own."""
    taken: dict[str, list[str]] = {}
    schemas: dict[str, Any] = {}
    for name, reading in known.items():
        for argument, schema in reading.asked.model_json_schema()["properties"].items():
            taken.setdefault(argument, []).append(name)
            schemas[argument] = {key: said for key, said in schema.items() if key != "title"}
    parameters = [
        {"name": argument, "in": "query", "schema": schemas[argument]}
        | {"description": f"Of {', '.join(names)}."}
        | ARGUMENTS_SHOWN.get(argument, {})
        for argument, names in taken.items()
    ]
    return route | {"openapi_extra": route["openapi_extra"] | {"parameters": parameters}}


router = APIRouter(route_class=ExactRoute, tags=["Trading app: DevBE"])


@router.get(
    "/api/devbe/data/{query_type}",
    summary="Data of DevBE",
    **asking(documented(200, DevbeAnswer, 404, opens=Door.LOGIN, example=POOL_SUMMARY), DATA),
)
async def get_devbe_data(query_type: str, caller: Operator, request: Request) -> Response:
    """walletSummary (walletId), poolSummary (poolId), droidPerformance (droidId) or gasSummary
    (walletId or droidId, from, to), with these arguments in the query."""
    return await answered(DATA, query_type, caller, request)


@router.get(
    "/api/devbe/run/{script}",
    summary="Scripts of DevBE",
    **asking(documented(200, DevbeAnswer, 404, opens=Door.LOGIN, example=TICK_OF_PRICE), SCRIPTS),
)
async def get_devbe_run(script: str, caller: Operator, request: Request) -> Response:
    """verifySignature (address, message, signature: EIP-191), priceToTick (poolId, price),
    tickToPrice (poolId, tick) or positionValue (positionId)."""
    return await answered(SCRIPTS, script, caller, request)


async def answered(
    known: Mapping[str, Reading], name: str, caller: Operator, request: Request
) -> Response:
    """What the name tells. Raises Refused where it is none, and for arguments that are not its."""
    if name not in known:
        raise Refused(Refusal.NOT_FOUND, f"No such name; there are {', '.join(known)}")
    reading = known[name]
    try:
        asked = reading.asked.model_validate(read_query_pairs(request))
    except ValidationError as error:
        raise invalid(error) from None
    told = await reading.read(Reader(services_of(request).pool, onlooker_of(caller)), asked)
    return reply_exact(DevbeAnswer(**told))
