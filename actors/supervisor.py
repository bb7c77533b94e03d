"""The supervisor: what should run, runs; what runs but does not answer is started again."""

from collections.abc import Sequence
from typing import Any, Protocol

import structlog

from actors.loop import Loop

ROUND_S = 1.0
STOP_WAIT_S = 4.0
MISSED_PINGS_MAX = 4
"""Unanswered pings in a row after which a process is taken for stuck and killed."""

log = structlog.get_logger()


class Cluster(Protocol):
    """What is needed of Ray; actors.remote.RayCluster."""

    def ensure(self, wanted: Any) -> None: ...
    def health(self, name: str) -> Any: ...
    def kill(self, name: str) -> None: ...
    def stop(self, names: Sequence[str]) -> None: ...
    def end(self, names: Sequence[str]) -> None: ...


class Simulations(Protocol):
    """Actors that come and go; actors.simulation_queue.SimulationQueue."""

    def reconcile(self, cluster: Any) -> list[Any]: ...
    def names(self) -> list[str]: ...
    def close(self) -> None: ...


class Supervisor:
    """Reconciles wanted actors with living ones, once a second."""

    def __init__(
        self,
        wanted: Sequence[Any],
        cluster: Cluster,
        simulations: Simulations | None = None,
        run: bool = False,
    ) -> None:
        self._wanted = list(wanted)
        self._cluster = cluster
        self._simulations = simulations
        self._missed: dict[str, int] = {}
        self._loop = Loop("supervisor", self._run)
        self._healths: dict[str, Any] = {}
        if run:
            self.start()

    def start(self) -> None:
        """Begin to reconcile. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Reconcile no more; the actors stay as they are, but simulations pause."""
        self._loop.stopping.set()
        if self._simulations is not None:
            self._cluster.stop(self._simulations.names())
        self._loop.stop(STOP_WAIT_S)
        if self._simulations is not None:
            self._simulations.close()

    def health(self) -> dict[str, Any]:
        """What every actor last said of itself; one that is silent is missing."""
        return dict(self._healths)

    def _run(self) -> None:
        while not self._loop.stopping.wait(ROUND_S):
            self.reconcile()

    def reconcile(self) -> None:
        """One look at every wanted actor."""
        wanted_now = list(self._wanted)
        if self._simulations is not None:
            wanted_now += self._simulations.reconcile(self._cluster)
        for wanted in wanted_now:
            if self._loop.stopping.is_set():
                return
            self._look_at(wanted)

    def _look_at(self, wanted: Any) -> None:
        health = self._cluster.health(wanted.name)
        if health is not None:
            self._healths[wanted.name] = health
            self._missed.pop(wanted.name, None)
            return
        self._healths.pop(wanted.name, None)
        missed = self._missed[wanted.name] = self._missed.get(wanted.name, 0) + 1
        log.warning("actor_silent", actor=wanted.name, missed=missed)
        if missed % MISSED_PINGS_MAX == 0:
            self._cluster.kill(wanted.name)
        self._cluster.ensure(wanted)
