"""What this process counts for Prometheus. Each API process answers for itself."""

from typing import Any

from prometheus_client import Counter, Histogram
from starlette.types import Scope

REQUESTS = Counter("sandpit_http_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "sandpit_http_request_seconds",
    "Time from the request's head to the end of its answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
METHODS = frozenset({"GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"})

_children: dict[tuple[str, str, int], tuple[Any, Any]] = {}


def observe(scope: Scope, status: int, seconds: float) -> None:
    """Count one request under its route's template, so that the labels stay few."""
    route = getattr(scope.get("route"), "path", "unknown")
    method = scope["method"] if scope["method"] in METHODS else "other"
    key = (method, route, status)
    children = _children.get(key)
    if children is None:
        children = (REQUESTS.labels(method, route, str(status)), SECONDS.labels(route))
        _children[key] = children
    children[0].inc()
    children[1].observe(seconds)
