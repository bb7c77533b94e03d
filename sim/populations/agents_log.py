"""What a population of signal agents writes down while it runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sim.populations.agents_session import Session
from sim.signals.agents import AGENTS
from sim.signals.course import AgentsCourse, Decision
from sim.signals.packed_decisions import packed, unpacked
from sim.signals.risk import Rule, Ruling
from sim.signals.signal import Action, Signal

DECISIONS_KEPT_MAX = 100_000
"""Decisions and verdicts together; later ones are counted, and left out."""

PACKED_TOGETHER = 500


@dataclass
class AgentsLog:
    """See AgentsCourse.

    older    decisions as bytes, PACKED_TOGETHER in each; `decisions` are those after them
    room     how many may still be kept
    """

    older: list[bytes] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    decided: int = 0
    minutes_us: list[int] = field(default_factory=list)
    actions: dict[Action, int] = field(default_factory=lambda: dict.fromkeys(Action, 0))
    verdicts: dict[Ruling, dict[Rule, int]] = field(
        default_factory=lambda: {ruling: dict.fromkeys(Rule, 0) for ruling in Ruling}
    )
    spoken: dict[str, dict[Action, int]] = field(
        default_factory=lambda: {name: dict.fromkeys(Action, 0) for name in AGENTS}
    )
    won: dict[str, int] = field(default_factory=lambda: dict.fromkeys(AGENTS, 0))
    room: int = DECISIONS_KEPT_MAX

    def speak(self, agent: str, signal: Signal) -> None:
        """An agent has given a signal."""
        self.spoken[agent][signal.action] += 1

    def decide(self, decision: Decision) -> None:
        """A decision was made, the next after those before."""
        self.decided += 1
        self.actions[decision.action] += 1
        for verdict in decision.verdicts:
            self.verdicts[verdict.ruling][verdict.rule] += 1
        if decision.action is not Action.HOLD:
            for vote in decision.winners:
                self.won[vote.agent] += 1
        wanted = 1 + len(decision.verdicts)
        if wanted <= self.room:
            self.decisions.append(decision)
            self.room -= wanted
            if len(self.decisions) == PACKED_TOGETHER:
                self.older.append(packed(self.decisions))
                self.decisions = []
        else:
            self.room = 0

    def course(self, sessions: Sequence[Session]) -> AgentsCourse:
        """All of it, and what sessions came to."""
        times_us = np.array(self.minutes_us, np.int64)
        equities = [one.equities for one in sessions]
        table = np.array(equities, np.int64).reshape(len(sessions), len(times_us)).T
        return AgentsCourse(
            decisions=(*(one for data in self.older for one in unpacked(data)), *self.decisions),
            decided=self.decided,
            actions=dict(self.actions),
            verdicts={
                ruling: {rule: many for rule, many in rules.items() if many}
                for ruling, rules in self.verdicts.items()
            },
            spoken={name: dict(counts) for name, counts in self.spoken.items()},
            won=dict(self.won),
            trips=tuple(one.all_trips for one in sessions),
            equity_times_us=times_us,
            equity_atoms=table.copy(),
        )
