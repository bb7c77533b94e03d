"""How Flux's clients call what a refusal names: fields in camelCase, lists and work by route."""

import re

ASKED_BY = {
    "set_leverage": "PUT /leverage",
    "list_markets": "GET /markets",
    "list_orders": "GET /orders",
    "/account/reset": "POST /account/reset or POST /accounts/{accountId}/reset",
    "/orders/amend": "PATCH /orders/{orderId}",
    "forget_it": "forget=true",
}
WORD_BEGINS = re.compile(r"_([a-z0-9])")


def spell(name: str) -> str:
    """market_id is marketId, the work `/orders` is asked for by POST /orders."""
    if name.startswith("@"):
        return name[1:]
    if name.startswith("/") and name not in ASKED_BY:
        return f"POST {name}"
    return ASKED_BY.get(name) or WORD_BEGINS.sub(lambda found: found[1].upper(), name)
