"""How the trading app's clients call what a refusal names."""

from pydantic.alias_generators import to_camel

CALLED = {
    "market_id": "market",
    "trigger_price": "stopPrice",
    "list_markets": "GET /api/markets",
    "list_orders": "GET /api/orders",
}


def spell(name: str) -> str:
    """A field in camelCase, work by its route."""
    return f"POST /api{name}" if name.startswith("/") else CALLED.get(name) or to_camel(name)
