"""A route that does nothing, to measure what everything around an order costs.

Same body, same schema, same token check as POST /orders; no database. Mounted
only where a benchmark asks for it.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.door.callers import ChosenAccount, IdempotencyKey
from api.door.routing import ExactRoute
from api.flux.order_words import wish_of
from api.flux.schemas import OrderSent

BENCH_VARIABLE = "SANDPIT_BENCH_ROUTE"

router = APIRouter(route_class=ExactRoute)


@router.post("/bench/noop", status_code=202, include_in_schema=False)
async def post_noop(
    sent: OrderSent, chosen: ChosenAccount, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Reads the order and forgets it."""
    wish_of(sent)
    return Response('{"orderId":"order_0","status":"PENDING"}', 202, media_type="application/json")
