"""From signals to consensus, and from consensus to what each session would do: nothing is written
here, and nothing is asked but the tables."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from actors.live.risk_agent import Case
from sim.refusals import Refused
from sim.rows.messages import Side
from sim.signals.agents import ORCHESTRATOR, RISK_AGENT
from sim.signals.moments import Moment, consensus_on, votes_of
from sim.signals.risk import Ruling, Verdict
from sim.signals.signal import Action
from sim.signals.steps import Step, step_of
from sim.signals.terms import StrategyTerms
from sim.signals.voting import Consensus, Vote
from storage.agents.new_decisions import Kind, NewDecision, WishedOrder
from storage.agents.open_sessions import Held, Past, account_of, held_by, pasts_of
from storage.agents.sessions import Session
from storage.agents.sights import Sights, Traded
from storage.agents.signals import GivenSignal
from storage.postgres.database import AsyncPool

log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class Said:
    """What the agents say together of a symbol, and the decision that it is."""

    moment: Moment
    consensus: Consensus
    cause: NewDecision

    @property
    def side(self) -> Side:
        """Of what it would have done; it is not HOLD."""
        return Side.BUY if self.consensus.action is Action.BUY else Side.SELL


@dataclass(frozen=True, eq=False)
class Proposed:
    """What a session would do on a consensus."""

    said: Said
    session: Session
    step: Step
    case: Case


def moments_of(
    traded: Iterable[Traded], sights: Sights, now_us: int, terms: StrategyTerms
) -> list[Moment]:
    """Of each but those whose market has never been seen."""
    return [
        Moment(one.symbol, sight, sights.candles[one.spec.market_id], now_us, terms)
        for one in traded
        if (sight := sights.sight_of(one.spec)) is not None
    ]


def consensus_decision(moment: Moment, given: Sequence[GivenSignal], started_s: float) -> Said:
    """Of the agents' newest signals; `started_s` of a clock that only tells how long that took."""
    votes = votes_of(given, moment.symbol, moment.now_us, moment.terms)
    said = consensus_on(votes, moment.terms)
    ids = {one.agent: one.decision_id for one in given if one.symbol == moment.symbol}
    asked = [told_of(vote, ids.get(vote.agent)) for vote in votes if vote.agent in said.agents]
    winners = [one["decision_id"] for one in asked if one["action"] == said.action]
    answer = {
        "action": said.action,
        "consensus": said.consensus,
        "confidence": said.confidence,
        "share": said.share,
        "voted_share": said.voted,
        "consensus_asked": said.asked,
        "scores": dict(said.scores),
    }
    decision = NewDecision(
        decision_id=uuid7(),
        agent=ORCHESTRATOR,
        symbol=moment.symbol,
        kind=Kind.CONSENSUS,
        action=said.action,
        confidence=said.confidence,
        reasoning=said.reasoning,
        context={**answer, "winners": [one for one in winners if one is not None]},
        asked={"symbol": moment.symbol, "votes": asked},
        answered={**answer, "reasoning": said.reasoning},
        at_us=moment.now_us,
        latency_ms=(time.perf_counter() - started_s) * 1e3,
        embedding=moment.embedding,
    )
    return Said(moment, said, decision)


def told_of(vote: Vote, decision_id: UUID | None) -> dict[str, Any]:
    """A vote as the prompt of a consensus has it."""
    return {
        "agent": vote.agent,
        "action": vote.signal.action,
        "confidence": vote.signal.confidence,
        "weight": vote.weight,
        "age_s": vote.age_s,
        "decision_id": None if decision_id is None else str(decision_id),
    }


async def proposed(
    pool: AsyncPool, all_said: Sequence[Said], sessions: Iterable[Session]
) -> list[Proposed]:
    """What sessions would do now. Nothing of one whose order is under way, nor of one that has
    what the consensus on its symbol asks for."""
    spoken = {one.moment.symbol: one for one in all_said if one.consensus.action is not Action.HOLD}
    asked = [one for one in sessions if one.symbol in spoken]
    moved = [
        one
        for one in await held_by(pool, asked)
        if step_for(one, spoken[one.session.symbol]) is not Step.NOTHING
    ]
    pasts = await pasts_of(pool, [one.session for one in moved])
    found = [
        proposal_of(one, pasts[one.session.session_id], spoken[one.session.symbol]) for one in moved
    ]
    return [one for one in found if one is not None]


def step_for(held: Held, said: Said) -> Step:
    """What a session would do on a consensus."""
    return step_of(said.consensus.action, held.position_lots)


def proposal_of(held: Held, past: Past, said: Said) -> Proposed | None:
    """None where something that the session has cannot be valued."""
    moment, session, step = said.moment, held.session, step_for(held, said)
    try:
        account = account_of(held, past, said.side, moment.sight)
    except Refused as refused:  # something of it has no mark: its worth is not known now
        log.warning("not_judged", session=str(session.session_id), why=refused.message)
        return None
    case = Case(moment.proposal(step), account, moment.sight.spec, moment.terms.agents.risk)
    return Proposed(said, session, step, case)


def verdict_decision(wish: Proposed, verdict: Verdict, latency_ms: float) -> NewDecision:
    """The risk agent's word as a decision: HOLD where it forbids, else what it lets happen."""
    moment, cause = wish.said.moment, wish.said.cause
    is_veto = verdict.ruling is Ruling.VETOED
    order = None if is_veto else WishedOrder(verdict.quantity_lots, not wish.step.opens)
    answer = {
        "ruling": verdict.ruling,
        "rule": verdict.rule,
        "quantity_lots": verdict.quantity_lots,
    }
    return NewDecision(
        decision_id=uuid7(),
        agent=RISK_AGENT,
        symbol=moment.symbol,
        kind=Kind.RISK_APPROVAL,
        action=Action.HOLD if is_veto else cause.action,
        confidence=1.0 if is_veto else cause.confidence,
        reasoning=verdict.reasoning,
        context={**answer, "step": wish.step},
        asked=wish.case.asked,
        answered={**answer, "reasoning": verdict.reasoning},
        at_us=moment.now_us,
        latency_ms=latency_ms,
        embedding=cause.embedding,
        session_id=wish.session.session_id,
        cause_id=cause.decision_id,
        order=order,
    )
