"""A droid's decisions, from block to block.

`decide` is shown what there is when a block has ended, and answers with the transactions of the
next stage, if any; they are also in the state that it returns, so that whoever keeps that state
can send them again after a fall: a label that the chain knows is not sent twice. `after` is told
what became of them, once of all. Nothing else is remembered, and both answer the same to the same.

Where a state's `active` is not the one of the state before, it is to be read as wished from then
on, unless something else has been wished since the view: a reset that has come to its end turns
to run, and three failures to pause.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from sim.droid.acts import Act, ActKind, Outcome, Result
from sim.droid.config import DroidConfig
from sim.droid.drafts import Drafts
from sim.droid.gas import Purse, affordable, gas_limit, is_too_dear
from sim.droid.ladder import Rung, Wanted, scaled_to
from sim.droid.memory import MindState, Plan, Settings
from sim.droid.plan import chosen, divided
from sim.droid.signal import MEMORY_S, BlockEnd, Moved, signal_at
from sim.droid.states import Active, Duty, Note, Stage, Status, Why, duty
from sim.droid.swapping import lacking, least_swap
from sim.pool.terms import PoolTerms
from sim.pool.words import Pair

FAILURES_MAX = 3
"""After so many attempts in succession that failed, a droid pauses."""

CLOSING = (ActKind.CLOSE,)
PLACING = (ActKind.SWAP, ActKind.MINT)
REPLACING = (*CLOSING, *PLACING)


@dataclass(frozen=True, slots=True)
class View:
    """What there is at a block's end: the wallet's tokens in the chain's order, its ether, the
    droid's open rungs, its settings, and what is wished of it."""

    end: BlockEnd
    next_base_fee_wei: int
    wallet: Pair
    ether_wei: int
    rungs: tuple[Rung, ...]
    config: DroidConfig
    active: Active

    @property
    def sqrt_price_x96(self) -> int:
        return self.end.pool.state.sqrt_price_x96

    @property
    def standing(self) -> set[int]:
        return {rung.bucket for rung in self.rungs}


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be remembered, and the transactions that are to be sent or were sent already."""

    state: MindState
    acts: tuple[Act, ...] = ()


class DroidMind:
    """One droid's on one pool."""

    def __init__(self, terms: PoolTerms, memory_s: int = MEMORY_S) -> None:
        self._terms, self._memory_s = terms, memory_s

    def decide(self, before: MindState, view: View) -> Decision:
        state = self.seeing(before, view)
        if state.pending:
            return Decision(state, state.pending)
        match duty(state.status, view.active):
            case Duty.OPEN:
                return self._work(self._opened(state, view), view)
            case Duty.WORK:
                return self._work(_running(state), view)
            case Duty.PAUSE:
                return Decision(_paused(state))
            case Duty.CLOSE:
                return self._close(state, view)
        return Decision(replace(state, active=view.active))

    def after(self, state: MindState, outcomes: Sequence[Outcome]) -> MindState:
        """What became of every pending transaction is told at once."""
        assert {one.label for one in outcomes} == {act.label for act in state.pending}
        results = [one.result for one in outcomes]
        state = replace(self._charged(state, outcomes), pending=())
        if Result.FAILED in results:
            return _failed(state)
        return _advanced(state) if set(results) == {Result.DONE} else state

    def seeing(self, state: MindState, view: View) -> MindState:
        """With the block's price, and with settings that have changed; nothing else is decided."""
        if state.status is Status.STOPPED:
            return state
        config = view.config
        signal = signal_at(
            view.end, state.signal, config.trigger_type, self._terms, self._memory_s
        ).watched(config)
        return replace(state.listening(config), signal=signal)

    def _opened(self, state: MindState, view: View) -> MindState:
        """A new session: nothing is left of the one before but the wallet."""
        trigger = view.config.trigger_type
        return MindState(
            session=state.session + 1,
            status=Status.RUNNING,
            active=Active.RUN,
            signal=signal_at(view.end, None, trigger, self._terms, self._memory_s),
            settings=Settings.of(view.config),
            due=(Why.START,),
            highest_funding_usd=view.config.funding_usd,
        )

    def _work(self, state: MindState, view: View) -> Decision:
        signal = state.live_signal
        if state.due:
            state = state.without_plan()
        is_inside = view.config.allows(signal.value)
        asks = signal.asks(view.config, self._memory_s)
        if not state.due and state.plan is None and asks is not Moved.REBALANCE:
            waits = Note.SPEED if asks is Moved.WAITING else None
            return Decision(replace(state, note=waits if is_inside else Note.OUT_OF_BOUNDS))
        if not is_inside:
            return _deferred(state, Note.OUT_OF_BOUNDS)
        if is_too_dear(view.config, view.next_base_fee_wei):
            return _deferred(state, Note.GAS_PRICE)
        plan = state.plan or self._planned(state, view)
        return self._carry_on(state if state.plan else state.planning(plan), plan, view)

    def _planned(self, state: MindState, view: View) -> Plan:
        """Steps 1 and 2: which rungs go, which come."""
        config, signal = view.config, state.live_signal.value
        whys = state.due or (Why.TRIGGER,)
        margin = Decimal(0) if Why.PATCHED in whys else config.ladder_margin
        division = divided(
            chosen(config, self._terms, signal),
            config,
            self._terms,
            signal,
            view.standing,
            None if Why.FUNDING in whys else margin,
        )
        number, funding_usd = state.plans + 1, config.funding_usd
        return Plan(number, whys, signal, funding_usd, division.closing, division.new)

    def _carry_on(self, state: MindState, plan: Plan, view: View) -> Decision:
        """The first stage that has something to do."""
        if plan.stage is Stage.CLOSE:
            closing = [rung for rung in view.rungs if rung.bucket in plan.closing]
            if closing:
                note = self._unaffordable(state, view, REPLACING if plan.new else CLOSING)
                return _deferred(state, note) if note else self._sent_closes(state, view, closing)
            plan = replace(plan, stage=Stage.SWAP)
        new = [share for share in plan.new if share.bucket not in view.standing]
        funding = Fraction(plan.funding_usd) * self._terms.quote_unit
        wanted = Wanted(self._terms, view.config.lattice(self._terms), funding, view.rungs, new)
        if plan.stage is Stage.SWAP:
            state = replace(state, plan=plan)
            if swap := self._swap(state, view, wanted):
                return swap
            plan = replace(plan, stage=Stage.MINT)
        return self._mint(replace(state, plan=plan), view, wanted)

    def _swap(self, state: MindState, view: View, wanted: Wanted) -> Decision | None:
        """Step 4; None where none is needed."""
        if lacking(wanted.at(view.sqrt_price_x96, view.wallet), view.wallet) is None:
            return None
        if note := self._unaffordable(state, view, PLACING):
            return _deferred(state, note)
        order = least_swap(wanted, view.end.pool, view.end.time_s, view.wallet)
        if order is None:
            return None
        return self._sent(state, view, [self._drafts(state, view, Stage.SWAP).swap(order)])

    def _mint(self, state: MindState, view: View, wanted: Wanted) -> Decision:
        """Step 5; with nothing to mint the plan is complete."""
        assert state.plan is not None
        ladder = wanted.at(view.sqrt_price_x96, view.wallet)
        rungs = [rung for rung in scaled_to(ladder, view.wallet) if rung.liquidity > 0]
        if not rungs:
            return Decision(state.completing(state.plan))
        return self._sent(state, view, self._drafts(state, view, Stage.MINT).mints(rungs))

    def _close(self, state: MindState, view: View) -> Decision:
        """All rungs, whatever the bounds and the budget; then the session ends."""
        if state.status is not Status.CLOSING:
            state = replace(state.ending(), status=Status.CLOSING)
        state = replace(state, active=view.active, note=None)
        if view.rungs:
            if is_too_dear(view.config, view.next_base_fee_wei):
                return Decision(replace(state, note=Note.GAS_PRICE))
            return self._sent_closes(state, view, view.rungs)
        if view.active is Active.RESET:
            return self._work(self._opened(state, view), view)
        return Decision(replace(state, status=Status.STOPPED, signal=None))

    def _sent_closes(self, state: MindState, view: View, rungs: Sequence[Rung]) -> Decision:
        return self._sent(state, view, self._drafts(state, view, Stage.CLOSE).closes(rungs))

    def _sent(self, state: MindState, view: View, wished: Sequence[Act]) -> Decision:
        """As many as can be paid; what is left over is computed anew when these have come."""
        purse = self._purse(state, view, [act.offer.gas_limit for act in wished])
        acts, note = affordable(wished, purse)
        if not acts:
            assert note is not None
            return _deferred(state, note)
        plan = state.plan and replace(state.plan, is_last=len(acts) == len(wished))
        attempt = state.attempt + 1
        return Decision(replace(state, plan=plan, attempt=attempt, pending=acts, note=None), acts)

    def _unaffordable(self, state: MindState, view: View, kinds: Sequence[ActKind]) -> Note | None:
        """Nothing is begun that could not be brought to a first mint."""
        limits = [gas_limit(kind, self._terms.tick_spacing) for kind in kinds]
        return self._purse(state, view, limits).affords(limits)[1]

    def _purse(self, state: MindState, view: View, gas_limits: Sequence[int]) -> Purse:
        """With the highest fee that there may be, where the budget bears that; else with what the
        next block asks, which is known: more than that is then not offered."""
        budget_usd = view.config.gas_budget_usd
        left = None
        if budget_usd is not None and state.status is not Status.CLOSING:
            left = Fraction(budget_usd) * self._terms.quote_unit - state.gas_spent
        place = view.sqrt_price_x96, view.ether_wei, left
        purse = Purse(self._terms, view.config.fee_per_gas_wei_max, *place)
        if purse.affords(gas_limits)[1] is not Note.GAS_BUDGET:
            return purse
        asked_wei = view.next_base_fee_wei + view.config.priority_per_gas_wei
        return replace(purse, fee_per_gas_wei_max=asked_wei)

    def _charged(self, state: MindState, outcomes: Sequence[Outcome]) -> MindState:
        if state.status is Status.CLOSING:
            return state
        fees = [
            self._terms.in_quote(self._terms.pair(one.fee_wei, 0), one.sqrt_price_x96)
            for one in outcomes
        ]
        spent = sum(-(-fee.numerator // fee.denominator) for fee in fees)
        return replace(state, gas_spent=state.gas_spent + spent)

    def _drafts(self, state: MindState, view: View, stage: Stage) -> Drafts:
        label = state.attempt_label(stage)
        return Drafts(self._terms, view.config, view.sqrt_price_x96, label)


def _running(state: MindState) -> MindState:
    """Going on, where it did not; what closed in the meantime is to be placed again."""
    if state.status is Status.RUNNING:
        return state
    is_closing = state.status is Status.CLOSING
    state = state.owing((Why.UNFINISHED,)) if is_closing else state
    return replace(state, status=Status.RUNNING, active=Active.RUN, note=None, failures=0)


def _paused(state: MindState) -> MindState:
    if state.status is Status.PAUSED:
        return state
    is_closing = state.status is Status.CLOSING
    state = state.owing((Why.UNFINISHED,)) if is_closing else state.without_plan()
    return replace(state, status=Status.PAUSED, active=Active.PAUSE, note=None)


def _deferred(state: MindState, note: Note) -> Decision:
    """Nothing is done, and a plan is made anew when something may be done again."""
    return Decision(replace(state.without_plan(), note=note))


def _failed(state: MindState) -> MindState:
    failures = state.failures + 1
    if failures < FAILURES_MAX:
        return replace(state, failures=failures)
    return replace(_paused(state), note=Note.FAILED, failures=0)


def _advanced(state: MindState) -> MindState:
    """All of a stage's transactions are done that were sent."""
    state, plan = replace(state, failures=0), state.plan
    if plan is None or not plan.is_last:
        return state
    if plan.stage is Stage.MINT:
        return state.completing(plan)
    stage = Stage.SWAP if plan.stage is Stage.CLOSE else Stage.MINT
    return replace(state, plan=replace(plan, stage=stage))
