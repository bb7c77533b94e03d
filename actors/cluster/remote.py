"""Where Ray is put on: which class runs under which options, and how one actor asks another."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import ray
import structlog
from ray.actor import ActorHandle
from ray.exceptions import (
    ActorUnavailableError,
    GetTimeoutError,
    RayActorError,
    RayError,
    RayTaskError,
)

from actors.cluster.packed_arguments import packed, unpacked
from actors.live.supervisor import Absence, Vitals
from actors.logs import log_to_file
from actors.loop import stall_of_process
from storage.process_limits import settle_garbage_collection

log = structlog.get_logger()

LOOK_S = 1.0
STOP_TIMEOUT_S = 4.0
REFUSAL_S = 0.2
"""What is known of an actor that will never run is known in this time."""

CALLS_AT_ONCE_MAX = 64

CLASSES: Mapping[str, str] = {
    "agent": "actors.live.agents:SignalAgent",
    "chain": "actors.live.chain:Chain",
    "droids": "actors.live.droids:DroidHost",
    "indexer": "actors.live.indexer:Indexer",
    "keeper": "actors.live.keeper:Keeper",
    "market": "actors.live.market:Market",
    "orchestrator": "actors.live.orchestrator:Orchestrator",
    "pool": "actors.live.pool:PoolActor",
    "relay": "actors.live.relay:Relay",
    "recorder": "actors.live.recorder:Recorder",
    "risk": "actors.live.risk:Risk",
    "risk_agent": "actors.live.risk_agent:RiskAgent",
    "simulation": "actors.simulate.runner:SimulationRunner",
    "strategy": "actors.live.strategy:Strategy",
    "supervisor": "actors.live.supervisor:Supervisor",
}
"""Where each kind's class is; by name, so that no process imports what it does not run."""

RESOURCES: Mapping[str, Mapping[str, float]] = {kind: {"num_cpus": 0} for kind in CLASSES}
"""What each kind asks of a node. Zero: all of them fit on two cores, where they share."""


@dataclass(frozen=True)
class Wanted:
    """An actor that should run: `arguments` are its constructor's."""

    kind: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


def actor_class(kind: str) -> type:
    """The plain class of a kind."""
    module, name = CLASSES[kind].split(":")
    found: type = getattr(import_module(module), name)
    return found


def hosted(plain: type) -> type:
    """The class as it runs in a process of its own: with a log, working from the start; made
    from what `packed` gave."""

    class Hosted(plain):
        def __init__(
            self, log_dir: str | None, log_level: str, name: str, *arguments: bytes
        ) -> None:
            log_to_file(log_dir, name, log_level)
            try:
                super().__init__(**unpacked(arguments), run=True)
            except Exception:
                log.exception("actor_not_started", actor=name)  # Ray would keep it for itself
                raise
            settle_garbage_collection()

        def vitals(self) -> Vitals:
            return Vitals(self.health(), stall_of_process())

    Hosted.__name__ = Hosted.__qualname__ = plain.__name__
    return Hosted


class RayCluster:
    """What the supervisor does to actors.

    log_dir   where each actor's process writes its log; None: to its standard error
    look_s    how long a look waits for answers
    """

    def __init__(
        self, log_dir: str | None = None, log_level: str = "info", look_s: float = LOOK_S
    ) -> None:
        self._log_dir = log_dir
        self._log_level = log_level
        self._look_s = look_s
        self._handles: dict[str, ActorHandle[Any]] = {}
        self._asked: dict[str, ray.ObjectRef[Vitals]] = {}

    def __reduce__(self) -> tuple[type["RayCluster"], tuple[str | None, str, float]]:
        return (RayCluster, (self._log_dir, self._log_level, self._look_s))

    def with_look(self, look_s: float) -> "RayCluster":
        """The same cluster, looked at for so long."""
        return RayCluster(self._log_dir, self._log_level, look_s)

    def ensure(self, wanted: Wanted) -> Any:
        """Start the actor unless one of its name lives; Ray's handle of it."""
        remote_class = ray.remote(hosted(actor_class(wanted.kind)))
        return remote_class.options(
            name=wanted.name,
            lifetime="detached",
            get_if_exists=True,
            max_restarts=-1,
            max_task_retries=0,
            max_concurrency=CALLS_AT_ONCE_MAX,
            **RESOURCES[wanted.kind],
        ).remote(self._log_dir, self._log_level, wanted.name, *packed(wanted.arguments))

    def look(self, names: Sequence[str]) -> dict[str, Vitals | Absence]:
        """What each actor says of itself within a moment, which is the same for all.

        One that has not answered is not asked again: the question waits with it.
        """
        signs: dict[str, Vitals | Absence] = {}
        for name in names:
            try:
                if name not in self._asked:
                    self._asked[name] = self._handle(name).vitals.remote()
            except (ValueError, RayError):
                signs[name] = Absence.GONE
        asked = {name: self._asked[name] for name in names if name in self._asked}
        self._asked = dict(asked)
        if asked:
            ray.wait([*asked.values()], num_returns=len(asked), timeout=self._look_s)
        for name, question in asked.items():
            signs[name] = answered(question)
            if signs[name] is not Absence.SILENT:
                del self._asked[name]
            if signs[name] is Absence.GONE:
                del self._handles[name]
        return signs

    def _handle(self, name: str) -> ActorHandle[Any]:
        """Kept, for finding an actor by its name is a question to the cluster's head."""
        if name not in self._handles:
            self._handles[name] = ray.get_actor(name)
        return self._handles[name]

    def kill(self, name: str) -> None:
        """End the actor's process; Ray starts it again."""
        try:
            ray.kill(ray.get_actor(name), no_restart=False)
        except (ValueError, RayError):
            return

    def stop(self, names: Sequence[str]) -> None:
        """Let the actors finish what they are at, all at once, then end them for good."""
        with ThreadPoolExecutor(len(names) or 1) as pool:
            list(pool.map(lambda name: ask(name, "stop", STOP_TIMEOUT_S), names))
        self.end(names)

    def end(self, names: Sequence[str]) -> None:
        """End the actors for good, whatever they are at: nothing that was accepted is lost."""
        for name in names:
            try:
                ray.kill(ray.get_actor(name), no_restart=True)
            except (ValueError, RayError):
                continue


def answered(question: "ray.ObjectRef[Vitals]") -> Vitals | Absence:
    """What has come of a call of `vitals`."""
    try:
        vitals: Vitals = ray.get(question, timeout=0)
        return vitals
    except GetTimeoutError:
        return Absence.SILENT
    except ActorUnavailableError:
        return Absence.RESTARTING
    except RayTaskError as error:
        return Vitals(None, f"it cannot say how it is: {error.cause}")
    except RayError:
        return Absence.GONE


def ask(name: str, method: str, timeout_s: float) -> Any:
    """Call a method of a named actor; None when the actor is away or too slow."""
    try:
        return ray.get(getattr(ray.get_actor(name), method).remote(), timeout=timeout_s)
    except (ValueError, RayError, GetTimeoutError):
        return None


def refused_to_start(handle: Any) -> str | None:
    """What an actor's constructor was ended by; None where it was not, or not yet."""
    try:
        ray.get(handle.__ray_ready__.remote(), timeout=REFUSAL_S)
    except RayActorError as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        return lines[-1].strip() if "creation task" in lines[0] else None
    except RayError:
        return None
    return None
