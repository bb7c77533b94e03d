"""What this process counts for Prometheus. Each API process answers for itself."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from prometheus_client import Counter, Gauge, Histogram, generate_latest
from starlette.types import Scope

from storage.errors import StorageError
from storage.postgres.database import AsyncPool, now_us
from storage.reading.audit_readings import NAMES, read_audit
from storage.reading.market_data import market_halts
from storage.runs.simulations import SimulationStatus, count_under_way
from storage.upkeep.notes import upkeep

REQUESTS = Counter("sandpit_http_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "sandpit_http_request_seconds",
    "Time from the request's head to the end of its answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
SIMULATIONS = Gauge("sandpit_simulations", "Simulations under way, of all processes", ["status"])
HALTED = Gauge("sandpit_market_halted", "1 where the market is halted", ["market"])
PRUNED_AT = Gauge(
    "sandpit_pruned_at_seconds", "When the database was last pruned, since 1970; 0 for never"
)
UPKEEP_FAILURES = Gauge(
    "sandpit_upkeep_failures", "Failures in a row of packing and pruning the database"
)
UNDER_WAY = (SimulationStatus.QUEUED, SimulationStatus.RUNNING, SimulationStatus.STOPPING)
COUNT_S_MAX = 0.5
"""For each look into the database."""

TEXT_S_MAX = 1.0
"""How old the text may be."""

MICROSECONDS = "_us"
AUDIT = {
    name: Gauge(f"sandpit_audit_{name.replace(MICROSECONDS, '_seconds')}", about, ["market"])
    for name, about in NAMES.items()
}
METHODS = frozenset({"GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"})

_NO_TEXT_S = float("-inf")

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


class Metrics:
    """The text for Prometheus. Whoever asks again soon gets the same: making it costs four looks
    into the database and milliseconds of this process, and many may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._made_at_s = _NO_TEXT_S
        self._text = b""
        self._making = asyncio.Lock()

    async def text(self, pool: AsyncPool) -> bytes:
        """At most TEXT_S_MAX old; those who ask while it is made wait for it."""
        async with self._making:
            if self._clock() - self._made_at_s >= TEXT_S_MAX:
                self._text = await _made(pool)
                self._made_at_s = self._clock()
            return self._text


async def _made(pool: AsyncPool) -> bytes:
    await observe_simulations(pool)
    await observe_markets(pool)
    await observe_audit(pool)
    await observe_upkeep(pool)
    return generate_latest()


async def observe_audit(pool: AsyncPool) -> None:
    """Show what the auditor has read last; while the database is away, nothing is said."""
    try:
        audit = await asyncio.wait_for(read_audit(pool, now_us()), COUNT_S_MAX)
    except (StorageError, TimeoutError):
        for gauge in AUDIT.values():
            gauge.clear()
        return
    for reading in audit.readings:
        if reading.name in AUDIT:
            unit = 1e6 if reading.name.endswith(MICROSECONDS) else 1
            AUDIT[reading.name].labels(reading.market_id).set(reading.value / unit)


async def observe_simulations(pool: AsyncPool) -> None:
    """Count what waits and runs at this moment; while the database is away, nothing is said."""
    try:
        counts = await asyncio.wait_for(count_under_way(pool), COUNT_S_MAX)
    except (StorageError, TimeoutError):
        SIMULATIONS.clear()
        return
    for status in UNDER_WAY:
        SIMULATIONS.labels(status).set(counts.get(status, 0))


async def observe_markets(pool: AsyncPool) -> None:
    """Which markets are halted at this moment; while the database is away, nothing is said."""
    try:
        halts = await asyncio.wait_for(market_halts(pool), COUNT_S_MAX)
    except (StorageError, TimeoutError):
        HALTED.clear()
        return
    for market_id, is_halted in halts.items():
        HALTED.labels(market_id).set(is_halted)


async def observe_upkeep(pool: AsyncPool) -> None:
    """Tell how pruning goes; while the database is away, the last that was known."""
    try:
        found = await asyncio.wait_for(upkeep(pool), COUNT_S_MAX)
    except (StorageError, TimeoutError):
        return
    PRUNED_AT.set(found.pruned_at_us / 1e6)
    UPKEEP_FAILURES.set(found.failures)
