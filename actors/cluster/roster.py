"""Actors that come and go with droids: one for each that runs, none for those that do not."""

from collections.abc import Sequence
from typing import Any

import structlog

from actors.cluster.comings import Comings, reconciled
from actors.cluster.remote import Wanted
from actors.live.droid_places import own_name, placed
from storage.droids.working import left_lately, open_sessions
from storage.errors import StorageError
from storage.postgres.database import Link

KIND = "droids"

log = structlog.get_logger()


class DroidRoster:
    """Sees to it that every session that is open has its actor."""

    def __init__(self, database_url: str, seed: int) -> None:
        self._arguments = {"database_url": database_url, "seed": seed}
        self._link = Link(database_url, "roster")
        self._running: dict[str, Wanted] | None = None

    def reconcile(self, cluster: Any) -> list[Wanted]:
        """See actors.cluster.comings.reconciled."""
        before = self._running or {}
        try:
            names = list(placed(open_sessions(self._link())))
            over = [*before] if self._running is not None else self._left_behind()
        except StorageError as error:
            log.warning("droids_wait", error=str(error))
            return list(before.values())
        self._running = {
            name: Wanted(KIND, name, {"name": name, **self._arguments}) for name in names
        }
        return reconciled(cluster, self._running, before, over)

    def names(self) -> list[str]:
        """The actors that run."""
        return list(self._running or {})

    def close(self) -> None:
        """Give the connection back."""
        self._link.close()

    def _left_behind(self) -> list[str]:
        """Actors that a supervisor before this one may not have ended."""
        return [own_name(droid_id) for droid_id in left_lately(self._link())]


class Together:
    """Several of them as one."""

    def __init__(self, comings: Sequence[Comings]) -> None:
        self._comings = list(comings)

    def reconcile(self, cluster: Any) -> list[Wanted]:
        return [wanted for one in self._comings for wanted in one.reconcile(cluster)]

    def names(self) -> list[str]:
        return [name for one in self._comings for name in one.names()]

    def close(self) -> None:
        for one in self._comings:
            one.close()
