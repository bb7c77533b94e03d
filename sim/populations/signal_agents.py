"""The exchange's signal agents, in a simulation: every head is one session that trades on them.

By the rules of sim/signals alone, which live agents go by too. What a deployment does in several
processes is done in turn here, once a simulated second: each agent whose cycle has come gives its
signal on every perpetual market, then the votes are counted, verdicts given and orders sent, then
each session looks after its exits. All heads hear the same agents; what risk allows, each is told
on its own account.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.money.candles import MINUTE_US
from sim.money.margin import market_order_limit
from sim.populations.agents_log import AgentsLog
from sim.populations.agents_market import SeenMarket
from sim.populations.agents_orders import SessionOrder, at_once, leaving, rows_of
from sim.populations.agents_session import NOBODY, Fill, Place, Session
from sim.populations.crowd import Crowd, StrategyKind
from sim.populations.dice import Dice
from sim.populations.population import Endowment, Integers, MarketView
from sim.rows.columns import flags_of, kind_of, price_of, side_of
from sim.rows.messages import EventKind, OrderFlag, Rows, Side
from sim.rows.packed import PLACE_BITS, PLACE_MASK
from sim.signals.agents import AGENTS, AgentKind, Looks, View
from sim.signals.bounds import read
from sim.signals.course import AgentsCourse, Decision, GivenVerdict, cast_of
from sim.signals.moments import Moment, consensus_on, votes_of
from sim.signals.risk import Ruling, Verdict, judge
from sim.signals.sights import venues_in
from sim.signals.signal import Action, Signal
from sim.signals.steps import ExitReason, Step, lacking_exits, step_of
from sim.signals.terms import StrategyTerms

TICK_US = 1_000_000
"""Between two looks at the book, and at sessions: as live."""

HEADS_MAX = 1_000
OPPOSITE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
Verdicts = dict[int, tuple[Step, Verdict]]
"""By head."""


@dataclass(frozen=True)
class Said:
    """An agent's newest signal on a market."""

    agent: str
    symbol: str
    signal: Signal
    at_us: int


