"""Keeps Ray and the supervisor alive beneath a deployment: its own Ray, its own children."""

import time
from collections.abc import Callable, Sequence

import structlog
from ray.exceptions import RayError

from actors.cluster import ours as cluster
from actors.cluster.remote import RayCluster, Wanted
from actors.live.supervisor import Supervisor
from actors.shown import shown
from storage.settings import ConfigurationError

LOOK_EVERY_S = 2.0
STARTS_MAX = 8
"""Starts in a row that fail before `up` gives up; the pauses between them come to four minutes."""

PAUSE_S_MIN, PAUSE_S_MAX = 2.0, 60.0
WELL_S = 120.0
"""After so long without a death the next one is the first again."""

log = structlog.get_logger()


class RayKeeper:
    """Called in the main thread, for Ray ends with the thread that started it.

    start    starts Ray as it was started at first
    say      tells whoever sits before it
    """

    def __init__(
        self,
        wanted: Sequence[Wanted],
        actors: RayCluster,
        start: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._wanted, self._actors = list(wanted), actors
        self._start, self._say = start, say
        self._looked_at = self._well_since = time.monotonic()
        self._starts, self._starts_from = 0, 0.0
        self._is_down = False
        self._overseer = self._oversee()

    def watch(self) -> None:
        """Start again what has ended. Raises ConfigurationError where that is in vain."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY_S or now < self._starts_from:
            return
        self._looked_at = now
        if self._is_down or not cluster.ray_is_alive():
            self._is_down = True
            self._start_again()
        else:
            if now - self._well_since > WELL_S:
                self._starts = 0
            self._oversee_once()

    def _oversee(self) -> Supervisor:
        """The supervisor is looked after by another, which has no one else to look after."""
        supervisors = [one for one in self._wanted if one.kind == "supervisor"]
        return Supervisor(supervisors, self._actors.with_look(0.0))

    def _oversee_once(self) -> None:
        try:
            self._overseer.reconcile()
        except RayError as error:
            log.warning("supervisor_unseen", error=cluster.first_line(error))

    def _start_again(self) -> None:
        self._starts += 1
        if self._starts > STARTS_MAX:
            raise ConfigurationError(
                f"Ray has ended {STARTS_MAX} times in a row. Start sandpit again: no order is lost."
            )
        self._say("  Ray has ended; it is started again with its actors")
        pause_s = min(PAUSE_S_MIN * 2 ** (self._starts - 1), PAUSE_S_MAX)
        try:
            cluster.abandon_ray()
            self._start()
            for wanted in self._wanted:
                self._actors.ensure(wanted)
            self._is_down = False
        except (ConfigurationError, RayError, OSError) as error:
            self._say(f"  {shown(cluster.first_line(error))}")
        self._overseer = self._oversee()
        self._well_since = time.monotonic()
        self._starts_from = self._well_since + pause_s
