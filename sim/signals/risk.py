"""The risk agent's verdict on what a session would do: how much of it, or none.

All amounts are exact integers and fractions. What only closes a position is never vetoed, for no
rule is about leaving.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from sim.market import MarketSpec
from sim.signals.signal import bounded, shown
from sim.signals.steps import Step, exact
from sim.signals.terms import RiskTerms


class Ruling(StrEnum):
    APPROVED = "APPROVED"
    REDUCED = "REDUCED"
    VETOED = "VETOED"


class Rule(StrEnum):
    """Which rule spoke."""

    CLOSES = "closes"
    NOTHING_TO_DO = "nothing_to_do"
    STALE_PRICE = "stale_price"
    NO_EQUITY = "no_equity"
    MAX_POSITIONS = "max_positions"
    MAX_DAILY_LOSS = "max_daily_loss"
    MAX_DRAWDOWN = "max_drawdown"
    VOLATILITY = "volatility"
    DEFAULT_QUANTITY = "default_quantity"
    MAX_POSITION_SIZE = "max_position_size"
    KELLY = "kelly"
    MARGIN = "margin"
    MAX_QUANTITY = "max_quantity"
    RISK_AGENT_AWAY = "risk_agent_away"
    MODEL = "model"
    MODEL_APPROVAL = "model_approval"


@dataclass(frozen=True)
class History:
    """Of a session's closed positions: how many won and lost, and what they won and lost in all."""

    wins: int = 0
    losses: int = 0
    won_atoms: int = 0
    lost_atoms: int = 0


@dataclass(frozen=True)
class Proposal:
    """What a session would do in a market at its price.

    volatility    a day's standard deviation of returns; None while it is not known
    """

    step: Step
    price_ticks: int
    price_age_s: float
    volatility: float | None = None


@dataclass(frozen=True)
class Account:
    """A session's account, in quote atoms and lots.

    available_atoms          equity that backs nothing yet
    day_start_equity_atoms   at the beginning of the day
    peak_equity_atoms        the highest so far
    open_positions           in all markets
    position_lots            in this one, below zero when short
    affordable_lots          the most that the available money opens at this price, as the money's
                             own rules have it
    """

    equity_atoms: int
    available_atoms: int
    day_start_equity_atoms: int
    peak_equity_atoms: int
    open_positions: int
    position_lots: int
    affordable_lots: int
    history: History = History()


@dataclass(frozen=True)
class Verdict:
    """0 lots where it is vetoed; `rule` is the one that decided."""

    ruling: Ruling
    quantity_lots: int
    rule: Rule
    reasoning: str


def judge(proposal: Proposal, account: Account, market: MarketSpec, terms: RiskTerms) -> Verdict:
    """A session's own limits, on its own account."""
    if not proposal.step.opens:
        return _closing(proposal.step, account.position_lots, market)
    for rule, why in objections(proposal, account, terms):
        return Verdict(Ruling.VETOED, 0, rule, f"{why} Nothing is opened.")
    return _sized(caps(proposal, account, market, terms), market)


def narrowed(verdict: Verdict, part: float, said: str, market: MarketSpec) -> Verdict:
    """A verdict cut to a part of its quantity by a model: never more, and a veto stays one.

    part   0 to 1; 0 is a veto
    """
    assert 0 <= part <= 1, part
    if verdict.ruling is Ruling.VETOED:
        return verdict
    lots = floor_lots(exact(part) * verdict.quantity_lots)
    told = f"{verdict.reasoning} A model was asked: {said}"
    if lots < market.min_quantity_lots:
        return Verdict(Ruling.VETOED, 0, Rule.MODEL, f"{told} Nothing is opened.")
    if lots < verdict.quantity_lots:
        why = f"{told} It is reduced to {in_base(lots, market)}."
        return Verdict(Ruling.REDUCED, lots, Rule.MODEL, why)
    return replace(verdict, reasoning=told)


def not_approved(why: str) -> Verdict:
    """Of an opening where a model has to approve, and none did."""
    told = f"A model has to approve, and none did: {why} Nothing is opened."
    return Verdict(Ruling.VETOED, 0, Rule.MODEL_APPROVAL, told)


def _closing(step: Step, position_lots: int, market: MarketSpec) -> Verdict:
    held = position_lots if step is Step.CLOSE_LONG else -position_lots
    if step is Step.NOTHING or held <= 0:
        why = "The consensus asks for nothing that the session does not have."
        return Verdict(Ruling.VETOED, 0, Rule.NOTHING_TO_DO, f"{why} Nothing is done.")
    why = f"It only closes a position of {in_base(held, market)}. No rule forbids to leave."
    if held > market.max_quantity_lots:
        lots = market.max_quantity_lots
        why = f"{why} One order closes {in_base(lots, market)} at most."
        return Verdict(Ruling.REDUCED, lots, Rule.MAX_QUANTITY, why)
    return Verdict(Ruling.APPROVED, held, Rule.CLOSES, why)


