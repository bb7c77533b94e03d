"""All that a droid's mind remembers from one block to the next."""

from dataclasses import dataclass, replace
from decimal import Decimal

from sim.droid.acts import Act
from sim.droid.config import DroidConfig
from sim.droid.ladder import Share
from sim.droid.signal import Signal
from sim.droid.states import Active, Note, Stage, Status, Why


@dataclass(frozen=True, slots=True)
class Plan:
    """A decision that is being carried out, stage by stage; what of it is still to be done is seen
    from the rungs that are open.

    signal    that it was made at
    is_last   whether its transactions that are under way are all that was left
    """

    number: int
    whys: tuple[Why, ...]
    signal: float
    funding_usd: Decimal
    closing: tuple[int, ...]
    new: tuple[Share, ...]
    stage: Stage = Stage.CLOSE
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """Of what a droid was last seen with: those whose change makes a plan."""

    funding_usd: Decimal
    max_bots: int
    min_price: Decimal
    max_price: Decimal

    @classmethod
    def of(cls, config: DroidConfig) -> "Settings":
        return cls(config.funding_usd, config.max_bots, config.min_price, config.max_price)

    def changed_to(self, now: "Settings") -> tuple[Why, ...]:
        """What a change is a reason for. Less funding is none: it counts from the next plan."""
        if now.funding_usd > self.funding_usd:
            return (Why.FUNDING,)
        if now != replace(self, funding_usd=now.funding_usd):
            return (Why.PATCHED,)
        return ()


@dataclass(frozen=True, slots=True)
class MindState:
    """Of a droid before its first session, as it stands.

    active             what it has been acting upon
    due                reasons for the next plan
    highest_funding_usd   of the session: what is asked beyond it comes from the paper account
    plans              how many the session has begun, closings among them
    completed          the last plan that came to its end
    attempt            of the stage's transactions in this plan, or in closing
    failures           attempts that failed, one after another
    pending            transactions whose outcomes were not told yet
    gas_spent          on all but closing, in base units of the quote, each fee rounded up
    """

    session: int = 0
    status: Status = Status.STOPPED
    active: Active = Active.PAUSE
    note: Note | None = None
    signal: Signal | None = None
    settings: Settings | None = None
    due: tuple[Why, ...] = ()
    highest_funding_usd: Decimal = Decimal(0)
    plans: int = 0
    completed: int = 0
    plan: Plan | None = None
    attempt: int = 0
    failures: int = 0
    pending: tuple[Act, ...] = ()
    gas_spent: int = 0

    @property
    def live_signal(self) -> Signal:
        """Every session has one."""
        assert self.signal is not None
        return self.signal

    def attempt_label(self, stage: Stage) -> str:
        """Of the transactions that are sent next."""
        return f"{self.session}/{self.plans}/{stage.lower()}/{self.attempt + 1}"

    def listening(self, config: DroidConfig) -> "MindState":
        """With the settings of now, and what has changed in them due."""
        settings = Settings.of(config)
        if settings == self.settings or self.settings is None:
            return self
        return replace(
            self.owing(self.settings.changed_to(settings)),
            settings=settings,
            highest_funding_usd=max(self.highest_funding_usd, settings.funding_usd),
        )

    def owing(self, whys: tuple[Why, ...]) -> "MindState":
        return replace(self, due=tuple(dict.fromkeys((*self.due, *whys))))

    def without_plan(self) -> "MindState":
        """A plan that is broken off is due again: for what it was made for, or, once its rungs have
        closed, to be finished. One that has sent nothing is as if it had not been made, and the
        band is judged anew."""
        plan = self.plan
        if plan is None:
            return self
        if self.attempt == 0:
            lasting = tuple(why for why in plan.whys if why is not Why.TRIGGER)
            return replace(self.owing(lasting), plan=None, plans=plan.number - 1)
        whys = plan.whys if plan.stage is Stage.CLOSE else (Why.UNFINISHED,)
        return replace(self.owing(whys), plan=None, attempt=0)

    def planning(self, plan: Plan) -> "MindState":
        return replace(self, plan=plan, plans=plan.number, due=(), attempt=0)

    def ending(self) -> "MindState":
        """Without a plan; that everything closes counts as one, so that labels stay apart."""
        return replace(self, plan=None, plans=self.plans + 1, due=(), attempt=0, failures=0)

    def completing(self, plan: Plan) -> "MindState":
        """With the plan's signal as the reference."""
        signal = self.live_signal.rested(plan.signal)
        return replace(self, signal=signal, plan=None, completed=plan.number, attempt=0, note=None)
