"""Who is starting is waited for, who is stuck is replaced, and starts have pauses between them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from actors.live.supervisor import PAUSE_S_MAX, Absence, Supervisor, Vitals
from actors.silence import SILENT_S_MAX, START_S_MAX, STEP_S_MAX, Silence

NAME = "market:ETH-PERP"
GONE, RESTARTING, SILENT = Absence.GONE, Absence.RESTARTING, Absence.SILENT
WELL = Vitals({"cursor": 1})


@dataclass(frozen=True)
class Wanted:
    name: str = NAME


class Scripted:
    """A cluster in which one actor gives the sign that it is told to; acts are noted."""

    def __init__(self) -> None:
        self.sign: Vitals | Absence = GONE
        self.acts: list[tuple[str, float]] = []
        self.now = 0.0
        self.stalled_now: dict[str, str] = {}
        self.supervisor = Supervisor([Wanted()], self, auditor=self, clock=lambda: self.now)

    def ensure(self, wanted: Any) -> None:
        self.acts.append(("ensure", self.now))

    def look(self, names: Sequence[str]) -> dict[str, Vitals | Absence]:
        return dict.fromkeys(names, self.sign)

    def kill(self, name: str) -> None:
        self.acts.append(("kill", self.now))

    def stop(self, names: Sequence[str] = ()) -> None: ...
    def end(self, names: Sequence[str]) -> None: ...
    def start(self) -> None: ...

    def stalled(self) -> dict[str, str]:
        return self.stalled_now

    def rounds(self, sign: Vitals | Absence, seconds: float) -> list[str]:
        """What is done while the actor gives this sign for so long."""
        self.sign, before = sign, len(self.acts)
        for _ in range(int(seconds)):
            self.now += 1.0
            self.supervisor.reconcile()
        return [act for act, _ in self.acts[before:]]


@pytest.fixture
def cluster() -> Scripted:
    return Scripted()


def test_a_start_that_takes_long_is_not_ended(cluster: Scripted) -> None:
    assert cluster.rounds(GONE, 1) == ["ensure"]
    assert cluster.rounds(SILENT, START_S_MAX - 5) == []
    assert cluster.rounds(WELL, 1) == []
    assert cluster.supervisor.health() == {NAME: WELL.health}
    assert cluster.rounds(RESTARTING, 3 * SILENT_S_MAX) == []
    assert cluster.rounds(SILENT, START_S_MAX - 5) == []
    assert cluster.rounds(WELL, 1) == []


def test_a_start_that_never_ends_is_tried_again(cluster: Scripted) -> None:
    cluster.rounds(GONE, 1)
    assert cluster.rounds(SILENT, START_S_MAX + 5) == ["kill"]
    assert cluster.rounds(SILENT, START_S_MAX - 5) == []


def test_who_has_answered_and_is_silent_is_replaced_once(cluster: Scripted) -> None:
    cluster.rounds(WELL, 3)
    assert cluster.rounds(SILENT, SILENT_S_MAX - 1) == []
    assert cluster.rounds(WELL, 1) == []
    assert cluster.rounds(SILENT, SILENT_S_MAX + 3) == ["kill"]
    assert cluster.supervisor.health() == {}
    assert cluster.rounds(RESTARTING, 5) == cluster.rounds(SILENT, START_S_MAX - 10) == []


@pytest.mark.parametrize("noticed_by", ["itself", "the auditor"])
def test_who_answers_and_gets_nowhere_is_replaced(cluster: Scripted, noticed_by: str) -> None:
    cluster.rounds(WELL, 3)
    stalled = Vitals(WELL.health, "worker has ended")
    if noticed_by == "the auditor":
        cluster.stalled_now, stalled = {NAME: "12 batches are not in the tables"}, WELL
    assert cluster.rounds(stalled, 1) == ["kill"]
    assert len(cluster.rounds(stalled, 600)) < 20


def test_pauses_between_starts_grow_and_end_when_it_works(cluster: Scripted) -> None:
    cluster.rounds(GONE, 600)
    at = [at for act, at in cluster.acts if act == "ensure"]
    pauses = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert pauses[:3] == [1.0, 2.0, 4.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == PAUSE_S_MAX
    cluster.rounds(WELL, PAUSE_S_MAX + 5)
    before = len(cluster.acts)
    cluster.rounds(GONE, 10)
    at = [at for _, at in cluster.acts[before : before + 3]]
    assert [later - earlier for earlier, later in itertools.pairwise(at)] == [1.0, 2.0]


def test_who_was_stopped_himself_has_not_listened() -> None:
    silence = Silence(0.0)
    assert silence.listened(1.0) == 1.0
    assert silence.listened(1_000.0) == 1.0 + STEP_S_MAX
    silence.heard(1_001.0)
    assert silence.listened(1_002.0) == 1.0
