"""Actors that come and go while an exchange runs: for simulations, and for droids."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from actors.cluster.remote import Wanted


class Comings(Protocol):
    """See actors.live.supervisor.Simulations."""

    def reconcile(self, cluster: Any) -> list[Wanted]: ...
    def names(self) -> list[str]: ...
    def close(self) -> None: ...


def reconciled(
    cluster: Any, running: Mapping[str, Wanted], before: Mapping[str, Wanted], over: Collection[str]
) -> list[Wanted]:
    """Start actors of what is new, end those that nobody needs; the actors that were there before,
    for whoever looks after their health.

    over   the names of actors that may live
    """
    cluster.end([name for name in over if name not in running])
    for name, wanted in running.items():
        if name not in before:
            cluster.ensure(wanted)
    return [wanted for name, wanted in running.items() if name in before]