class SignalAgents(Crowd):
    """Any number of sessions of one strategy, which trade the perpetual markets that they see.

    given   the newest signal of each agent on each market, by the names of both
    """

    watches = reckons = True

    def __init__(
        self, parameters: StrategyTerms, accounts: range, markets: int, dice: Dice
    ) -> None:
        super().__init__(accounts, markets, dice, position_max_quote=0)
        self._terms = parameters
        self._markets: list[SeenMarket] = []
        self._sessions: list[Session] = []
        self._heard: list[list[Integers]] = [[] for _ in range(markets)]
        self._looks = Looks()
        self.given: dict[tuple[str, str], Said] = {}
        self._due_us: dict[str, int] = dict.fromkeys(AGENTS, 0)
        self._vote_us = self._tick_us = self._step_us = 0
        self._capital_atoms, self._equities = 0, np.empty(0, np.int64)
        self._sent: list[list[SessionOrder]] = []
        self._log = AgentsLog()

    def endow(self, endowment: Endowment) -> None:
        """See Crowd."""
        candle_us = self._terms.candle_s * 1_000_000
        self._capital_atoms = capital_atoms = endowment.capital_atoms
        specs = endowment.specs
        self._markets = [
            SeenMarket(spec, candle_us, past)
            for spec, past in zip(specs, endowment.past, strict=True)
        ]
        self._sessions = [Session(capital_atoms, endowment.leverage, specs) for _ in self.accounts]

    def enter(self, market: int, life: int, positions_lots: Integers | None) -> None:
        """See Population. Nobody enters a simulation but at its start."""

    def learn(self, market: int, packed: Integers) -> None:
        """See Population. It is taken in when there is something to decide."""
        self._heard[market].append(packed)

    def reckon(self, margins: Sequence[Integers]) -> None:
        """See Crowd."""
        self._equities = self._capital_atoms + np.sum([one[0] for one in margins], axis=0)

    def watch(self, step: int, views: Sequence[MarketView]) -> None:
        """See Crowd."""
        for market, view in zip(self._markets, views, strict=True):
            market.see(view)

    def next_step(self, after: int) -> int:
        """See Crowd: the first step of the next second."""
        if self._step_us == 0:
            return after + 1
        return max(after, -(-self._tick_us // self._step_us)) + 1

    def act(self, step: int, views: Sequence[MarketView | None]) -> list[Rows]:
        """See Population. A simulation shows all markets in every step."""
        seen = [view for view in views if view is not None]
        self.watch(step, seen)
        now_us = seen[0].time_us
        self._step_us = now_us // (step - 1) if step > 1 else 0
        self._sent = [[] for _ in seen]
        if now_us >= self._tick_us:
            self._tick_us = now_us - now_us % TICK_US + TICK_US
            self._tick(now_us, self._sent)
        self._equities = self._equities[:0]
        return super().act(step, views)

    def decide(self, step: int, market: int, view: MarketView) -> Rows:
        """See Crowd. All markets were decided on together."""
        return rows_of(self._sent[market], self.accounts.start)

    def _tick(self, now_us: int, sent: list[list[SessionOrder]]) -> None:
        for market in range(len(self._markets)):
            self._take_in(market, now_us)
        for market in self._traded:
            seen = self._markets[market]
            self._looks.add(seen.spec.market_id, seen.sight.look)
        for name, kind in AGENTS.items():
            if now_us >= self._due_us[name]:
                self._due_us[name] = now_us + kind.cycle_s(self._terms) * 1_000_000
                for market in self._traded:
                    self._speak(name, kind, market, now_us)
        if now_us >= self._vote_us:
            self._vote_us = now_us + self._terms.voting.cycle_s * 1_000_000
            for market in self._traded:
                self._decide_on(market, now_us, sent[market])
        self._look_after(now_us, sent)

    @property
    def _traded(self) -> list[int]:
        """Places of the markets in which positions are LONG or SHORT."""
        return [place for place, one in enumerate(self._markets) if not one.spec.is_spot]

    @property
    def _marks(self) -> list[int]:
        return [one.sight.mark_ticks for one in self._markets]

    def _take_in(self, market: int, now_us: int) -> None:
        """What this population's accounts were told, in the market's order."""
        spec = self._markets[market].spec
        for packed in self._heard[market]:
            for order_id, whose, lots, codes in packed.tolist():
                owner, maker = (whose & PLACE_MASK) - 1, (whose >> PLACE_BITS) - 1
                kind = kind_of(codes)
                if kind != EventKind.TRADE:
                    if owner >= 0:
                        told = (kind, order_id, lots, price_of(codes))
                        self._sessions[owner].places[market].told(*told)
                    continue
                side, price_ticks = Side(side_of(codes)), price_of(codes)
                forced = bool(flags_of(codes) & OrderFlag.FORCED)
                fees = (spec.taker_fee_ppm, spec.maker_fee_ppm) if order_id != NOBODY else (0, 0)
                if owner >= 0:
                    fill = Fill(price_ticks, lots, fees[0], forced)
                    self._sessions[owner].filled(market, side, fill, now_us)
                if maker >= 0:
                    fill = Fill(price_ticks, lots, fees[1])
                    self._sessions[maker].filled(market, OPPOSITE[side], fill, now_us)
        self._heard[market].clear()

    def _speak(self, name: str, kind: AgentKind, market: int, now_us: int) -> None:
        """What the agent sees of one market is what a live one sees: see actors/live/agents.py."""
        seen = self._markets[market]
        market_id, sight = seen.spec.market_id, seen.sight
        looks = self._looks.of[market_id] if kind.sees == "looks" else [sight.look]
        view = View(market_id, seen.candles, looks, now_us / 1e6)
        if kind.sees == "venues":
            asset = seen.spec.base_asset
            beside = [one.sight for one in self._markets if one.spec.base_asset == asset]
            view.perpetual, view.venues = venues_in(sight, beside, now_us)
        signal = kind.rule(view, self._terms)
        self.given[name, market_id] = Said(name, market_id, signal, now_us)
        self._log.speak(name, signal)

    def _decide_on(self, market: int, now_us: int, orders: list[SessionOrder]) -> None:
        seen, terms = self._markets[market], self._terms
        moment = Moment(seen.spec.market_id, seen.sight, seen.candles, now_us, terms)
        votes = votes_of(self.given.values(), moment.symbol, now_us, terms)
        said = consensus_on(votes, terms)
        verdicts = self._judged(market, moment, said.action)
        decision = Decision(
            number=self._log.decided,
            time_us=now_us,
            market_id=moment.symbol,
            action=said.action,
            confidence=said.confidence,
            consensus=said.consensus,
            scores=said.scores,
            votes=tuple(cast_of(vote) for vote in votes if vote.agent in said.agents),
            verdicts=tuple(
                GivenVerdict(head, step, verdict.ruling, verdict.rule, verdict.quantity_lots)
                for head, (step, verdict) in verdicts.items()
            ),
        )
        self._log.decide(decision)
        for head, (step, verdict) in verdicts.items():
            if verdict.ruling is not Ruling.VETOED:
                orders += self._order(market, head, step, verdict.quantity_lots)
                place = self._sessions[head].places[market]
                if step.opens:
                    place.entry = (decision.number, decision.winners)
                else:
                    place.cause = ExitReason.SIGNAL

    def _judged(self, market: int, moment: Moment, action: Action) -> Verdicts:
        """The verdict on what each session would do, of those that would do anything. Sessions that
        stand alike are judged alike, and once."""
        if action is Action.HOLD:
            return {}
        self._settle()
        side, spec, risk = side_of_action(action), moment.sight.spec, self._terms.agents.risk
        marks, opposite = self._marks, moment.sight.levels[1 if side == Side.BUY else 0]
        found: Verdicts = {}
        known: dict[Any, Verdict] = {}
        for head, session in enumerate(self._sessions):
            step = step_of(action, session.places[market].position.quantity_lots)
            if step is Step.NOTHING:
                continue
            standing = (step, session.standing(moment.now_us))
            if standing not in known:
                account = session.account(market, side, marks, opposite, moment.now_us)
                known[standing] = judge(moment.proposal(step), account, spec, risk)
            found[head] = (step, known[standing])
        return found

    def _order(self, market: int, head: int, step: Step, lots: int) -> list[SessionOrder]:
        """None where nobody stands there to trade with: then there is none live, too."""
        sight = self._markets[market].sight
        side = Side.SELL if step.is_sale else Side.BUY
        opposite = sight.levels[1 if side == Side.BUY else 0]
        limit_ticks = market_order_limit(side, lots, opposite, sight.mark_ticks)
        if limit_ticks is None:
            return []
        return [at_once(head, side, limit_ticks, lots, reduces=not step.opens)]

    def _look_after(self, now_us: int, sent: list[list[SessionOrder]]) -> None:
        """Exits that open positions lack, and equity at a new minute."""
        for head, session in enumerate(self._sessions):
            for place, orders in zip(session.places, sent, strict=True):
                if place.lacks_exits:
                    orders += self._exits(head, place)
        minute_us = now_us - now_us % MINUTE_US
        if self._log.minutes_us[-1:] != [minute_us]:
            self._log.minutes_us.append(minute_us)
            self._settle()
            marks = self._marks
            for session in self._sessions:
                session.sample(minute_us, session.equity(marks))

    def _exits(self, head: int, place: Place) -> Iterator[SessionOrder]:
        trip = place.trip
        assert trip is not None, "who has no position has nothing to leave"
        side = Side.SELL if trip.direction > 0 else Side.BUY
        held = (trip.held_lots, trip.direction, trip.entry_tick_lots // trip.entry_lots)
        lacking = lacking_exits(held, place.left_lots, place.spec, self._terms.agents.risk)
        for kind, ticks, lots in lacking:
            order = leaving(head, side, lots, (kind, ticks), place.spec)
            place.limits[order.price_ticks] = kind
            yield order

    def _settle(self) -> None:
        """What markets said of equity in this step, if they did."""
        if len(self._equities):
            marks = self._marks
            for session, equity in zip(self._sessions, self._equities.tolist(), strict=True):
                session.settle(equity, marks)
            self._equities = self._equities[:0]

    def left(self) -> AgentsCourse:
        """See Crowd."""
        return self._log.course(self._sessions)


def side_of_action(action: Action) -> Side:
    """What an order of it does."""
    return Side.BUY if action is Action.BUY else Side.SELL


def terms_from(given: Mapping[str, Any]) -> StrategyTerms:
    """A strategy's terms from a scenario's table. Raises TermsRefused."""
    return read(StrategyTerms, given)


STRATEGY = StrategyKind(
    "signal-agents",
    SignalAgents,
    StrategyTerms,
    divides=False,
    read=terms_from,
    heads_max=HEADS_MAX,
    is_for_worlds=False,
    trades_spot=False,
)
