"""Actors that come and go with droids: one for each that runs, none for those that do not."""

from collections.abc import Sequence
from typing import Any, Protocol

import structlog

from actors.cluster.remote import Wanted
from actors.live.droid_places import own_name, placed
from storage.droids.working import left_lately, open_sessions
from storage.errors import StorageError
from storage.postgres.database import Link

KIND = "droids"

log = structlog.get_logger()


class Comings(Protocol):
    """Actors that come and go; see actors.live.supervisor.Simulations."""

    def reconcile(self, cluster: Any) -> list[Wanted]: ...
    def names(self) -> list[str]: ...
    def close(self) -> None: ...


class DroidRoster:
    """Sees to it that every session that is open has its actor."""

    def __init__(self, database_url: str, seed: int) -> None:
        self._arguments = {"database_url": database_url, "seed": seed}
        self._link = Link(database_url, "roster")
        self._running: dict[str, Wanted] | None = None

    def reconcile(self, cluster: Any) -> list[Wanted]:
        """Start actors of what is new, end those that nobody needs; the actors that were there
        before, for whoever looks after their health."""
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
        cluster.end([name for name in over if name not in self._running])
        for name, wanted in self._running.items():
            if name not in before:
                cluster.ensure(wanted)
        return [wanted for name, wanted in self._running.items() if name in before]

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
