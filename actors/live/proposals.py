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
from storage.agents.open_sessions import account_of, held_by
from storage.agents.sessions import Session
from storage.agents.sights import Traded, books_of, candles_seen
from storage.agents.signals import GivenSignal
from storage.postgres.database import AsyncPool

log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class Proposed:
    """What a session would do on a consensus."""

    session: Session
    step: Step
    case: Case


async def moment_of(
    pool: AsyncPool, traded: Traded, now_us: int, terms: StrategyTerms
) -> Moment | None:
    """None where the market has never been seen."""
    books = await books_of(pool, traded.spec.base_asset)
    for sight in books:
        if sight.spec.market_id == traded.spec.market_id:
            candles = await candles_seen(pool, traded.spec)
            return Moment(traded.symbol, sight, candles, now_us, terms)
    return None


def consensus_decision(
    moment: Moment, given: Sequence[GivenSignal], started_s: float
) -> tuple[Consensus, NewDecision]:
    """What the agents say together, and the decision that it is; `started_s` of a clock that only
    tells how long that took."""
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
    return said, decision


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
    pool: AsyncPool, moment: Moment, said: Consensus, sessions: Iterable[Session]
) -> list[Proposed]:
    """What each of the sessions would do now. Nothing of one whose order is under way, nor of one
    that has what the consensus asks for."""
    found: list[Proposed] = []
    if said.action is Action.HOLD:
        return found
    side = Side.BUY if said.action is Action.BUY else Side.SELL
    for session in sessions:
        held = await held_by(pool, session)
        step = Step.NOTHING if held is None else step_of(said.action, held.position_lots)
        if held is None or step is Step.NOTHING:
            continue
        try:
            account = await account_of(pool, held, side, moment.sight)
        except Refused as refused:  # something of it has no mark: its worth is not known now
            log.warning("not_judged", session=str(session.session_id), why=refused.message)
            continue
        case = Case(moment.proposal(step), account, moment.sight.spec, moment.terms.agents.risk)
        found.append(Proposed(session, step, case))
    return found


def verdict_decision(
    moment: Moment, cause: NewDecision, wish: Proposed, verdict: Verdict, latency_ms: float
) -> NewDecision:
    """The risk agent's word as a decision: HOLD where it forbids, else what it lets happen."""
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
