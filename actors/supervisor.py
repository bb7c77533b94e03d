"""The supervisor: what should run, runs; what runs but does not answer is started again."""

import threading
from collections.abc import Sequence
from typing import Any, Protocol

import structlog

ROUND_S = 1.0
MISSED_PINGS_MAX = 4
"""Unanswered pings in a row after which a process is taken for stuck and killed."""

log = structlog.get_logger()


class Cluster(Protocol):
    """What is needed of Ray; actors.remote.RayCluster."""

    def ensure(self, wanted: Any) -> None: ...
    def health(self, name: str) -> Any: ...
    def kill(self, name: str) -> None: ...
    def stop(self, name: str) -> None: ...


class Supervisor:
    """Reconciles wanted actors with living ones, once a second."""

    def __init__(self, wanted: Sequence[Any], cluster: Cluster) -> None:
        self._wanted = list(wanted)
        self._cluster = cluster
        self._missed: dict[str, int] = {}
        self._stopping = threading.Event()
        self.healths: dict[str, Any] = {}

    def run(self) -> None:
        """Reconcile until stopped."""
        while not self._stopping.wait(ROUND_S):
            self.reconcile()

    def start_all(self) -> None:
        """Ask for every wanted actor, without waiting for any."""
        for wanted in self._wanted:
            self._cluster.ensure(wanted)

    def reconcile(self) -> None:
        """One look at every wanted actor."""
        for wanted in self._wanted:
            if self._stopping.is_set():
                return
            self._look_at(wanted)

    def _look_at(self, wanted: Any) -> None:
        health = self._cluster.health(wanted.name)
        if health is not None:
            self.healths[wanted.name] = health
            self._missed.pop(wanted.name, None)
            return
        self.healths.pop(wanted.name, None)
        missed = self._missed[wanted.name] = self._missed.get(wanted.name, 0) + 1
        log.warning("actor_silent", actor=wanted.name, missed=missed)
        if missed % MISSED_PINGS_MAX == 0:
            self._cluster.kill(wanted.name)
        self._cluster.ensure(wanted)

    def stop(self) -> None:
        """Stop reconciling, then stop every actor, those that give work before those that do it."""
        self._stopping.set()
        for wanted in reversed(self._wanted):
            self._cluster.stop(wanted.name)
