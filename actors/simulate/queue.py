"""Which simulations should run at this moment, and the actors that run them."""

from typing import Any, Protocol

import structlog

from actors.cluster.comings import reconciled
from actors.cluster.remote import Wanted
from storage.errors import StorageError
from storage.postgres.database import Link
from storage.runs.simulation_runs import CHECKPOINT_EVERY_S, fail_overdue, just_ended, start_next

KIND = "simulation"

log = structlog.get_logger()


class Cluster(Protocol):
    """What is needed of Ray; actors.cluster.remote.RayCluster."""

    def ensure(self, wanted: Any) -> None: ...
    def end(self, names: Any) -> None: ...


class SimulationQueue:
    """Takes waiting simulations in order, at most `running_max` at a time: an actor for each.

    checkpoint_s   how often an actor keeps where it stands, at the most
    """

    def __init__(
        self, database_url: str, running_max: int, checkpoint_s: float = CHECKPOINT_EVERY_S
    ) -> None:
        self._database_url, self._running_max = database_url, running_max
        self._checkpoint_s = checkpoint_s
        self._link = Link(database_url, "simulations")
        self._running: dict[str, Wanted] | None = None

    def reconcile(self, cluster: Cluster) -> list[Wanted]:
        """See actors.cluster.comings.reconciled."""
        before = self._running or {}
        try:
            for number in fail_overdue(self._link()):
                log.warning("simulation_overdue", simulation=number)
            ids = start_next(self._link(), self._running_max)
            over = [*before] if self._running is not None else self._left_behind()
        except StorageError as error:
            log.warning("simulations_wait", error=str(error))
            return list(before.values())
        self._running = {simulation_name(number): self._wanted(number) for number in ids}
        return reconciled(cluster, self._running, before, over)

    def names(self) -> list[str]:
        """The actors that run."""
        return list(self._running or {})

    def close(self) -> None:
        """Give the connection back."""
        self._link.close()

    def _left_behind(self) -> list[str]:
        """Actors that a supervisor before this one may not have ended."""
        return [simulation_name(number) for number in just_ended(self._link())]

    def _wanted(self, simulation_id: int) -> Wanted:
        arguments = {
            "database_url": self._database_url,
            "simulation_id": simulation_id,
            "checkpoint_s": self._checkpoint_s,
        }
        return Wanted(KIND, simulation_name(simulation_id), arguments)


def simulation_name(simulation_id: int) -> str:
    """The name of a simulation's actor."""
    return f"{KIND}:{simulation_id}"
