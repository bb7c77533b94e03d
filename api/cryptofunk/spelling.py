"""How this family's clients call what a refusal names, and write times."""

from datetime import UTC, datetime

CALLED = {
    "market_id": "symbol",
    "trigger_price": "stop_price",
    "list_markets": "GET /api/v1/config",
    "list_orders": "GET /api/v1/orders",
}


def spell(name: str) -> str:
    """A field in snake_case, work by its route, a time as text."""
    if name.startswith("@"):
        return instant_text(int(name[1:]) * 1_000)
    return f"POST /api/v1{name}" if name.startswith("/") else CALLED.get(name, name)


def instant_text(at_us: int) -> str:
    """A time as 2025-01-15T10:30:00Z: in whole seconds, as the document has them."""
    return f"{datetime.fromtimestamp(at_us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%S}Z"


def instant_or_none(at_us: int | None) -> str | None:
    """The same, where there is one."""
    return None if at_us is None else instant_text(at_us)


def duration_text(seconds: int) -> str:
    """A duration as 2h15m30s; leading parts that are zero are left out."""
    hours, rest = divmod(seconds, 3_600)
    minutes, seconds = divmod(rest, 60)
    shown = f"{hours}h" if hours else ""
    shown += f"{minutes}m" if hours or minutes else ""
    return f"{shown}{seconds}s"
