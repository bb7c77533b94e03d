"""Signal agents come when their markets can be traded, one after the other: so that an exchange is
ready as soon as without them."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from actors.cluster.comings import reconciled
from actors.cluster.remote import Wanted
from storage.agents.founding import are_quoted
from storage.errors import StorageError
from storage.postgres.database import Link

AWAITED_S_MAX = 60.0
"""Markets that nobody makes have no quotes: agents come all the same."""

log = structlog.get_logger()


class AgentRoster:
    """`wanted` are all of them, in the order of coming."""

    def __init__(
        self,
        database_url: str,
        wanted: Sequence[Wanted],
        market_ids: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = Link(database_url, "agent-roster")
        self._wanted, self._market_ids = list(wanted), list(market_ids)
        self._clock = clock
        self._since: float | None = None
        self._may_come = False
        self._running: dict[str, Wanted] = {}

    def reconcile(self, cluster: Any) -> list[Wanted]:
        """See actors.cluster.comings.reconciled; one more comes each time."""
        before = self._running
        if self._is_time() and len(before) < len(self._wanted):
            newcomer = self._wanted[len(before)]
            self._running = {**before, newcomer.name: newcomer}
        return reconciled(cluster, self._running, before, over=())

    def names(self) -> list[str]:
        """Those that have come."""
        return list(self._running)

    def close(self) -> None:
        """Give the connection back."""
        self._link.close()

    def _is_time(self) -> bool:
        if self._since is None:
            self._since = self._clock()
        if not self._may_come:
            self._may_come = self._are_quoted() or self._clock() - self._since > AWAITED_S_MAX
        return self._may_come

    def _are_quoted(self) -> bool:
        try:
            return are_quoted(self._link(), self._market_ids)
        except StorageError as error:
            log.warning("agents_wait", error=str(error))
            return False
