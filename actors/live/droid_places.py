"""Which actor works for which droid. Whoever starts actors and the actors themselves agree."""

from collections.abc import Sequence

from sim.droid.states import Status
from storage.droids.working import OpenSession

OWN_ACTORS_MAX = 8
"""As many droids that run have an actor each; where there are more they share so many."""

PAUSED = "droids:paused"
"""The one actor of all that are paused: their prices, fees and history go on."""


def placed(sessions: Sequence[OpenSession]) -> dict[str, list[OpenSession]]:
    """The sessions of each actor, by its name."""
    found: dict[str, list[OpenSession]] = {}
    running = [one for one in sessions if one.status != Status.PAUSED]
    for one in sessions:
        if one.status == Status.PAUSED:
            name = PAUSED
        elif len(running) <= OWN_ACTORS_MAX:
            name = own_name(one.droid_id)
        else:
            name = f"droids:{one.droid_id % OWN_ACTORS_MAX}"
        found.setdefault(name, []).append(one)
    return found


def own_name(droid_id: int) -> str:
    """The name of the actor of one droid alone."""
    return f"droid:{droid_id}"
