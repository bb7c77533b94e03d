"""The supervisor: what should run, runs; what runs but gets nowhere is started again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import structlog

from actors.loop import Loop
from actors.silence import SILENT_S_MAX, START_S_MAX, Silence

ROUND_S = 1.0
STOP_WAIT_S = 4.0
PAUSE_S_MIN, PAUSE_S_MAX = 1.0, 60.0
"""Between two starts of one actor by us; doubles until it has worked for PAUSE_S_MAX."""

log = structlog.get_logger()


class Absence(Enum):
    """Why an actor has not answered."""

    SILENT = "silent"
    RESTARTING = "restarting"
    GONE = "gone"


@dataclass(frozen=True)
class Vitals:
    """What an actor says of itself. `stall` is why its work does not move; None when it does."""

    health: Any
    stall: str | None = None


class Cluster(Protocol):
    """What is needed of Ray; actors.cluster.remote.RayCluster."""

    def ensure(self, wanted: Any) -> None: ...
    def look(self, names: Sequence[str]) -> dict[str, Vitals | Absence]: ...
    def kill(self, name: str) -> None: ...
    def stop(self, names: Sequence[str]) -> None: ...
    def end(self, names: Sequence[str]) -> None: ...


class Simulations(Protocol):
    """Actors that come and go; actors.simulate.queue.SimulationQueue."""

    def reconcile(self, cluster: Any) -> list[Any]: ...
    def names(self) -> list[str]: ...
    def close(self) -> None: ...


class Auditor(Protocol):
    """Who compares what the actors have done; actors.live.auditor.Auditor."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def stalled(self) -> dict[str, str]: ...


class Watched:
    """What is known of one actor. It is starting until it has answered once."""

    def __init__(self, now: float) -> None:
        self.silence = Silence(now)
        self.is_starting = True
        self._pause_s = 0.0
        self._acts_from = now
        self._works_since = now

    def answered(self, now: float) -> None:
        """It runs."""
        if self.is_starting:
            self.is_starting, self._works_since = False, now
        elif now - self._works_since > PAUSE_S_MAX:
            self._pause_s = 0.0
        self.silence.heard(now)

    def starts(self, now: float) -> None:
        """It has ended: what it says next is the first word of another process."""
        if not self.is_starting:
            self.is_starting = True
            self.silence.heard(now)

    def is_stuck(self, now: float) -> bool:
        """Whether it has been silent for longer than what it is at may take."""
        return self.silence.listened(now) > (START_S_MAX if self.is_starting else SILENT_S_MAX)

    def may_act(self, now: float) -> bool:
        """Whether the pause since we last started it is over; if so the next will be longer."""
        if now < self._acts_from:
            return False
        self._pause_s = min(max(PAUSE_S_MIN, 2 * self._pause_s), PAUSE_S_MAX)
        self._acts_from = now + self._pause_s
        return True


class Supervisor:
    """Reconciles wanted actors with living ones, once a second.

    clock   seconds, monotone
    """

    def __init__(
        self,
        wanted: Sequence[Any],
        cluster: Cluster,
        simulations: Simulations | None = None,
        auditor: Auditor | None = None,
        run: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wanted = list(wanted)
        self._cluster = cluster
        self._simulations = simulations
        self._auditor = auditor
        self._clock = clock
        self._watched: dict[str, Watched] = {}
        self._loop = Loop("supervisor", self._run)
        self._healths: dict[str, Any] = {}
        if run:
            self.start()

    def start(self) -> None:
        """Begin to reconcile. A second call does nothing."""
        self._loop.start()
        if self._auditor is not None:
            self._auditor.start()

    def stop(self) -> None:
        """Reconcile no more; the actors stay as they are, but simulations pause."""
        self._loop.stopping.set()
        if self._simulations is not None:
            self._cluster.stop(self._simulations.names())
        self._loop.stop(STOP_WAIT_S)
        if self._simulations is not None:
            self._simulations.close()
        if self._auditor is not None:
            self._auditor.stop()

    def health(self) -> dict[str, Any]:
        """What every actor last said of itself; one that is silent is missing."""
        return dict(self._healths)

    def _run(self) -> None:
        while not self._loop.stopping.wait(ROUND_S):
            self._loop.beat()
            self.reconcile()

    def reconcile(self) -> None:
        """One look at every wanted actor."""
        wanted_now = list(self._wanted)
        if self._simulations is not None:
            wanted_now += self._simulations.reconcile(self._cluster)
        names = [wanted.name for wanted in wanted_now]
        signs = self._cluster.look(names)
        stalled = self._auditor.stalled() if self._auditor is not None else {}
        for wanted in wanted_now:
            if self._loop.stopping.is_set():
                return
            self._judge(wanted, signs[wanted.name], stalled.get(wanted.name))
        for name in self._watched.keys() - set(names):
            del self._watched[name]
            self._healths.pop(name, None)

    def _judge(self, wanted: Any, sign: Vitals | Absence, stall: str | None) -> None:
        """`stall` is what others see of its work."""
        now = self._clock()
        watched = self._watched.setdefault(wanted.name, Watched(now))
        if isinstance(sign, Vitals):
            watched.answered(now)
            self._healths[wanted.name] = sign.health
            stall = sign.stall or stall
            if stall is not None:
                self._replace(wanted.name, watched, now, stall)
            return
        self._healths.pop(wanted.name, None)
        if sign is Absence.GONE:
            watched.starts(now)
            if watched.may_act(now):
                log.warning("actor_is_started", actor=wanted.name)
                self._cluster.ensure(wanted)
        elif sign is Absence.RESTARTING:
            watched.starts(now)
        elif watched.is_stuck(now):
            self._replace(wanted.name, watched, now, f"silent for {watched.silence.seconds:.0f} s")

    def _replace(self, name: str, watched: Watched, now: float, why: str) -> None:
        """End the process; Ray starts another."""
        if watched.may_act(now):
            log.warning("actor_is_replaced", actor=name, why=why)
            self._cluster.kill(name)
            watched.starts(now)
            watched.silence.heard(now)
