"""How the trading app's clients call what a refusal names, and write times."""

from datetime import UTC, datetime

from pydantic.alias_generators import to_camel

CALLED = {
    "market_id": "market",
    "trigger_price": "stopPrice",
    "list_markets": "GET /api/markets",
    "list_orders": "GET /api/orders",
}


def spell(name: str) -> str:
    """A field in camelCase, work by its route, a time as text."""
    if name.startswith("@"):
        return iso_milliseconds(int(name[1:]) * 1_000)
    return f"POST /api{name}" if name.startswith("/") else CALLED.get(name) or to_camel(name)


def iso_milliseconds(at_us: int) -> str:
    """A time as 2026-05-01T09:00:00.000Z."""
    at = datetime.fromtimestamp(at_us // 1_000_000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_us // 1_000 % 1_000:03d}Z"


def iso_seconds(at_s: int) -> str:
    """A time as 2026-05-01T09:00:00Z."""
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%S}Z"