def objections(
    proposal: Proposal, account: Account, terms: RiskTerms
) -> Iterator[tuple[Rule, str]]:
    """The rules that forbid any opening, in their order, as sentences."""
    if proposal.price_age_s >= terms.stale_price_s:
        seen, allowed = shown(proposal.price_age_s), shown(terms.stale_price_s)
        yield Rule.STALE_PRICE, f"The price is {seen} s old, and {allowed} s are too many."
    if account.equity_atoms <= 0 or proposal.price_ticks <= 0:
        yield Rule.NO_EQUITY, "There is no equity, or no price, to size a position by."
        return
    if account.open_positions >= terms.max_positions:
        count, allowed = account.open_positions, str(terms.max_positions)
        yield Rule.MAX_POSITIONS, f"{count} positions are open, and {allowed} are allowed."
    lost = fall(account.day_start_equity_atoms, account.equity_atoms)
    if lost >= exact(terms.max_daily_loss):
        yield Rule.MAX_DAILY_LOSS, _fallen("today", lost, terms.max_daily_loss)
    drawn = fall(account.peak_equity_atoms, account.equity_atoms)
    if drawn >= exact(terms.max_drawdown):
        yield Rule.MAX_DRAWDOWN, _fallen("from its peak", drawn, terms.max_drawdown)
    volatility, used = proposal.volatility or 0.0, utilisation(account)
    if volatility > terms.volatility_max and used > terms.utilisation_max:
        told = f"A day's deviation is {shown(volatility)}, much from {shown(terms.volatility_max)}"
        yield Rule.VOLATILITY, f"{told} on, and {shown(used)} of equity is in use."


def caps(
    proposal: Proposal, account: Account, market: MarketSpec, terms: RiskTerms
) -> Mapping[Rule, int]:
    """The most lots that each rule allows, the wish first; parts of lots are let go."""
    lot_atoms = market.notional_atoms(proposal.price_ticks, 1)
    equity_lots = Fraction(account.equity_atoms, lot_atoms)
    wished = exact(terms.default_quantity) / Fraction(market.lot_size)
    largest = floor_lots(exact(terms.max_position_size) * equity_lots)
    return {
        Rule.DEFAULT_QUANTITY: floor_lots(wished),
        Rule.MAX_POSITION_SIZE: max(0, largest - abs(account.position_lots)),
        Rule.KELLY: floor_lots(kelly(account.history, terms) * equity_lots),
        Rule.MARGIN: max(0, account.affordable_lots),
        Rule.MAX_QUANTITY: market.max_quantity_lots,
    }


def kelly(history: History, terms: RiskTerms) -> Fraction:
    """The part of equity to put at risk: (p·b − q) ÷ b times a fraction, at least 0.

    p is the win rate, b the mean win over the mean loss: Kelly, "A New Interpretation of
    Information Rate" (1956). Of too few trades the defaults speak; who never lost stakes p.
    """
    trades = history.wins + history.losses
    if trades >= terms.kelly_trades_min:
        rate = Fraction(history.wins, trades)
        win = Fraction(history.won_atoms, max(1, history.wins))
        loss = Fraction(history.lost_atoms, max(1, history.losses))
    else:
        rate, win, loss = map(exact, (terms.kelly_win_rate, terms.kelly_win, terms.kelly_loss))
    stake = rate - (1 - rate) * loss / win if win > 0 else Fraction(0)
    return max(Fraction(0), stake) * exact(terms.kelly_fraction)


def floor_lots(lots: Fraction) -> int:
    """So that no cap is passed by the rounding."""
    return lots.numerator // lots.denominator


def fall(before_atoms: int, now_atoms: int) -> Fraction:
    """The part of an earlier equity that is gone; below zero for a gain."""
    return Fraction(before_atoms - now_atoms, before_atoms) if before_atoms > 0 else Fraction(0)


def utilisation(account: Account) -> float:
    """The part of equity that backs positions and orders."""
    free = Fraction(account.available_atoms, account.equity_atoms)
    return bounded(float(1 - free))


def _sized(allowed: Mapping[Rule, int], market: MarketSpec) -> Verdict:
    """The wish, or the tightest cap; of caps that are alike the first."""
    wished = allowed[Rule.DEFAULT_QUANTITY]
    rule = min(allowed, key=lambda one: allowed[one])
    lots = allowed[rule]
    told = f"The wish is {in_base(wished, market)}, and {rule} allows {in_base(lots, market)}."
    if lots < market.min_quantity_lots:
        why = f"{told} No order is smaller than {in_base(market.min_quantity_lots, market)}."
        return Verdict(Ruling.VETOED, 0, rule, why)
    if lots < wished:
        return Verdict(Ruling.REDUCED, lots, rule, f"{told} It is reduced to that.")
    return Verdict(Ruling.APPROVED, lots, rule, f"{told} No other rule asks for less.")


def in_base(lots: int, market: MarketSpec) -> str:
    """A quantity as people have it."""
    return f"{(lots * market.lot_size).normalize():f} {market.base_asset}"


def _fallen(since: str, part: Fraction, allowed: float) -> str:
    return f"Equity fell by {shown(float(part))} {since}, and {shown(allowed)} is the limit."
